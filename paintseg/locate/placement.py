"""A box or a coarse mask drawn beside its object, brought to it. Both are ours.

A box is put to places around its own, and a place is taken where what is found in the box is cut off more cheaply from
the rest of the photo (the normalised cut of Shi & Malik 2000): a box that cuts through its object pays for it, one with
room around its object does not. A coarse mask, which has the object's shape, is put to where the mask itself is cut off
most cheaply.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor

from ..config import Config
from ..ops.boxes import PixelBox, bounding_box
from ..ops.images import size_of
from ..views.frames import Frame
from .region import standardise
from .walks import Walk, log_survival, walk_over

PLACES = 9  # along each axis
_SHIFT = 0.5  # what the squared distance from the place drawn costs a box, in sides
_GAIN = 0.1  # share by which another place must be cheaper than the one drawn
_PIXELS = 4  # of a patch, along either side, that masks are compared on
_MASK_SHIFT = 0.3  # what the squared distance costs a mask; its shape says more than a box's, and leads further
_MOST = 1600  # patches that places of a box are compared on; every place costs a system of equations
_FEWEST = 4  # patches along a side of a box, below which nothing can be told of it
_TELLS = 0.5  # of a patch, by which a box must move, or the move is no more than where it happens to lie on the grid
_WHOLE = 0.97  # of its area must stay on the photo, or a box would be moved to where it is smaller


def place_box(box: PixelBox, frame: Frame, config: Config, size: tuple[int, int]) -> PixelBox:
    """The same box at the best of 9 x 9 places, up to `Config.settle_reach` of its sides away.

    A place costs the normalised cut of what is found there, and `_SHIFT` times the squared distance from the place
    drawn (in sides). People draw boxes better than chance would: a place must be cheaper by the share `_GAIN` than the
    one drawn, and hold no less than it. A part of an object, without its head, is often cut off more cheaply than all
    of it.

    Args:
        box: (x0, y0, x1, y1) in photo pixels.
        frame: the whole photo as the encoder sees it, with keys.
        size: (H, W) of the photo.

    Returns the box itself when it fits, and where nothing can be told: when nothing stands out in it.
    """
    frame = frame.walked()
    keys = frame.need_keys().cpu()  # many small decisions, each of which would wait for a GPU
    finer = (frame.grid[0] * frame.grid[1] / _MOST) ** 0.5
    if finer > 1:
        rows, columns = (max(2, round(side / finer)) for side in frame.grid)
        keys = F.adaptive_avg_pool2d(F.normalize(keys, dim=1), (rows, columns))
    grid = size_of(keys)
    x0, y0, x1, y1 = box
    wide, high = x1 - x0, y1 - y0
    if min(wide * grid[1] / size[1], high * grid[0] / size[0]) < _FEWEST:
        return box
    walk = walk_over(keys)

    def place(across: float, down: float) -> PixelBox:
        return _on_photo((x0 + across * wide, y0 + down * high, x1 + across * wide, y1 + down * high), size)

    @cache  # the place drawn is compared with every other one
    def found_at(across: float, down: float) -> Tensor | None:
        return _found(walk, cells_in(place(across, down), grid, size), config)

    drawn = found_at(0.0, 0.0)
    held = 0 if drawn is None else int(drawn.sum())

    def cost(across: float, down: float) -> float | None:
        there = place(across, down)
        if (there[2] - there[0]) * (there[3] - there[1]) < _WHOLE * wide * high:
            return None
        found = found_at(across, down)
        if found is None or int(found.sum()) < held:
            return None
        return walk.normalised_cut(found.flatten().to(walk.usual.dtype))

    across, down = _cheapest(cost, _SHIFT, config) or (0.0, 0.0)
    tells = max(abs(across) * wide * grid[1] / size[1], abs(down) * high * grid[0] / size[0]) > _TELLS
    return place(across, down) if tells else box


def place_mask(mask: Tensor, frame: Frame, config: Config) -> Tensor:
    """A coarse mask at the best of 9 x 9 places, up to `Config.settle_reach` of its box's sides away.

    A place costs the normalised cut of the mask there, and the squared distance as for `place_box`; it must be cheaper
    by the share `_GAIN` than the one drawn.

    Args:
        mask: H x W in [0, 1], not empty.
        frame: the whole photo as the encoder sees it, with keys.
    """
    frame = frame.walked()
    walk = walk_over(frame.need_keys().cpu())
    # Places are compared on a few pixels per patch, however large the photo is.
    size = [min(side, _PIXELS * cells) for side, cells in zip(mask.shape, frame.grid, strict=True)]
    small = F.interpolate(mask[None, None], size, mode="area")[0, 0]

    def cost(across: float, down: float) -> float | None:
        place = _moved(small, across, down)
        if float(place.sum()) < _WHOLE * float(small.sum()):
            return None
        return walk.normalised_cut(F.interpolate(place[None, None], frame.grid, mode="area").flatten())

    moved = _cheapest(cost, _MASK_SHIFT, config)
    return _moved(mask, *moved) if moved else mask


def _cheapest(cost: Callable[[float, float], float | None], shift: float, config: Config) -> tuple[float, float] | None:
    """How far (across, down), in sides, the cheapest of `PLACES` x `PLACES` places lies from the one drawn.

    Every second place is tried, and then those around the best of them: half of the work, and the same places.

    Args:
        cost: of a place, None where it is out of the question. shift: what the squared distance costs beside it.

    Returns None when no other place is cheaper by the share `_GAIN`, or the one drawn has no price to compare with.
    """
    most = PLACES // 2
    step = config.settle_reach / most

    @cache
    def price(across: int, down: int) -> float:
        there = cost(step * across, step * down)
        return float("inf") if there is None else there + shift * step**2 * (across**2 + down**2)

    near = min(product(range(-most, most + 1, 2), repeat=2), key=lambda place: price(*place))
    across, down = (range(max(one - 1, -most), min(one + 1, most) + 1) for one in near)
    best = min(product(across, down), key=lambda place: price(*place))
    return (step * best[0], step * best[1]) if price(*best) < (1 - _GAIN) * price(0, 0) < float("inf") else None


def _moved(mask: Tensor, across: float, down: float) -> Tensor:
    """H x W moved by shares of its box's sides; what leaves it is lost, what comes in is 0."""
    x0, y0, x1, y1 = bounding_box(mask[None, None]) or (0, 0, 0, 0)
    right, below = round(across * (x1 - x0)), round(down * (y1 - y0))
    return F.pad(mask, (right, -right, below, -below))


def cells_in(box: PixelBox, grid: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """h x w bool: the grid cells whose centre lies in a box of a photo of `size` (H, W)."""
    xs = (torch.arange(grid[1]) + 0.5) * size[1] / grid[1]
    ys = (torch.arange(grid[0]) + 0.5) * size[0] / grid[0]
    return ((ys >= box[1]) & (ys < box[3]))[:, None] & ((xs >= box[0]) & (xs < box[2]))[None]


def _found(walk: Walk, free: Tensor, config: Config) -> Tensor | None:
    """h x w bool: the patches of `free` that walks hardly leave; None where that tells nothing apart."""
    chosen = free.flatten()
    if int(chosen.sum()) < 2 or chosen.all():
        return None
    survival = log_survival(walk, chosen)[chosen]
    found = torch.zeros_like(free)
    found[free] = standardise(survival) > 0
    return found if found.any() else None


def _on_photo(box: tuple[float, float, float, float], size: tuple[int, int]) -> PixelBox:
    """The box in whole pixels, cut to the photo."""
    x0, y0, x1, y1 = (round(side) for side in box)
    return max(0, x0), max(0, y0), min(size[1], x1), min(size[0], y1)
