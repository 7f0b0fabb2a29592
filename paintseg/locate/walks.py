"""Affinity: which places an encoder holds for the same thing, as walks between its patches.

A walker on patch i steps to patch j with probability proportional to exp(beta (cos(k_i, k_j) - 1)), k being keys of
the encoder's last attention layer. Walks that reach known background end there. With a small rate `source` a walk
is born again wherever it is; the share of walks through a patch that were born before they were absorbed says how
hard it is to confuse the patch with the background (an absorbing Markov chain; Grady 2006 for the segmentation view).
Keys are taken without their bias: all patches share it, attention ignores it, and it would make all of them alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from threading import Lock

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary

BETA = 7.0
"""Sharpness of the steps, unless something else is said; of discovery's graph and of walks between twins as well."""
SOURCE = 0.01
"""Chance, at each step, that a walk is born again."""

_LEAST = 1e-4  # of a rate; with less, single precision cannot tell the system from a singular one
_KEPT = 4  # walks: of the photo and of the windows of it that somebody clicks in; 10 to 20 MB each


@dataclass(frozen=True)
class Walk:
    """A random walk over n patches.

    Attributes:
        alike: n x n, D^-1/2 W D^-1/2 of the weights W of the steps and their row sums D; symmetric, 0 on the diagonal.
        usual: n, how often a long walk is at each patch; sums to 1.
    """

    alike: Tensor
    usual: Tensor

    @cached_property
    def flow(self) -> Tensor:
        """n x n, how often a long walk goes from row to column; symmetric, sums to 1."""
        return self.alike * (self.usual[None] * self.usual[:, None]).sqrt()

    def normalised_cut(self, cover: Tensor) -> float:
        """How often a long walk leaves an object, over how often it is there and elsewhere (Shi & Malik 2000).

        Args:
            cover: n in [0, 1], how much of every patch is the object.

        Returns at least 0; infinite where a walk is always, or never, at the object.
        """
        volume = float(cover @ self.usual)
        return float(cover @ self.flow @ (1 - cover)) / (volume * (1 - volume)) if 0 < volume < 1 else math.inf


def joints(first: Tensor, second: Tensor, beta: float = BETA) -> Tensor:
    """n x m weights exp(beta (cosine - 1)) between keys n x C and m x C of unit length."""
    return torch.exp(beta * (first @ second.T - 1))


def walk_over(keys: Tensor, beta: float = BETA) -> Walk:
    """The walk over the patches of a feature map; of the same map it is made once, as long as it is among the latest.

    Args:
        keys: 1 x C x h x w.
        beta: sharpness; 0 makes all steps equally likely.
    """
    with _lock:
        found: dict[float, Walk] = _walks.get(keys) or {}
    if beta not in found:
        found[beta] = _walk_over(keys, beta)
        with _lock:
            _walks[keys] = found
            while len(_walks) > _KEPT:
                del _walks[next(iter(_walks))]
    return found[beta]


_walks = WeakIdKeyDictionary()  # by the very tensor, and gone with it
_lock = Lock()


def _walk_over(keys: Tensor, beta: float) -> Walk:
    vectors = F.normalize(keys[0].flatten(1).T, dim=1)
    weights = joints(vectors, vectors, beta)
    weights.fill_diagonal_(0)
    degree = weights.sum(1).clamp_min(torch.finfo(weights.dtype).tiny)
    root = degree.sqrt()
    return Walk(alike=weights / root[:, None] / root, usual=degree / degree.sum())


def log_survival(walk: Walk, free: Tensor, source: float = SOURCE, leak: Tensor | None = None) -> Tensor:
    """Logarithm of the probability that a walk is born again before the background absorbs it.

    Solves (1 + source) f - P f = source over the free patches, f = 0 on the rest.

    Args:
        walk: over n patches.
        free: n bool; walks on the other patches are absorbed.
        source: chance, at each step, to be born again, above 0.
        leak: n, chance, at each step, to be absorbed on a free patch too; None for none.

    Returns n; 0 where nothing can be absorbed, the lowest value among the free patches where `free` is False.
    """
    result = torch.zeros_like(walk.usual)
    if not free.any():
        return result
    root = walk.usual[free].sqrt()
    rates = max(source, _LEAST) + (torch.zeros_like(root) if leak is None else leak[free])
    survival = source * _solved(rates, walk.alike[free][:, free], root) / root
    result[free] = survival.clamp_min(torch.finfo(survival.dtype).tiny).log()
    result[~free] = result[free].min()
    return result


def log_visits(walk: Walk, seeds: Tensor, restart: float) -> Tensor:
    """Logarithm of how often walks from the seeds visit each patch, relative to how often any walk does.

    A personalised PageRank: walkers start anew at a seed with probability `restart` at each step. Visits are divided
    by the walk's stationary distribution, so that patches with many neighbours are not favoured.

    Args:
        walk: over n patches.
        seeds: n bool, at least one.
        restart: in (0, 1).

    Returns n; the seeds' own visits are capped at the highest of the other patches.
    """
    root = walk.usual.sqrt()
    start = seeds.to(root.dtype) / seeds.sum()
    leak = restart / (1 - restart)
    visits = leak * _solved(torch.full_like(root, max(leak, _LEAST)), walk.alike, start / root) / root
    logs = visits.clamp_min(1e-12).log()
    if not seeds.all():
        logs[seeds] = logs[~seeds].max()
    return logs


def _solved(leak: Tensor, alike: Tensor, right: Tensor) -> Tensor:
    """x of ((1 + leak) I - alike) x = right, n; leak is n, each at least `_LEAST`.

    A walk that can go back whence it came has this symmetric form, for which Cholesky's half of the work suffices. No
    eigenvalue of `alike` is above 1, so the form is positive definite.
    """
    system = torch.diag(1 + leak) - alike
    return torch.cholesky_solve(right[:, None], torch.linalg.cholesky(system))[:, 0]
