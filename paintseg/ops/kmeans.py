"""Exact k-means in one dimension.

Clusters of numbers are intervals, so k-means on a line is the choice of k - 1 cuts in the sorted values. With N values
and the sum S in a cluster, the best cuts maximise the sum over the clusters of S^2 / N. Two clusters have one cut, and
every cut is looked at. For more clusters a dynamic programme (Wang & Song, "Ckmeans.1d.dp", The R Journal 3/2, 2011)
finds the best of `CUTS` cuts, then the best of those around what it found, down to single values. Values of no more
than `CUTS` kinds, as in a histogram, are thus cut exactly; of more kinds it is the search that is coarse at first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from .memory import sent

CUTS = 1024
"""Cuts that the dynamic programme chooses from; its time and memory grow with their square."""

_AROUND = 4  # cuts tried to either side of the best ones, between which the search goes on


@dataclass(frozen=True)
class Clusters:
    """Result of `kmeans1d`.

    Attributes:
        centers: k, increasing; the mean of every cluster.
        thresholds: k - 1, increasing; halfway between neighbouring centers.
    """

    centers: Tensor
    thresholds: Tensor

    def labels(self, values: Tensor) -> Tensor:
        """Index of the nearest center, int64, of the values' shape; 0 is the lowest cluster."""
        return torch.bucketize(values.to(self.thresholds.dtype), self.thresholds)


def kmeans1d(values: Tensor, k: int) -> Clusters:
    """Optimal k-means of numbers (paper, eq. 3, on the contrastive potential).

    Deterministic. Sorting takes most of the time, and happens on the values' device.

    Args:
        values: any shape, finite.
        k: number of clusters, 2 or more; meant for 2, 3, 4.

    Returns centers and thresholds on the values' device, in their dtype (float32 for half and whole numbers).

    Raises InputError: k below 2, no values, NaN or infinity, fewer than k distinct values.
    """
    if isinstance(k, bool) or not isinstance(k, int) or k < 2:
        raise InputError(f"k must be a whole number, 2 or more; got {k!r}")
    ordered = _ordered(values)
    known = ordered if k == 2 else ordered.cpu()  # a GPU is waited for once: for two flags, or for all values
    finite, unequal = torch.stack(_usable(known)).tolist()
    if not finite:
        raise InputError("values to cluster must be finite; they contain NaN or infinity")
    centers = (_two_centers(known) if k == 2 else _centers(known.numpy(), k)) if unequal else None
    if centers is None:
        raise InputError(f"values to cluster must hold at least k = {k} distinct numbers, they hold fewer")
    return _clusters(sent(centers, ordered.device), ordered.dtype)


def two_means(values: Tensor) -> tuple[Clusters, Tensor]:
    """`kmeans1d` of two clusters, for which no GPU is waited for.

    Returns:
        The clusters, and a bool tensor of no dimension: whether the values are finite and not all equal. Where they are
        not, the clusters mean nothing.

    Raises InputError for no values.
    """
    ordered = _ordered(values)
    finite, unequal = _usable(ordered)
    return _clusters(_two_centers(ordered), ordered.dtype), finite & unequal


def _ordered(values: Tensor) -> Tensor:
    """The values sorted, float32 or float64. Raises InputError for none."""
    flat = values.detach().reshape(-1)
    if flat.dtype not in (torch.float32, torch.float64):
        flat = flat.float()
    if not flat.numel():
        raise InputError("values to cluster are empty")
    # on the CPU NumPy, whose sorting has vector instructions, is many times quicker than torch
    return torch.from_numpy(np.sort(flat.numpy())) if flat.device.type == "cpu" else flat.sort().values


def _usable(ordered: Tensor) -> tuple[Tensor, Tensor]:
    """Whether sorted values are finite (sorting takes NaN and infinities to the ends), and whether any two differ."""
    return ordered[0].isfinite() & ordered[-1].isfinite(), ordered[0] < ordered[-1]


def _clusters(centers: Tensor, dtype: torch.dtype) -> Clusters:
    return Clusters(centers.to(dtype), ((centers[1:] + centers[:-1]) / 2).to(dtype))


def _two_centers(ordered: Tensor) -> Tensor:
    """The centers of the best two clusters of sorted values, not all equal, float64: every cut is looked at."""
    count, offset = len(ordered), ordered[len(ordered) // 2].double()  # sums of values far from 0 would cancel
    sums = (ordered.double() - offset).cumsum(0)
    below, above = sums[:-1], sums[-1] - sums[:-1]
    number = torch.arange(1, count, dtype=sums.dtype, device=sums.device)
    gain = below**2 / number + above**2 / (count - number)
    cut = torch.where(ordered[1:] > ordered[:-1], gain, -torch.inf).argmax(0, keepdim=True)
    return torch.cat([below[cut] / number[cut], above[cut] / (count - number[cut])]) + offset


def _centers(ordered: np.ndarray, k: int) -> Tensor | None:
    """The centers of the best k clusters of sorted values, float64; None for fewer than k distinct values."""
    borders = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1  # a cut is the number of values below it
    if len(borders) < k - 1:
        return None
    offset = float(ordered[len(ordered) // 2])
    sums = np.concatenate([[0.0], np.cumsum(ordered.astype(np.float64) - offset)])
    cuts = _search(borders, sums, k)
    return torch.from_numpy(np.diff(sums[cuts]) / np.diff(cuts) + offset)


def _search(borders: np.ndarray, sums: np.ndarray, k: int) -> np.ndarray:
    """The k + 1 cuts of the best k clusters, both ends included: among some of the borders, then closer and closer."""
    most, pool = max(CUTS, 8 * _AROUND * k), borders
    while True:
        tried = pool if len(pool) <= most else _thinned(pool, sums, most)
        cuts = _best_cuts(tried, sums, k)
        if len(tried) == len(pool):
            return cuts
        at = np.searchsorted(tried, cuts[1:-1])
        first = np.searchsorted(pool, tried[np.maximum(at - _AROUND, 0)])
        last = np.searchsorted(pool, tried[np.minimum(at + _AROUND, len(tried) - 1)])
        pool = np.unique(np.concatenate([pool[a : b + 1] for a, b in zip(first, last, strict=True)]))


def _thinned(pool: np.ndarray, sums: np.ndarray, count: int) -> np.ndarray:
    """At most so many of the cuts: half of them evenly over the number of values, half evenly over their range."""
    by_number = np.linspace(0, len(pool) - 1, count // 2).astype(int)
    values = sums[pool] - sums[pool - 1]  # the highest below each cut
    by_value = np.searchsorted(values, np.linspace(values[0], values[-1], count // 2))
    return pool[np.union1d(by_number, by_value.clip(max=len(pool) - 1))]


def _best_cuts(inner: np.ndarray, sums: np.ndarray, k: int) -> np.ndarray:
    """The k + 1 cuts of the best k clusters, both ends included, the inner ones chosen from `inner`."""
    cuts = np.concatenate([[0], inner, [len(sums) - 1]])
    total = sums[cuts]
    best, back = total[1:] ** 2 / cuts[1:], []  # of one cluster that ends at each cut
    between = _gain(cuts[1:-1, None], cuts[None, 1:], total[1:-1, None], total[None, 1:])
    for _ in range(k - 2):
        reach = best[:-1, None] + between
        back.append(reach.argmax(0))
        best = reach.max(0)
    last = best[:-1] + between[:, -1]
    chosen = [int(last.argmax())]
    for step in reversed(back):
        chosen.append(int(step[chosen[-1]]))
    return np.array([0, *(cuts[1 + at] for at in reversed(chosen)), cuts[-1]])


def _gain(start: np.ndarray, end: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """S^2 / N of the clusters from `start` to `end`, `before` and `after` being the sums there; -inf for none."""
    count = end - start
    return np.where(count > 0, (after - before) ** 2 / np.maximum(count, 1), -np.inf)
