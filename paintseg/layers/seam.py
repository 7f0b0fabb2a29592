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

from ..morphology import bounding_box

GRAIN = 8
"""Pixels over which an offset along the edge is averaged: texture is no offset."""

LARGEST_OFFSET = 0.15
"""A painting that is further off is another scene's colour, not an offset, and is left as it is."""


def join(photo: Tensor, filled: Tensor, hole: Tensor, width: int) -> Tensor:
    """The photo with the hole filled.

    Args:
        photo, filled: 3 x H x W in [0, 1], equal in size. hole: H x W bool.
        width: pixels inside the hole's edge where the photo is still background: the fade's width.

    Returns:
        3 x H x W in [0, 1], the photo bit for bit outside the hole.
    """
    if width < 1:
        return torch.where(hole, filled, photo)
    depth = depth_inside(hole).to(photo)
    edge = hole & (depth <= width)
    moved = (filled + membrane(photo - filled, edge)).clamp(0, 1)
    share = (depth / (width + 1)).clamp(0, 1)
    share = share * share * (3 - 2 * share)
    return torch.where(hole, photo + share * (moved - photo), photo)


def membrane(offset: Tensor, known: Tensor) -> Tensor:
    """A smooth field through what is known of it.

    Args:
        offset: C x H x W. known: H x W bool, where `offset` counts.

    Returns:
        C x H x W, at most `LARGEST_OFFSET` from 0; nothing where nothing is known.
    """
    weight = known[None, None].to(offset)
    values = torch.cat([offset[None] * weight, weight], 1)
    coarse = F.avg_pool2d(values, GRAIN, ceil_mode=True, count_include_pad=False)
    field = pull_push(coarse[:, :-1], coarse[:, -1:])
    smooth = F.interpolate(field, offset.shape[-2:], mode="bilinear", align_corners=False)[0]
    return smooth.clamp(-LARGEST_OFFSET, LARGEST_OFFSET)


def pull_push(total: Tensor, weight: Tensor) -> Tensor:
    """Fill the gaps of B x C x h x w values smoothly.

    Args:
        total: values times their weight. weight: B x 1 x h x w, 0 where nothing is known.

    Returns:
        B x C x h x w: weighted means where the weight is large, coarser and coarser means in the gaps.
    """
    mean = total / weight.clamp_min(1e-6)
    if max(total.shape[-2:]) == 1:
        return torch.where(weight > 0, mean, torch.zeros_like(mean))
    share = (weight * 4).clamp(max=1)
    pooled = F.avg_pool2d(torch.cat([mean * share, share], 1), 2, ceil_mode=True, count_include_pad=False)
    below = pull_push(pooled[:, :-1], pooled[:, -1:])
    wide = F.interpolate(below, total.shape[-2:], mode="bilinear", align_corners=False)
    return share * mean + (1 - share) * wide


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
