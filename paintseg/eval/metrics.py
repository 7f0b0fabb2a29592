"""Metrics of masks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..ops import overlap

IGNORED = 128

BAND = 0.02
"""Width of the band of Boundary IoU, as a share of the photo's diagonal."""


@dataclass(frozen=True)
class Marks:
    """What a mask is given for its likeness to a human one.

    Attributes:
        iou, boundary_iou: 0..1, see the functions of these names.
        pieces: of the mask, see `pieces`.
    """

    iou: float
    boundary_iou: float
    pieces: int


def marks(mask: np.ndarray, truth: np.ndarray) -> Marks:
    """All marks of a mask H x W bool; `truth` as in `intersection_over_union`. Fractions have six digits."""
    return Marks(round(intersection_over_union(mask, truth), 6), round(boundary_iou(mask, truth), 6), pieces(mask))


def intersection_over_union(mask: np.ndarray, truth: np.ndarray) -> float:
    """Intersection over union of a mask with a human one, pixels marked 128 not counted.

    Args:
        mask: H x W bool. truth: H x W uint8, 255 object, 0 background, 128 not counted.

    Returns 0..1; 1 when both are empty.
    """
    return overlap.intersection_over_union(mask & (truth != IGNORED), truth == 255)


def boundary_iou(mask: np.ndarray, truth: np.ndarray) -> float:
    """Intersection over union of the inner rims of a mask and a human one (Cheng et al. 2021).

    A rim is what lies within 2 % of the photo's diagonal of the mask's edge, and at least a pixel; the photo's border
    is an edge. Pixels marked 128 belong to neither mask, so what a mask says of them moves no rim.

    Args and returns as in `intersection_over_union`.
    """
    width = max(1, round(BAND * float(np.hypot(*truth.shape))))
    return overlap.intersection_over_union(rim(mask & (truth != IGNORED), width), rim(truth == 255, width))


def rim(mask: np.ndarray, width: int) -> np.ndarray:
    """The mask's pixels that `width` erosions by 3 x 3 pixels take away, nothing being outside: H x W bool."""
    depth = ndimage.distance_transform_cdt(np.pad(mask, 1), "chessboard")[1:-1, 1:-1]
    return mask & (depth <= width)


def pieces(mask: np.ndarray) -> int:
    """How many pieces a mask H x W bool has; pixels that touch at a corner are one piece."""
    return int(ndimage.label(mask, np.ones((3, 3)))[1])
