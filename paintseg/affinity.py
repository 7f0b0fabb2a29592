"""Affinity: which places an encoder holds for the same thing, as walks between its patches.

A walker on patch i steps to patch j with probability proportional to exp(beta (cos(k_i, k_j) - 1)), k being keys of
the encoder's last attention layer. Walks that reach known background end there. With a small rate `source` a walk
is born again wherever it is; the share of walks through a patch that were born before they were absorbed says how
hard it is to confuse the patch with the background (an absorbing Markov chain; Grady 2006 for the segmentation view).
Keys are taken without their bias: all patches share it, attention ignores it, and it would make all of them alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Walk:
    """A random walk over n patches.

    Attributes:
        steps: n x n, the probability to go from row to column; rows sum to 1, no step stays in place.
        usual: n, how often a long walk is at each patch; sums to 1.
    """

    steps: Tensor
    usual: Tensor


def walk_over(keys: Tensor, beta: float) -> Walk:
    """The walk over the patches of a feature map.

    Args:
        keys: 1 x C x h x w.
        beta: sharpness; 0 makes all steps equally likely.
    """
    vectors = F.normalize(keys[0].flatten(1).T, dim=1)
    weights = torch.exp(beta * (vectors @ vectors.T - 1))
    weights.fill_diagonal_(0)
    degree = weights.sum(1).clamp_min(torch.finfo(weights.dtype).tiny)
    return Walk(steps=weights / degree[:, None], usual=degree / degree.sum())


def log_survival(walk: Walk, free: Tensor, source: float) -> Tensor:
    """Logarithm of the probability that a walk is born again before the background absorbs it.

    Solves (1 + source) f - P f = source over the free patches, f = 0 on the rest.

    Args:
        walk: over n patches.
        free: n bool; walks on the other patches are absorbed.
        source: chance, at each step, to be born again, above 0.

    Returns:
        n; 0 where nothing can be absorbed, the lowest value among the free patches where `free` is False.
    """
    steps = walk.steps
    result = torch.zeros(len(steps), dtype=steps.dtype, device=steps.device)
    if not free.any():
        return result
    count = int(free.sum())
    system = torch.eye(count, dtype=steps.dtype, device=steps.device) * (1 + source) - steps[free][:, free]
    survival = torch.linalg.solve(system, torch.full((count,), source, dtype=steps.dtype, device=steps.device))
    result[free] = survival.clamp_min(torch.finfo(steps.dtype).tiny).log()
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

    Returns:
        n; the seeds' own visits are capped at the highest of the other patches.
    """
    steps, count = walk.steps, len(walk.steps)
    start = seeds.to(steps.dtype) / seeds.sum()
    system = torch.eye(count, dtype=steps.dtype, device=steps.device) - (1 - restart) * steps
    visits = torch.linalg.solve(system.T, start * restart)
    logs = (visits / walk.usual).clamp_min(1e-12).log()
    if not seeds.all():
        logs[seeds] = logs[~seeds].max()
    return logs
