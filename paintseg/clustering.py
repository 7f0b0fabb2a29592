"""Exact k-means in one dimension.

Clusters of numbers are intervals, so k-means on a line is the choice of k - 1 cuts in the sorted values, and
the best choice is a dynamic programme (Wang & Song, "Ckmeans.1d.dp", The R Journal 3/2, 2011). It would be
quadratic in the number of values; here most cuts are ruled out before they are looked at.

With N values and the sum S in a cluster, k-means maximises the sum over clusters of S^2 / N, which is jointly
convex in the (N, S) of all cuts. The cuts inside a block of sorted values between a and b lie in the triangle
of its two ends and the corner where all values below the cut equal a and all above it b; a convex function on
a triangle is largest at a corner. One dynamic programme over ends and corners of a few dozen blocks thus
bounds what any cut in any block can reach. Blocks whose bound stays below the best cuts at block ends are
dropped, the few others are divided and looked at again, down to single values. The result is the global
optimum (to the rounding of float64), where Lloyd's iterations find a local one from a random start.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .errors import InputError

_BLOCKS = 64  # per round: a round is quadratic in them, the number of rounds falls only with their logarithm


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


def kmeans1d(values: Tensor, k: int, weights: Tensor | None = None) -> Clusters:
    """Globally optimal k-means of numbers (paper, eq. 3, on the contrastive potential).

    Deterministic. Sorting takes most of the time, and happens on the values' device.

    Args:
        values: any shape, finite.
        k: number of clusters, 2 or more; meant for 2, 3, 4.
        weights: of the values' shape; bool leaves out values where false, numbers (finite, 0 or more) count
            a value that many times, at the price of a slower sort.

    Returns:
        Centers and thresholds on the values' device, in their dtype (float32 for half and whole numbers).

    Raises:
        InputError: k below 2, no values, NaN or infinity, fewer than k distinct values, weights of another
            shape, negative or not finite.
    """
    if isinstance(k, bool) or not isinstance(k, int) or k < 2:
        raise InputError(f"k must be a whole number, 2 or more; got {k!r}")
    flat = values.detach().reshape(-1)
    if flat.dtype not in (torch.float32, torch.float64):
        flat = flat.float()
    ordered, mass = _sorted(flat, weights)
    if ordered.numel() == 0:
        raise InputError("values to cluster are empty (or all have weight 0)")
    if not bool(torch.isfinite(ordered[[0, -1]]).all()):  # sorting takes NaN and infinities to the ends
        raise InputError("values to cluster must be finite; they contain NaN or infinity")

    line = _Line(ordered, mass)
    cuts = _best_cuts(line, k)
    if cuts is None:
        raise InputError(f"values to cluster must hold at least k = {k} distinct numbers, they hold fewer")
    count, total = line.prefix(cuts)
    centers = np.diff(total) / np.diff(count) + line.offset
    thresholds = (centers[1:] + centers[:-1]) / 2
    like = {"dtype": flat.dtype, "device": flat.device}
    return Clusters(torch.tensor(centers, **like), torch.tensor(thresholds, **like))


class _Line:
    """Sorted values and the sums up to any cut. A cut is an index: the number of values below it."""

    def __init__(self, ordered: Tensor, weights: Tensor | None) -> None:
        self.ordered = ordered
        self.offset = float(ordered[len(ordered) // 2])  # sums of values far from 0 would cancel
        self.sums = _PrefixSums(ordered if weights is None else ordered * weights)
        self.counts = None if weights is None else _PrefixSums(weights)

    def prefix(self, cuts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Number (or weight) and sum, less the offset, of the values below every cut."""
        count = cuts.astype(np.float64) if self.counts is None else self.counts(cuts)
        return count, self.sums(cuts) - self.offset * count

    def value(self, index: np.ndarray) -> np.ndarray:
        """Sorted values, less the offset."""
        return _pick(self.ordered, index).astype(np.float64) - self.offset

    def divide(self, starts: np.ndarray, ends: np.ndarray, parts: int) -> np.ndarray:
        """Cuts that divide every block in about so many parts, never between equal values."""
        inner = np.linspace(starts, ends, parts + 1)[1:-1].astype(np.int64).ravel()
        probe = torch.from_numpy(_pick(self.ordered, inner)).to(self.ordered.device)
        runs = [torch.searchsorted(self.ordered, probe, right=right).cpu().numpy() for right in (False, True)]
        return np.concatenate(runs)


def _best_cuts(line: _Line, k: int) -> np.ndarray | None:
    """The k + 1 cuts of the best clusters, both ends included; None for fewer than k distinct values."""
    starts, ends = np.array([0]), np.array([len(line.ordered)])
    cuts = np.array([0, len(line.ordered)])
    while True:
        parts = max(2, _BLOCKS // len(starts))
        cuts = np.unique(np.concatenate([cuts, line.divide(starts, ends, parts)]))
        count, total = line.prefix(cuts)
        best, chosen = _optimum(count, total, k)
        # what lies between two cuts may hide better ones if it is part of an open block and not all equal
        outer = np.searchsorted(starts, cuts[:-1], side="right") - 1
        hiding = np.flatnonzero((outer >= 0) & (cuts[:-1] < ends[outer]))
        low, high = line.value(cuts[hiding]), line.value(cuts[hiding + 1] - 1)
        unequal = low < high
        hiding, low, high = hiding[unequal], low[unequal], high[unequal]
        if len(hiding) == 0:
            return None if chosen is None else cuts[chosen]
        alive, opened = _survivors(count, total, hiding, low, high, k, best)
        starts, ends = cuts[hiding[opened]], cuts[hiding[opened] + 1]
        if len(starts) == 0:
            return cuts[chosen]
        cuts = np.unique(np.concatenate([[0, len(line.ordered)], cuts[alive], starts, ends]))


def _optimum(count: np.ndarray, total: np.ndarray, k: int) -> tuple[float, np.ndarray | None]:
    """Largest sum of S^2 / N of k clusters between given cuts, and which k + 1 of the cuts reach it."""
    if len(count) <= k:
        return -np.inf, None
    first = _gain(count[:1], total[:1], count, total)[0]
    last = _gain(count, total, count[-1:], total[-1:])[:, 0]
    first[0] = last[-1] = -np.inf  # no cluster is empty
    best, back = first, []
    if k > 2:
        gain = _gain(count, total, count, total)
        np.fill_diagonal(gain, -np.inf)
    for _ in range(k - 2):
        reach = best[:, None] + gain
        back.append(reach.argmax(0))
        best = np.take_along_axis(reach, back[-1][None], 0)[0]
    chosen = [len(count) - 1, int((best + last).argmax())]
    for step in reversed(back):
        chosen.append(int(step[chosen[-1]]))
    return float((best + last).max()), np.array([*chosen, 0])[::-1]


def _survivors(
    count: np.ndarray,
    total: np.ndarray,
    hiding: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    k: int,
    best: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Which cuts, and which hiding blocks, can still belong to clusters as good as the best ones known.

    Args:
        count, total: prefix count and sum at every cut.
        hiding: cuts that begin a block with cuts inside; `low`, `high`: least and largest value of the block.
        k: number of clusters; `best`: sum of S^2 / N known to be reachable.

    Returns:
        Two masks, over the cuts and over the hiding blocks.
    """
    inside = count[hiding + 1] - count[hiding]
    mean = (total[hiding + 1] - total[hiding]) / inside
    below = inside * (high - mean) / (high - low)
    # the points a cluster may end at, in order: cuts, and after its cut the corner of a block's triangle
    number = np.insert(count, hiding + 1, count[hiding] + below)
    amount = np.insert(total, hiding + 1, total[hiding] + below * low)
    corner = hiding + 1 + np.arange(len(hiding))
    forward = [_gain(number[:1], amount[:1], number, amount)[0]]
    backward = [_gain(number, amount, number[-1:], amount[-1:])[:, 0]]
    if k > 2:
        gain = _gain(number, amount, number, amount)
        # a cluster wholly inside a block gains no more than the block, its spread (at most this) forgiven
        gain[corner - 1, corner + 1] += inside * (high - mean) * (mean - low)
    for _ in range(k - 2):
        forward.append((forward[-1][:, None] + gain).max(0))
        backward.append((gain + backward[-1][None]).max(1))
    bound = np.max([f + b for f, b in zip(forward, reversed(backward), strict=True)], axis=0)
    reach = bound[corner]
    for m in range(k - 2):
        whole = gain[corner - 1, corner + 1]
        whole = forward[m][corner - 1] + whole + backward[k - 3 - m][corner + 1]
        reach = np.maximum(reach, whole)
    least = best - 1e-12 * abs(best)  # rounding must not rule out the best
    return np.delete(bound, corner) >= least, reach >= least


def _gain(count: np.ndarray, total: np.ndarray, counts: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """S^2 / N of the clusters from each of the first points to each of the second; -inf if that goes back."""
    number = counts[None] - count[:, None]
    gain = (totals[None] - total[:, None]) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        gain /= number
    gain[number == 0] = 0
    gain[number < 0] = -np.inf
    return gain


def _sorted(values: Tensor, weights: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Values that count, in order, and their weights if they differ."""
    # on the CPU NumPy, whose sorting has vector instructions, is many times quicker than torch
    on_cpu = values.device.type == "cpu"
    if weights is not None:
        if weights.numel() != values.numel():
            raise InputError(f"weights must match the {values.numel()} values; there are {weights.numel()}")
        weights = weights.detach().reshape(-1).to(values.device)
        if weights.dtype == torch.bool:
            return _sorted(values[weights], None)
        weights = weights.double()
        if not bool((torch.isfinite(weights) & (weights >= 0)).all()):
            raise InputError("weights must be finite numbers, 0 or more")
        order = torch.from_numpy(np.argsort(values.numpy())) if on_cpu else values.argsort()
        order = order[weights[order] > 0]
        return values[order], weights[order]
    return torch.from_numpy(np.sort(values.numpy())) if on_cpu else values.sort().values, None


class _PrefixSums:
    """Sums of the first n values for any n, in float64: whole rows from a table, the rest added on call."""

    ROW = 64

    def __init__(self, values: Tensor) -> None:
        self.values = values
        rows = values[: len(values) // self.ROW * self.ROW].view(-1, self.ROW)
        if rows.device.type == "cpu":  # NumPy does not wait for the threads of busy cores
            sums = torch.from_numpy(rows.numpy().sum(1, dtype=np.float64).cumsum())
        else:
            sums = rows.sum(1, dtype=torch.float64).cumsum(0)
        self.table = torch.cat([sums.new_zeros(1), sums])

    def __call__(self, n: np.ndarray) -> np.ndarray:
        end = torch.from_numpy(n).to(self.values.device)
        row = end // self.ROW
        index = row[:, None] * self.ROW + torch.arange(self.ROW, device=end.device)
        rest = self.values[index.clamp(max=len(self.values) - 1)].double() * (index < end[:, None])
        return (self.table[row] + rest.sum(1)).cpu().numpy()


def _pick(values: Tensor, index: np.ndarray) -> np.ndarray:
    if values.device.type == "cpu":
        return values.numpy()[index]
    return values[torch.from_numpy(index).to(values.device)].cpu().numpy()
