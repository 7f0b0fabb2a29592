"""Which corners of a permutohedral lattice lie around every point, and which lie next to them (see lattice.py).

There is no hash table. The lattice is the points of d + 1 whole coordinates that sum to 0 and leave the same remainder
k modulo d + 1. So the corners fall into d + 1 classes, and within class k coordinate i is (d + 1) * cell_i + k. The
first d cells, packed into one whole number, are the key. Class by class the keys of all points are sorted, equal
neighbours become one corner, and the next corner along a direction, whose key differs by a constant, is found by
binary search.

The same lines run on NumPy arrays for the CPU and on torch tensors elsewhere (`xp` is the library).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..ops.memory import sent

Array = np.ndarray | Tensor

_CHUNK = 1 << 13  # points embedded at a time on a CPU: temporaries stay in the cache
_CHUNK_ELSEWHERE = 1 << 20  # on a GPU: bounds the memory
_NOBODY = 1 << 62  # a key above all that there are: they take up to 53 bits
_MARGIN = 3  # cells beyond the points': corners lie up to 2 below and 1 above, their neighbours 1 further


class Tables(NamedTuple):
    """What a lattice knows, NumPy arrays on a CPU, else tensors.

    Attributes:
        corners: N x (d + 1), int32; the corners around every point. Every class has as many places, m, as the largest
            has corners; what is left over is nobody's.
        weights: N x (d + 1), float32; the share of every corner.
        after, before: (d + 1) x (d + 1) m, int32; the next corners along every direction, (d + 1) m for a missing one.
        size: number of corners that some point touches.
    """

    corners: Array
    weights: Array
    after: Array
    before: Array
    size: int


def build_tables(planes: Array) -> Tables:
    """The lattice of d x N features, float32."""
    (d, n), xp, like = planes.shape, library(planes), _device(planes)
    basis, origin, steps, bits = _frame(planes)
    strides = _there(np.array(steps), planes)
    packed = xp.empty((d + 1, n), dtype=xp.int64, **like)
    weights = xp.empty((n, d + 1), dtype=xp.float32, **like)
    step = _CHUNK if xp is np else _CHUNK_ELSEWHERE
    for start in range(0, n, step):
        part = slice(start, min(n, start + step))
        # in float64 because some GPUs are set to round float32 products
        cells = xp.asarray(basis @ xp.asarray(planes[:, part], dtype=xp.float64), dtype=xp.float32)
        keys, weights[part] = _embed(cells, origin, strides)
        # the place of a key among all corners of all points rides along in the low bits of what is sorted
        place = xp.arange(part.start, part.stop, **like) * (d + 1) + xp.arange(d + 1, **like)[:, None]
        packed[:, part] = keys << bits | place

    corners = xp.empty((n, d + 1), dtype=xp.int32, **like)
    flat, found, last = corners.reshape(-1), [], []
    together = 1 if xp is np else d + 1  # classes: one fits a processor's cache, all at once keep a GPU busy
    for start in range(0, d + 1, together):
        rows = _sort(packed[start : start + together])
        keys = rows >> bits
        new = xp.ones(keys.shape, dtype=bool, **like)
        new[:, 1:] = keys[:, 1:] != keys[:, :-1]
        number = xp.cumsum(new, 1, dtype=xp.int32) - 1
        flat[rows & ((1 << bits) - 1)] = number
        found.append(_first_of_each(keys, new, number))
        last.append(number[:, -1])
    sizes = [one + 1 for one in xp.concatenate(last).tolist()]  # how many they are is asked once for all classes
    known = _side_by_side(found, max(sizes), planes)
    corners += _there(np.arange(d + 1, dtype=np.int32) * max(sizes), planes)
    return Tables(corners, weights, *_neighbours(known, steps), sum(sizes))


def _first_of_each(keys: Array, new: Array, number: Array) -> Array:
    """Sorted keys, c x n, each once; on a GPU in front of as many as there were, since counting waits for it.

    Args:
        new: where another key than the one before begins. number: of each key, how many other ones are below it.
    """
    if isinstance(keys, Tensor):
        return torch.full_like(keys, _NOBODY).scatter_(1, torch.as_tensor(number).long(), keys)
    return keys[new][None]


def _side_by_side(found: list[Array], most: int, planes: Array) -> Array:
    """The keys of all classes, (d + 1) x most; a class with fewer ends with keys that no corner has."""
    if isinstance(planes, Tensor):
        return torch.cat([torch.as_tensor(keys)[:, :most] for keys in found])
    known = np.full((len(found), most), _NOBODY)
    for row, keys in zip(known, found, strict=True):
        row[: keys.size] = keys
    return known


def _frame(planes: Array) -> tuple[Array, Array, list[int], int]:
    """How the points of d x N planes are packed.

    Returns:
        The map from features to cells, (d + 1) x d; the lowest cells, d + 1; what a step of each cell adds to
        a key, d + 1 (the last cell follows from the others and adds 0); the low bits a key leaves free.
    """
    (d, n), xp = planes.shape, library(planes)
    # the deviation, in lattice units, of blurring by (1/2, 1, 1/2) along all directions (Adams et al., 3.2)
    deviation = math.sqrt(2 / 3) * (d + 1)
    basis = np.zeros((d + 1, d))
    for j in range(d):
        unit = deviation / math.sqrt((j + 1) * (j + 2)) / (d + 1)
        basis[: j + 1, j] = unit
        basis[j + 1, j] = -(j + 1) * unit
    low, high = np.array(xp.stack([xp.amin(planes, 1), xp.amax(planes, 1)]).tolist())
    if not np.isfinite(low + high).all():
        raise InputError("features must be finite; they contain NaN or infinity")
    up, down = basis.clip(min=0), basis.clip(max=0)
    origin = np.floor(up @ low + down @ high) - _MARGIN
    reach = np.ceil(up @ high + down @ low) + _MARGIN - origin + 1
    sizes, bits = [int(size) for size in reach[:d]], (n * (d + 1) - 1).bit_length()
    # beyond 2^16 cells float32 has too few digits left to tell where in a cell a point lies
    if max(sizes) > 1 << 16 or math.prod(sizes) >= 1 << min(53, 62 - bits):
        raise InputError("features reach over too many standard deviations; make the deviations larger")
    return _there(basis, planes), _there(origin, planes), [math.prod(sizes[i + 1 :]) for i in range(d)] + [0], bits


def _embed(cells: Array, origin: Array, strides: Array) -> tuple[Array, Array]:
    """The simplex around every point.

    Args:
        cells: (d + 1) x n, coordinates of the points in cells (lattice units / (d + 1)).
        origin, strides: see `_frame`.

    Returns keys of the corners of class 0..d, (d + 1) x n, int64, and the points' weights there, n x (d + 1).
    """
    (corners, n), xp, like = cells.shape, library(cells), _device(cells)
    nearest = xp.round(cells)
    rest = cells - nearest
    # rounding leaves the lattice by the sum of the cells; that many coordinates are rounded the other way
    rank = _ranks(rest) + xp.asarray(nearest.sum(0), dtype=xp.int8)
    turn = -(rank // corners)
    rank += turn * corners
    nearest += turn
    rest -= turn
    place = (xp.asarray(rank, dtype=xp.int64) * n + xp.arange(n, **like)).reshape(-1)
    falling, step = xp.empty_like(rest), xp.empty((corners, n), dtype=xp.int64, **like)
    falling.reshape(-1)[place] = rest.reshape(-1)
    step.reshape(-1)[place] = strides.repeat_interleave(n) if isinstance(strides, Tensor) else strides.repeat(n)

    weights = xp.empty((corners, n), dtype=xp.float32, **like)
    weights[0] = 1 - (falling[0] - falling[-1])
    weights[1:] = xp.flip(falling[:-1] - falling[1:], (0,))
    keys = xp.empty((corners, n), dtype=xp.int64, **like)
    keys[0] = xp.asarray(strides, dtype=xp.float64) @ (nearest - origin[:, None])
    # a corner of class k is one cell lower in the k coordinates of the highest ranks
    keys[1:] = keys[0] - xp.cumsum(xp.flip(step[1:], (0,)), 0)
    return keys, weights.T


def _ranks(rest: Array) -> Array:
    """How many values of a column are above each, of equal ones the first counting as above; c x n, int8."""
    if isinstance(rest, Tensor):
        order = rest.argsort(dim=0, descending=True, stable=True)
        places = torch.arange(len(rest), device=rest.device, dtype=torch.int8)[:, None].expand_as(order)
        return torch.empty_like(order, dtype=torch.int8).scatter_(0, order, places)
    rank = np.zeros(rest.shape, dtype=np.int8)
    for i in range(len(rest) - 1):
        smaller = (rest[i] < rest[i + 1 :]).view(np.int8)
        rank[i] += smaller.sum(0, dtype=np.int8)
        rank[i + 1 :] += 1 - smaller
    return rank


def _neighbours(known: Array, steps: list[int]) -> tuple[Array, Array]:
    """`after` and `before` of `Tables`, from the keys of every class, (d + 1) x most.

    Along direction j coordinate j grows by d while all others fall by 1, and the other way round.
    """
    (corners, most), xp, like = known.shape, library(known), _device(known)
    # towards `before` the others grow by 1, hence the class too; after class d the cells do instead
    carry = np.array([0] * (corners - 1) + [sum(steps)])
    wanted = known[:, None] + _there(carry[:, None] - np.array(steps), known)[..., None]
    following = xp.roll(known, -1, 0)
    place = _search(following, wanted.reshape(corners, -1))
    place[place == most] = 0
    direction = xp.arange(corners, **like)[:, None]
    there = (following[direction, place].reshape(wanted.shape) == wanted) & (known != _NOBODY)[:, None]
    first = _there(np.roll(np.arange(corners), -1) * most, known)[:, None, None]
    size = corners * most
    found = xp.where(there, place.reshape(wanted.shape) + first, size)
    before = xp.asarray(xp.moveaxis(found, 0, 1).reshape(corners, size), dtype=xp.int32)
    after = xp.full((corners, size + 1), size, dtype=xp.int32, **like)
    after[direction, before] = xp.arange(size, dtype=xp.int32, **like)
    return after[:, :-1], before


def _search(known: Array, wanted: Array) -> Array:
    """Where values belong in sorted rows, row by row."""
    if isinstance(known, Tensor):
        return torch.searchsorted(known, torch.as_tensor(wanted))
    return np.stack([row.searchsorted(values) for row, values in zip(known, wanted, strict=True)])


def _sort(rows: Array) -> Array:
    if isinstance(rows, Tensor):
        return rows.sort(1).values
    rows.sort(1)
    return rows


def library(array: Array) -> Any:
    """The module that works on the array: torch or NumPy."""
    return torch if isinstance(array, Tensor) else np


def _there(values: np.ndarray, array: Array) -> Array:
    """The values beside an array: a tensor where that is one."""
    return sent(torch.from_numpy(values), array.device) if isinstance(array, Tensor) else values


def _device(array: Array) -> dict[str, Any]:
    """Keywords that make torch put a new tensor beside the array; NumPy needs none."""
    return {"device": array.device} if isinstance(array, Tensor) else {}
