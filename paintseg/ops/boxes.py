"""Boxes of whole pixels (x0, y0, x1, y1), end-exclusive; `coordinates.Box` is the box as people give it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..errors import InputError
from .morphology import as_binary, check_mask

PixelBox = tuple[int, int, int, int]


def bounding_box(mask: Tensor) -> PixelBox | None:
    """Smallest box (x0, y0, x1, y1), end-exclusive, around all pixels above 0.5 of all masks, or None."""
    return bounding_box_and(mask, None)[0]


def bounding_box_and(mask: Tensor, other: Tensor | None) -> tuple[PixelBox | None, bool]:
    """The `bounding_box` of a mask, and whether another mask beside it, bool, holds anything: one wait for a GPU."""
    check_mask(mask)
    hit = as_binary(mask).reshape(mask.shape[:-2].numel(), *mask.shape[-2:])
    if not hit.numel():
        return None, other is not None and bool(other.any())
    across, down = hit.flatten(0, 1).any(0), hit.any(0).any(1)
    gaps = [line.byte().argmax() for line in (across, down, across.flip(0), down.flip(0))]
    also = across if other is None else other
    left, top, right, bottom, found, more = torch.stack([*gaps, across.any().long(), also.any().long()]).tolist()
    return ((left, top, len(across) - right, len(down) - bottom) if found else None), bool(more)


def box_around(mask: Tensor, name: str = "mask") -> PixelBox:
    """The `bounding_box` of a mask that must hold something. Raises InputError, naming it, where it does not."""
    box = bounding_box(mask)
    if box is None:
        raise InputError(f"the {name} is empty: no pixel is above 0.5")
    return box


def whole_pixels(box: tuple[float, float, float, float]) -> PixelBox:
    """Every pixel that a box touches."""
    x0, y0, x1, y1 = box
    return math.floor(x0), math.floor(y0), math.ceil(x1), math.ceil(y1)


def box_mask(box: PixelBox, size: tuple[int, int], device: torch.device | None = None) -> Tensor:
    """H x W bool, true inside a whole-pixel box; `size` is (H, W)."""
    x0, y0, x1, y1 = box
    mask = torch.zeros(size, dtype=torch.bool, device=device)
    mask[y0:y1, x0:x1] = True
    return mask


def area_of(box: PixelBox) -> int:
    """Pixels in a box; 0 where it is empty."""
    x0, y0, x1, y1 = box
    return max(0, x1 - x0) * max(0, y1 - y0)


def grow_box(box: PixelBox, rate: float, size: tuple[int, int]) -> PixelBox:
    """The smallest whole-pixel box around a box scaled about its centre by `rate`, clipped to an image of (H, W).

    Raises InputError: empty box, rate not above 0, or a result wholly outside the image.
    """
    x0, y0, x1, y1 = box
    if not (x0 < x1 and y0 < y1):
        raise InputError(f"box must be (x0, y0, x1, y1) with x0 < x1 and y0 < y1; got {tuple(box)}")
    if not (rate > 0 and math.isfinite(rate)):
        raise InputError(f"rate must be a number above 0; got {rate!r}")
    height, width = size
    (left, right), (top, bottom) = _grow(x0, x1, rate, width), _grow(y0, y1, rate, height)
    if left >= right or top >= bottom:
        raise InputError(f"box {tuple(box)} lies outside the image of {width} x {height} pixels")
    return left, top, right, bottom


def _grow(start: int, end: int, rate: float, limit: int) -> tuple[int, int]:
    centre, half = (start + end) / 2, (end - start) / 2 * rate
    # the tolerance keeps rounding (1.1 * 100 = 110.00000000000001) from costing a pixel
    return math.floor(max(0, centre - half + 1e-6)), math.ceil(min(limit, centre + half - 1e-6))
