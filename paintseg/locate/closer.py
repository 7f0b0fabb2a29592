"""A closer box in place of a loose one: what lies between a hand's box and its object is background."""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from ..ops.boxes import PixelBox, area_of, box_around, whole_pixels
from ..ops.kmeans import two_means
from ..views.frames import Frame
from ..views.view import View

ROOM = 0.04
"""Room around what is found in a loose box, over its sides, in the closer box in its place; half a patch at least."""

_CLOSER = 0.93  # area of a closer box over the drawn one's from which on the drawn one is tight
_EDGE = 0.125  # of the drawn box's side: room along the photo's edge that stays
_PIECE = 0.1  # area of the smallest piece found that a closer box must hold, over the largest's


def closer_box(
    affinity: Tensor, allowed: Tensor, drawn: PixelBox, view: View, frames: tuple[Frame, ...]
) -> PixelBox | None:
    """The box to decide in, in place of one that was drawn with much room; None where that one is tight.

    What is between a loose box and its object counts as unknown, though nearly all of it is background. So what the
    affinities say first is cut in two, and where that leaves room, they are measured again in a closer box.

    Args:
        affinity: 1 x 1 x h x w, from `affinity_term` in the drawn box. allowed: 1 x 1 x h x w bool, as there.
        drawn: (x0, y0, x1, y1) in the photo; the closer box lies within.
        frames: whose patches the affinity was measured on; nothing is told more exactly than by half of one.
    """
    clusters, means = two_means(affinity[allowed])
    labels, count = ndimage.label(((affinity > clusters.thresholds[-1]) & allowed & means)[0, 0].cpu().numpy())
    if not count:
        return None
    sizes = np.bincount(labels.ravel())[1:]
    held = np.isin(labels, 1 + np.nonzero(sizes >= _PIECE * sizes.max())[0])
    left, top, right, bottom = box_around(torch.from_numpy(held)[None, None])
    (x0, y0, *_), (sx, sy) = view.box, view.scale
    least = min((frame.area[2] - frame.area[0]) / frame.grid[1] for frame in frames) / 2
    across, down = (max(ROOM * side, least) for side in (right - left, bottom - top))
    west, east = x0 + (left - across) / sx, x0 + (right + across) / sx
    north, south = y0 + (top - down) / sy, y0 + (bottom + down) / sy
    left, top, right, bottom = whole_pixels((west, north, east, south))
    x0, x1 = _closer_sides((left, right), (drawn[0], drawn[2]), view.photo[1])
    y0, y1 = _closer_sides((top, bottom), (drawn[1], drawn[3]), view.photo[0])
    closer = x0, y0, x1, y1
    return closer if area_of(closer) < _CLOSER * area_of(drawn) else None


def _closer_sides(found: tuple[int, int], drawn: tuple[int, int], end: int) -> tuple[int, int]:
    """The closer box along one axis of a photo of `end` pixels. Next to no room along the photo's edge stays: there the
    photo may cut the object off, and what is found of it ends early."""
    low, high, room = max(found[0], drawn[0]), min(found[1], drawn[1]), _EDGE * (drawn[1] - drawn[0])
    low = drawn[0] if drawn[0] <= 0 and low <= room else low
    return low, drawn[1] if drawn[1] >= end and high >= end - room else high
