"""A box or a coarse mask drawn beside its object, brought to it.

With a box two things are tried, both with walks between the encoder's patches (affinity.py) and both ours. First it
is put to places around its own, and the place is taken where what is found in the box is cut off most cheaply from the
rest of the photo (the normalised cut of Shi & Malik 2000): a box that cuts through its object pays for it. Then a side
that has a gap while the other side cuts something off is moved out. A coarse mask, which has the object's shape, is put
to where the mask itself is cut off most cheaply.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor

from .affinity import Walk, log_survival, walk_over
from .config import Config
from .frames import Frame
from .locate import standardise
from .morphology import Box, bounding_box

PLACES = 9  # along each axis
_PIXELS = 4  # of a patch, along either side, that masks are compared on
_MASK_SHIFT = 0.3  # what the squared distance costs a mask; its shape says more than a box's, and leads further
_MOST = 1600  # patches that places of a box are compared on; every place costs a system of equations
_TOO_FEW = 6  # patches in a box below which nothing can be found in it
_TELLS = 0.5  # of a patch, below which a gap is no more than where a box happens to lie on the grid
_WHOLE = 0.97  # of its area must stay on the photo, or a box would be moved to where it is smaller


def settle_box(box: Box, frame: Frame, config: Config, size: tuple[int, int]) -> Box:
    """The box where the object seems to be; the box itself when it fits.

    Args:
        box: (x0, y0, x1, y1) in photo pixels.
        frame: the whole photo as the encoder sees it, with keys.
        config: the parameters; `settle_reach` 0 leaves out the first thing, `settle_rounds` 0 the second.
        size: (H, W) of the photo.
    """
    frame = replace(frame, keys=frame.keys.cpu())  # many small decisions, each of which would wait for a GPU
    if config.settle_reach:
        box = place_box(box, frame, config, size)
    return widen_box(box, frame, config, size) if config.settle_rounds else box


def place_box(box: Box, frame: Frame, config: Config, size: tuple[int, int]) -> Box:
    """The same box at the best of 9 x 9 places, up to `Config.settle_reach` of its sides away.

    A place costs the normalised cut of what is found there, `settle_slack` times the squared gaps between that and the
    sides of the box (in sides), and `settle_shift` times the squared distance from the place drawn (in sides). People
    draw boxes better than chance would: a place must be cheaper by the share `settle_gain` than the one drawn.
    Arguments as for `settle_box`.
    """
    keys = frame.keys
    finer = (frame.grid[0] * frame.grid[1] / _MOST) ** 0.5
    if finer > 1:
        keys = F.adaptive_avg_pool2d(F.normalize(keys, dim=1), [max(2, round(side / finer)) for side in frame.grid])
    grid = tuple(keys.shape[-2:])
    walk = walk_over(keys, config.affinity_beta)
    x0, y0, x1, y1 = box
    wide, high = x1 - x0, y1 - y0

    def place(across: float, down: float) -> Box:
        return _on_photo((x0 + across * wide, y0 + down * high, x1 + across * wide, y1 + down * high), size)

    def cost(across: float, down: float) -> float | None:
        there = place(across, down)
        if (there[2] - there[0]) * (there[3] - there[1]) < _WHOLE * wide * high:
            return None
        found = _found(walk, cells_in(there, grid, size), config)
        if found is None:
            return None
        cut = walk.normalised_cut(found.flatten().to(walk.usual.dtype))
        return cut + config.settle_slack * sum(max(0.0, gap) ** 2 for gap in _gaps(there, found, size))

    moved = _cheapest(cost, config.settle_shift, config)
    return place(*moved) if moved else box


def place_mask(mask: Tensor, frame: Frame, config: Config) -> Tensor:
    """A coarse mask at the best of 9 x 9 places, up to `Config.settle_reach` of its box's sides away.

    A place costs the normalised cut of the mask there, and the squared distance as for `place_box`; it must be cheaper
    by the share `settle_gain` than the one drawn.

    Args:
        mask: H x W in [0, 1], not empty.
        frame: the whole photo as the encoder sees it, with keys.
    """
    walk = walk_over(frame.keys.cpu(), config.affinity_beta)
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


def _cheapest(
    cost: Callable[[float, float], float | None], shift: float, config: Config
) -> tuple[float, float] | None:
    """How far (across, down), in sides, the cheapest of `PLACES` x `PLACES` places lies from the one drawn.

    Args:
        cost: of a place, None where it is out of the question. shift: what the squared distance costs beside it.

    Returns:
        None when no other place is cheaper by the share `Config.settle_gain`.
    """
    best, least, drawn = None, float("inf"), float("inf")
    steps = torch.linspace(-config.settle_reach, config.settle_reach, PLACES).tolist()
    for down, across in product(steps, steps):
        price = cost(across, down)
        if price is None:
            continue
        price += shift * (across**2 + down**2)
        if price < least:
            best, least = (across, down), price
        if abs(across) + abs(down) < 1e-6:
            drawn = price
    return best if least < (1 - config.settle_gain) * drawn else None


def _moved(mask: Tensor, across: float, down: float) -> Tensor:
    """H x W moved by shares of its box's sides; what leaves it is lost, what comes in is 0."""
    x0, y0, x1, y1 = bounding_box(mask[None, None]) or (0, 0, 0, 0)
    right, below = round(across * (x1 - x0)), round(down * (y1 - y0))
    return F.pad(mask, (right, -right, below, -below))


def widen_box(box: Box, frame: Frame, config: Config, size: tuple[int, int]) -> Box:
    """The box, widened where it cuts its object off.

    A box that fits has the object at all four sides. Where what is found in it leaves a gap at one side and is cut
    off by the other, the box is widened beyond that other side by the gap, `Config.settle_rounds` times at most.
    Arguments as for `settle_box`.
    """
    to_x, to_y = size[1] / frame.grid[1], size[0] / frame.grid[0]
    walk = walk_over(frame.keys, config.affinity_beta)
    for _ in range(config.settle_rounds):
        free = cells_in(box, frame.grid, size)
        found = _found(walk, free, config) if int(free.sum()) >= _TOO_FEW else None
        if found is None:
            return box
        x0, y0, x1, y1 = box
        left, top, right, bottom = _gaps(box, found, size, sides=False)
        across = max(config.settle_gap * (x1 - x0), _TELLS * to_x)
        down = max(config.settle_gap * (y1 - y0), _TELLS * to_y)
        moved = (
            max(0, round(x0 - right)) if right > across and left < to_x else x0,
            max(0, round(y0 - bottom)) if bottom > down and top < to_y else y0,
            min(size[1], round(x1 + left)) if left > across and right < to_x else x1,
            min(size[0], round(y1 + top)) if top > down and bottom < to_y else y1,
        )
        if moved == box:
            break
        box = moved
    return box


def cells_in(box: Box, grid: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """h x w bool: the grid cells whose centre lies in a box of a photo of `size` (H, W)."""
    xs = (torch.arange(grid[1]) + 0.5) * size[1] / grid[1]
    ys = (torch.arange(grid[0]) + 0.5) * size[0] / grid[0]
    return ((ys >= box[1]) & (ys < box[3]))[:, None] & ((xs >= box[0]) & (xs < box[2]))[None]


def _found(walk: Walk, free: Tensor, config: Config) -> Tensor | None:
    """h x w bool: the patches of `free` that walks hardly leave; None where that tells nothing apart."""
    chosen = free.flatten()
    if int(chosen.sum()) < 2 or chosen.all():
        return None
    survival = log_survival(walk, chosen, config.affinity_source)[chosen]
    found = torch.zeros_like(free)
    found[free] = standardise(survival) > 0
    return found if found.any() else None


def _gaps(box: Box, found: Tensor, size: tuple[int, int], sides: bool = True) -> tuple[float, float, float, float]:
    """Gaps left, above, right and below between what is found, h x w bool, and a box; in sides or in pixels."""
    to_x, to_y = size[1] / found.shape[1], size[0] / found.shape[0]
    inner = bounding_box(found[None, None])
    wide, high = (box[2] - box[0], box[3] - box[1]) if sides else (1.0, 1.0)
    return (
        (inner[0] * to_x - box[0]) / wide,
        (inner[1] * to_y - box[1]) / high,
        (box[2] - inner[2] * to_x) / wide,
        (box[3] - inner[3] * to_y) / high,
    )


def _on_photo(box: tuple[float, float, float, float], size: tuple[int, int]) -> Box:
    """The box in whole pixels, cut to the photo."""
    x0, y0, x1, y1 = (round(side) for side in box)
    return max(0, x0), max(0, y0), min(size[1], x1), min(size[0], y1)
