"""Detail: what a painting lacks that was painted small, borrowed from where the photo looks alike.

Large holes are painted at the painter's size and enlarged, which leaves them blurred. The photo around the
hole is known at both resolutions; what the small one misses there (the residual) is carried to the places of
the painting that look like it, patch by patch, as in "Contextual Residual Aggregation" (Yi et al., CVPR 2020,
arXiv 2005.09704), with the nearest patch in place of learned attention. It invents no structure: edges stay
as soft as they were painted unless the photo has like ones.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..ops.boxes import PixelBox
from ..ops.images import resize, size_of
from ..ops.morphology import dilate

PATCH = 5
"""Side in pixels, at the painted size, of the patches that are compared."""

STEP = 3
"""Pixels between the patches that are looked up; they overlap by as much again."""

SOURCES = 6000
"""Patches of the surroundings that are offered, spread evenly."""


BAND = 256
"""Rows that are looked up at once: a large hole in one go would take several times the photo's memory."""


def add_detail(photo: Tensor, hole: Tensor, painting: Tensor, box: PixelBox | None = None) -> Tensor:
    """Enlarge a painting to the photo's size and give it the photo's grain.

    Args:
        photo: 3 x H x W. hole: H x W bool. painting: 3 x h x w, the same view painted smaller.
        box: (x0, y0, x1, y1) of what is wanted, in pixels of the photo; None: all of it.

    Returns 3 x H x W in [0, 1], or that part of it; only the hole is meant to be used.
    """
    size, small = size_of(photo), size_of(painting)
    x0, y0, x1, y1 = box or (0, 0, size[1], size[0])
    rows, columns = slice(y0, y1), slice(x0, x1)
    if small == size:
        return painting[:, rows, columns].float()
    covered = F.interpolate(hole[None, None].float(), small, mode="area")[0, 0] > 0
    match = nearest_patches(painting, covered)
    filled, residual = photo.new_empty(len(photo), y1 - y0, x1 - x0), []
    for number, plane in enumerate(photo):  # colour by colour: of a large view all three are 400 MB
        enlarged = resize(painting[None, number : number + 1], size)[0, 0]
        filled[number] = enlarged[rows, columns]
        if match is not None:
            known = torch.where(hole, enlarged, plane)  # so that nothing of the object is in the residual
            del enlarged
            residual.append(known.sub_(resize(resize(known[None, None], small), size)[0, 0]))
    if match is None:
        return filled
    for top in range(y0, y1, BAND):
        band = slice(top, min(y1, top + BAND))
        filled[:, band.start - y0 : band.stop - y0] += _carry(residual, match, small, band, columns)
    return filled.clamp_(0, 1)


def nearest_patches(painting: Tensor, hole: Tensor) -> Tensor | None:
    """For every `STEP`-th patch of the hole the patch outside it that looks most alike.

    Args:
        painting: 3 x h x w. hole: h x w bool.

    Returns:
        2 x rows x columns, where to look, (down, right) in pixels from the patch itself; 0 away from the
        hole. None when there is no patch outside.
    """
    height, width = hole.shape
    apart = ~dilate(hole, PATCH // 2 + 1)
    reach = PATCH // 2 + STEP
    apart[:reach], apart[-reach:], apart[:, :reach], apart[:, -reach:] = False, False, False, False
    places = apart.nonzero()
    if len(places) == 0:
        return None
    places = places[:: -(-len(places) // SOURCES)]
    padded = F.pad(painting[None], (PATCH // 2,) * 4, mode="replicate")
    patches = F.unfold(padded, PATCH)[0].T.reshape(height, width, -1)
    rows, columns = torch.arange(STEP // 2, height, STEP), torch.arange(STEP // 2, width, STEP)
    wanted = dilate(hole, STEP)[rows][:, columns].nonzero()
    own = torch.stack([rows[wanted[:, 0]], columns[wanted[:, 1]]], 1)
    source = patches[places[:, 0], places[:, 1]]
    target = patches[own[:, 0], own[:, 1]]
    best = torch.cat([torch.cdist(part, source).argmin(1) for part in target.split(2048)])
    match = torch.zeros(2, len(rows), len(columns), dtype=torch.long)
    match[:, wanted[:, 0], wanted[:, 1]] = (places[best] - own).T
    return match


def _carry(residual: list[Tensor], match: Tensor, small: tuple[int, int], rows: slice, columns: slice) -> Tensor:
    """The residual at the matches of these rows and columns, overlapping patches faded into one another without
    losing contrast."""
    height, width = residual[0].shape
    sy, sx = height / small[0], width / small[1]
    y, x = torch.arange(rows.start, rows.stop)[:, None], torch.arange(columns.start, columns.stop)[None]
    # where each pixel lies on the grid of matches
    grid_y = ((y + 0.5) / sy - STEP // 2 - 0.5) / STEP
    grid_x = ((x + 0.5) / sx - STEP // 2 - 0.5) / STEP
    low_y, low_x = grid_y.floor(), grid_x.floor()
    power = torch.zeros(y.shape[0], x.shape[1])
    total = power.repeat(len(residual), 1, 1)
    for up in (0, 1):
        for left in (0, 1):
            row = (low_y + up).clamp(0, match.shape[1] - 1).long()
            column = (low_x + left).clamp(0, match.shape[2] - 1).long()
            share = (1 - (grid_y - low_y - up).abs()) * (1 - (grid_x - low_x - left).abs())
            from_y = (y + (match[0, row, column] * sy).round().long()).clamp(0, height - 1)
            from_x = (x + (match[1, row, column] * sx).round().long()).clamp(0, width - 1)
            for sum_, plane in zip(total, residual, strict=True):
                sum_ += share * plane[from_y, from_x]
            power += share.square()
    # grains of different places do not add up like one grain: their mean is weaker by the root of the squares
    return total / power.clamp_min(1e-6).sqrt()
