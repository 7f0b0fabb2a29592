"""Affinity: which places an encoder holds for the same thing, as walks between its patches.

A walker on patch i steps to patch j with probability proportional to exp(beta (cos(k_i, k_j) - 1)), k being keys of
the encoder's last attention layer. Walks that reach known background end there. With a small rate `source` a walk
is born again wherever it is; the share of walks through a patch that were born before they were absorbed says how
hard it is to confuse the patch with the background (an absorbing Markov chain; Grady 2006 for the segmentation view).
Keys are taken without their bias: all patches share it, attention ignores it, and it would make all of them alike.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def transitions(keys: Tensor, beta: float) -> Tensor:
    """Step probabilities between patches.

    Args:
        keys: 1 x C x h x w.
        beta: sharpness; 0 makes all steps equally likely.

    Returns:
        hw x hw, rows sum to 1, no step stays in place.
    """
    vectors = F.normalize(keys[0].flatten(1).T, dim=1)
    weights = torch.exp(beta * (vectors @ vectors.T - 1))
    weights.fill_diagonal_(0)
    return weights / weights.sum(1, keepdim=True).clamp_min(torch.finfo(weights.dtype).tiny)


def log_survival(steps: Tensor, free: Tensor, source: float) -> Tensor:
    """Logarithm of the probability that a walk is born again before the background absorbs it.

    Solves (1 + source) f - P f = source over the free patches, f = 0 on the rest.

    Args:
        steps: n x n from `transitions`.
        free: n bool; walks on the other patches are absorbed.
        source: chance, at each step, to be born again, above 0.

    Returns:
        n; 0 where nothing can be absorbed, the lowest value among the free patches where `free` is False.
    """
    result = torch.zeros(len(steps), dtype=steps.dtype, device=steps.device)
    if not free.any():
        return result
    count = int(free.sum())
    system = torch.eye(count, dtype=steps.dtype, device=steps.device) * (1 + source) - steps[free][:, free]
    survival = torch.linalg.solve(system, torch.full((count,), source, dtype=steps.dtype, device=steps.device))
    result[free] = survival.clamp_min(torch.finfo(steps.dtype).tiny).log()
    result[~free] = result[free].min()
    return result


def nearest_patches(points: Tensor, grid: tuple[int, int]) -> Tensor:
    """Flat indices of the patches that hold points, n x 2 as (x, y) in grid units; outside points are clamped."""
    columns = points[:, 0].floor().long().clamp(0, grid[1] - 1)
    rows = points[:, 1].floor().long().clamp(0, grid[0] - 1)
    return torch.unique(rows * grid[1] + columns)
