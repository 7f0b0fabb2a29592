"""Gaussian filtering in many dimensions on a permutohedral lattice.

Adams, Baek & Davis, "Fast High-Dimensional Filtering Using the Permutohedral Lattice" (Eurographics 2010).
Every point is spread (splat) over the d + 1 corners of the simplex it lies in, the values at the corners are
blurred along the d + 1 directions of the lattice, and read back (slice) with the same weights. As in the
authors' implementation only corners that some point touches exist; the others count as 0.

How this one is built, without a hash table: the lattice is the points of d + 1 whole coordinates that sum to
0 and leave the same remainder k modulo d + 1. So the corners fall into d + 1 classes, and within class k
coordinate i is (d + 1) * cell_i + k. The first d cells, packed into one whole number, are the key. Class by
class the keys of all points are sorted, equal neighbours become one corner, and the next corner along a
direction, whose key differs by a constant, is found by binary search.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from .errors import InputError

# points embedded at a time: temporaries stay in the cache, and below the size torch spreads over threads
_CHUNK = 5000
_MARGIN = 3  # cells beyond the points': corners lie up to 2 below and 1 above, their neighbours 1 further


class Lattice:
    """The lattice of one set of points, built once and used for any number of values and channels.

    With d = 5 it takes about 150 bytes per point while it is built.

    Attributes:
        size: number of lattice corners that some point touches.
        points, dimensions: N and d of the features.
    """

    def __init__(self, features: Tensor) -> None:
        """Build the lattice.

        Args:
            features: N x d, finite, on CPU or CUDA; one unit is one standard deviation of the Gaussian.

        Raises:
            InputError: no N x d features, NaN or infinity, or features that reach over too many standard
                deviations for 64-bit keys (about a thousand in each of five dimensions).
        """
        if features.ndim != 2 or 0 in features.shape:
            raise InputError(f"features must be N x d, not empty; got {tuple(features.shape)}")
        planes = features.detach().float().t()
        self.dimensions, self.points = planes.shape
        self.device = planes.device
        self._build(planes)

    def filter(self, values: Tensor) -> Tensor:
        """Sum of the values of all points, weighted with the Gaussian of their distance in feature space.

        The weights carry an unknown constant factor; divide by `filter(ones)` for averages.

        Args:
            values: N x C, float32, on the features' device.

        Returns:
            N x C, float32. Deterministic on the CPU.

        Raises:
            InputError: values of another shape.
        """
        if values.ndim != 2 or len(values) != self.points:
            raise InputError(f"values must be {self.points} x C; got {tuple(values.shape)}")
        if self.device.type != "cpu":
            return self._slice(self._blur(self._splat(values.detach())))
        channels = values.detach().t().contiguous().numpy()
        filtered = np.empty_like(channels)

        def run(channel: int) -> None:
            filtered[channel] = self._filter_on_cpu(channels[channel])

        workers = min(len(channels), torch.get_num_threads())
        if workers > 1:
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(run, range(len(channels))))
        else:
            for channel in range(len(channels)):
                run(channel)
        return torch.from_numpy(filtered).t()

    def _filter_on_cpu(self, values: np.ndarray) -> np.ndarray:
        """One channel. SciPy's sparse products and NumPy's gathers are quickest here, and free the GIL."""
        corners = self._spreader @ values
        for after, before in zip(self._after.numpy(), self._before.numpy(), strict=True):
            around = corners.take(after)
            around += corners.take(before)
            around *= 0.5
            corners[:-1] += around
        return self._reader @ corners

    def _splat(self, values: Tensor) -> Tensor:
        spread = values[:, None] * self._weights[..., None]
        corners = values.new_zeros(self.size + 1, values.shape[1])
        return corners.index_add_(0, self._corners.flatten(), spread.flatten(0, 1))

    def _slice(self, corners: Tensor) -> Tensor:
        read = corners.index_select(0, self._corners.flatten()).view(*self._corners.shape, -1)
        return (read * self._weights[..., None]).sum(1)

    def _blur(self, corners: Tensor) -> Tensor:
        for after, before in zip(self._after, self._before, strict=True):
            around = corners.index_select(0, after)
            around += corners.index_select(0, before)
            corners[:-1].add_(around, alpha=0.5)
        return corners

    def _build(self, planes: Tensor) -> None:
        corners, n = self.dimensions + 1, self.points
        basis, origin, strides, bits = _frame(planes)
        packed = torch.empty(corners, n, dtype=torch.int64, device=self.device)
        self._weights = torch.empty(n, corners, device=self.device)
        step = _CHUNK if self.device.type == "cpu" else 1 << 20
        slots = torch.arange(corners, device=self.device)[:, None]
        for start in range(0, n, step):
            part = slice(start, min(n, start + step))
            cells = (basis @ planes[:, part].double()).float()  # on some GPUs float32 products are rounded
            keys, self._weights[part] = _embed(cells, origin, strides)
            # the place of a key among all corners of all points rides along in the low bits of what is sorted
            place = torch.arange(part.start, part.stop, device=self.device) * corners + slots
            packed[:, part] = keys.bitwise_left_shift_(bits).bitwise_or_(place)
        keys_of_class, first = self._number(packed, bits)
        self._link(keys_of_class, first, strides.tolist())
        if self.device.type == "cpu":
            rows = np.arange(0, n * corners + 1, corners, dtype=np.int32)
            entries = self._weights.numpy().ravel(), self._corners.numpy().ravel(), rows
            self._reader = sparse.csr_matrix(entries, shape=(n, self.size + 1))
            self._spreader = self._reader.T  # a view

    def _number(self, packed: Tensor, bits: int) -> tuple[list[Tensor], list[int]]:
        """Number the corners class by class, in the order of their keys."""
        corners, n = packed.shape
        self._corners = torch.empty(n, corners, dtype=torch.int32, device=self.device)
        flat, mask = self._corners.view(-1), (1 << bits) - 1
        keys_of_class, first = [], [0]
        for row in packed:
            row = _sort(row)
            keys = row >> bits
            new = torch.ones(n, dtype=torch.bool, device=self.device)
            torch.ne(keys[1:], keys[:-1], out=new[1:])
            number = new.cumsum(0, dtype=torch.int32).add_(first[-1] - 1)
            flat.scatter_(0, row.bitwise_and_(mask), number)
            keys_of_class.append(keys[new])
            first.append(first[-1] + len(keys_of_class[-1]))
        self.size = first[-1]
        return keys_of_class, first

    def _link(self, keys_of_class: list[Tensor], first: list[int], strides: list[int]) -> None:
        """Find the neighbours of every corner in every direction; `size` stands for a missing one.

        Along direction j coordinate j grows by d while all others fall by 1, and the other way round.
        """
        corners = len(keys_of_class)
        shape, like = (corners, self.size + 1), {"dtype": torch.int32, "device": self.device}
        after, before = torch.full(shape, self.size, **like), torch.full(shape, self.size, **like)
        every = torch.arange(self.size, **like)
        for k, keys in enumerate(keys_of_class):
            # towards `before` the others grow by 1, hence the class too; after class d the cells do instead
            target = (k + 1) % corners
            carry = sum(strides) if target == 0 else 0
            for j in range(corners):
                found, hit = _find(keys_of_class[target], keys + (carry - strides[j]))
                before[j, first[k] : first[k + 1]] = torch.where(hit, found + first[target], self.size)
        for one, other in zip(before, after, strict=True):
            other[one[:-1].long()] = every
        after[:, -1] = self.size
        self._after, self._before = after[:, :-1].contiguous(), before[:, :-1].contiguous()


def _frame(planes: Tensor) -> tuple[Tensor, Tensor, Tensor, int]:
    """How the points of d x N planes are packed.

    Returns:
        The map from features to cells, (d + 1) x d; the lowest cells, d + 1; what a step of each cell adds to
        a key, d + 1 (the last cell follows from the others and adds 0); the low bits a key leaves free.
    """
    d, n = planes.shape
    # the deviation, in lattice units, of blurring by (1/2, 1, 1/2) along all directions (Adams et al., 3.2)
    deviation = math.sqrt(2 / 3) * (d + 1)
    basis = torch.zeros(d + 1, d, dtype=torch.float64)
    for j in range(d):
        unit = deviation / math.sqrt((j + 1) * (j + 2)) / (d + 1)
        basis[: j + 1, j] = unit
        basis[j + 1, j] = -(j + 1) * unit
    low, high = planes.amin(1).cpu().double(), planes.amax(1).cpu().double()
    if not bool(torch.isfinite(low + high).all()):
        raise InputError("features must be finite; they contain NaN or infinity")
    up, down = basis.clamp(min=0), basis.clamp(max=0)
    origin = (up @ low + down @ high).floor() - _MARGIN
    sizes = ((up @ high + down @ low).ceil() + _MARGIN - origin + 1)[:d].long().tolist()
    bits = (n * (d + 1) - 1).bit_length()
    # beyond 2^16 cells float32 has too few digits left to tell where in a cell a point lies
    if max(sizes) > 1 << 16 or math.prod(sizes) >= 1 << min(53, 62 - bits):
        raise InputError("features reach over too many standard deviations; make the deviations larger")
    strides = [math.prod(sizes[i + 1 :]) for i in range(d)] + [0]
    device = planes.device
    return basis.to(device), origin.to(device), torch.tensor(strides, device=device), bits


def _embed(cells: Tensor, origin: Tensor, strides: Tensor) -> tuple[Tensor, Tensor]:
    """The simplex around every point.

    Args:
        cells: (d + 1) x n, coordinates of the points in cells (lattice units / (d + 1)).
        origin, strides: see `_frame`.

    Returns:
        Keys of the corners of class 0..d, (d + 1) x n, int64, and the points' weights there, n x (d + 1).
    """
    corners, n = cells.shape
    nearest = cells.round()
    rest = cells.sub_(nearest)
    # rounding leaves the lattice by the sum of the cells; that many coordinates are rounded the other way
    rank = nearest.sum(0).to(torch.int8).repeat(corners, 1)
    for i in range(corners - 1):
        smaller = (rest[i] < rest[i + 1 :]).view(torch.int8)
        rank[i] += smaller.sum(0, dtype=torch.int8)
        rank[i + 1 :] += 1 - smaller
    turn = (rank < 0).to(torch.int8) - (rank >= corners).to(torch.int8)
    rank += turn * corners
    nearest += turn
    rest -= turn
    order = rank.long()
    falling = torch.empty_like(rest).scatter_(0, order, rest)
    step = torch.empty_like(order).scatter_(0, order, strides[:, None].expand(-1, n))

    rising = falling.flip(0)
    weights = torch.empty(n, corners, device=cells.device)
    weights[:, 0] = 1 - (falling[0] - falling[-1])
    weights[:, 1:] = (rising[1:] - rising[:-1]).t()
    # a corner of class k is one cell lower in the k coordinates of the highest ranks
    keys = step.flip(0).roll(1, 0)
    keys[0] = (strides.double() @ (nearest.double() - origin[:, None])).long()
    keys[1:].neg_()
    return keys.cumsum(0), weights


def _sort(row: Tensor) -> Tensor:
    if row.device.type != "cpu":
        return row.sort().values
    row.numpy().sort()  # in place, and many times quicker than torch for whole numbers
    return row


def _find(ordered: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Places of the wanted keys among ordered ones, and whether they are there."""
    if ordered.device.type == "cpu":  # NumPy makes use of the wanted keys being in order too
        place = torch.from_numpy(np.searchsorted(ordered.numpy(), wanted.numpy()))
    else:
        place = torch.searchsorted(ordered, wanted)
    place.clamp_(max=len(ordered) - 1)
    return place, ordered[place] == wanted
