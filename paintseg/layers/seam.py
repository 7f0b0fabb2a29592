"""Seams: what was painted joined to the photo so that no rim shows.

Two steps. The painter's colours are moved, smoothly over the whole hole, by what they are off along its edge
(the membrane of Perez et al. 2003, "Poisson Image Editing", by pull and push, Gortler et al. 1996). Then
photo and painting are faded into one another inside the hole's edge.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import Tensor

from ..ops.boxes import PixelBox, bounding_box
from ..ops.images import pull_push, size_of

GRAIN = 8
"""Pixels over which an offset along the edge is averaged: texture is no offset."""

LARGEST_OFFSET = 0.15
"""A painting that is further off is another scene's colour, not an offset, and is left as it is."""


def join(photo: Tensor, filled: Tensor, hole: Tensor, width: int, box: PixelBox | None = None) -> Tensor:
    """The photo with the hole filled.

    Args:
        photo: 3 x H x W in [0, 1]. hole: H x W bool.
        filled: 3 x H x W in [0, 1], or the part of it inside `box`.
        width: pixels inside the hole's edge where the photo is still background: the fade's width.
        box: (x0, y0, x1, y1) around the hole, in pixels of the photo; None: all of it.

    Returns 3 x H x W in [0, 1], or that part of it, the photo bit for bit outside the hole.
    """
    size = size_of(photo)
    x0, y0, x1, y1 = box or (0, 0, size[1], size[0])
    left, top = max(0, x0 - 1), max(0, y0 - 1)  # with the pixels just outside, from which the depth is counted
    around = hole[top : y1 + 1, left : x1 + 1]
    photo, hole = photo[:, y0:y1, x0:x1], hole[y0:y1, x0:x1]
    if width < 1:
        return torch.where(hole, filled, photo)
    depth = depth_inside(around)[y0 - top : y1 - top, x0 - left : x1 - left].to(photo)
    edge = hole & (depth <= width)
    moved = membrane(photo - filled, edge, size, (x0, y0)).add_(filled).clamp_(0, 1)
    share = (depth / (width + 1)).clamp(0, 1)
    share = share * share * (3 - 2 * share)
    return torch.where(hole, moved.sub_(photo).mul_(share).add_(photo), photo)


def membrane(
    offset: Tensor, known: Tensor, size: tuple[int, int] | None = None, corner: tuple[int, int] = (0, 0)
) -> Tensor:
    """A smooth field through what is known of it.

    Args:
        offset: C x h x w. known: h x w bool, where `offset` counts.
        size: (H, W) of the view the field spans, of which `offset` is the part at `corner` (x, y); nothing is known in
            the rest. None: there is no rest.

    Returns C x h x w, at most `LARGEST_OFFSET` from 0; nothing where nothing is known.
    """
    height, width = size or offset.shape[-2:]
    (left, top), (h, w) = corner, offset.shape[-2:]
    # Averages are taken on the view's own grid, lest they depend on where the part begins.
    (before, after), (above, below) = _room(left, w, width), _room(top, h, height)
    weight = known[None, None].to(offset)
    values = F.pad(torch.cat([offset[None] * weight, weight], 1), (before, after, above, below))
    part = F.avg_pool2d(values, GRAIN, ceil_mode=True, count_include_pad=False)
    coarse = part.new_zeros(1, part.shape[1], -(-height // GRAIN), -(-width // GRAIN))
    row, column = top // GRAIN, left // GRAIN
    coarse[..., row : row + part.shape[2], column : column + part.shape[3]] = part
    field = pull_push(coarse[:, :-1], coarse[:, -1:])
    planes = (
        F.interpolate(field[:, [number]], (height, width), mode="bilinear", align_corners=False)
        for number in range(len(offset))
    )
    smooth = torch.cat([plane[0, :, top : top + h, left : left + w] for plane in planes])
    return smooth.clamp_(-LARGEST_OFFSET, LARGEST_OFFSET)


def _room(start: int, length: int, limit: int) -> tuple[int, int]:
    """Pixels before and after a span that complete it to cells of `GRAIN` pixels, the last one cut at `limit`."""
    end = start + length
    return start % GRAIN, min(limit, -(-end // GRAIN) * GRAIN) - end


def depth_inside(region: Tensor) -> Tensor:
    """Distance in pixels of every pixel of a region, H x W bool, to the nearest one outside.

    The photo's border is no outside; a region without an outside is infinitely deep.
    """
    box = bounding_box(region[None, None])
    depth = torch.zeros(region.shape)
    if box is None:
        return depth
    x0, y0, x1, y1 = max(0, box[0] - 1), max(0, box[1] - 1), box[2] + 1, box[3] + 1
    inside = region[y0:y1, x0:x1].cpu().numpy()
    if inside.all():
        return depth.fill_(np.inf)
    depth[y0:y1, x0:x1] = torch.from_numpy(ndimage.distance_transform_edt(inside)).float()
    return depth
