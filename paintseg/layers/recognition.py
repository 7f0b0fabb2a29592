"""Layers known again: a placement that was made for one layer must not move another that took its number."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..ops.boxes import bounding_box
from .compose import Placement
from .stack import NamedLayer, with_alpha

CELLS = 4
"""Parts along each side of a layer's visible part that are looked at."""

LEVELS = 16
"""Steps of colour and of cover; each is a hexadecimal digit."""

ALIKE = 1.6
"""By how many steps two layers may differ on average and be the same one. Of 99 layers cut out with a rim 2 % wider or
narrower, or at half size, 95 are known again; of 528 pairs of different objects none is taken for the same."""

COVERED = 0.6
"""How much of each other (intersection over union) the two bounding boxes must cover then."""

_BOX = 8  # digits, two a side


def fingerprint(layer: Tensor | NamedLayer, size: tuple[int, int] | None = None) -> str:
    """Where a layer's visible part lies and what it looks like, coarsely: colour and cover of each of 4 x 4 parts.

    Args:
        layer: 4 x h x w in [0, 1], straight colour and alpha; a `NamedLayer` lies where it says.
        size: the picture's, (H, W), that the place is a share of; without it the layer's own.

    Returns 72 hexadecimal digits; "" for a layer of which nothing is seen.
    """
    left, top, pixels = (layer.left, layer.top, layer.pixels) if isinstance(layer, NamedLayer) else (0, 0, layer)
    pixels = with_alpha(pixels)
    box = bounding_box((pixels[3] > 0)[None, None])
    if box is None:
        return ""
    x0, y0, x1, y1 = box
    height, width = size or pixels.shape[1:]
    place = [(left + x0) / width, (top + y0) / height, (left + x1) / width, (top + y1) / height]
    seen = pixels[:, y0:y1, x0:x1].float().clamp(0, 1)
    # premultiplied, so that a part that is hardly covered says hardly anything of its colour
    seen = torch.cat([seen[:3] * seen[3:], seen[3:]])
    cells = F.adaptive_avg_pool2d(seen[None], CELLS).flatten().tolist()
    look = "".join(format(min(LEVELS - 1, int(value * LEVELS)), "x") for value in cells)
    return "".join(format(round(min(max(value, 0), 1) * 255), "02x") for value in place) + look


def is_same(one: str, other: str) -> bool:
    """Whether two fingerprints are of one layer, perhaps cut out a little differently or in another size."""
    if len(one) != len(other) or len(one) <= _BOX:
        return one == other
    try:
        (box, look), (other_box, other_look) = _read(one), _read(other)
    except ValueError:  # not ours
        return one == other
    apart = sum(abs(a - b) for a, b in zip(look, other_look, strict=True)) / len(look)
    return apart <= ALIKE and _overlap(box, other_box) >= COVERED


def _read(text: str) -> tuple[list[int], list[int]]:
    return [int(text[at : at + 2], 16) for at in range(0, _BOX, 2)], [int(digit, 16) for digit in text[_BOX:]]


def _overlap(one: list[int], other: list[int]) -> float:
    """Intersection over union of two boxes (x0, y0, x1, y1)."""
    sides = [min(one[side + 2], other[side + 2]) - max(one[side], other[side]) for side in (0, 1)]
    both = max(0, sides[0]) * max(0, sides[1])
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return both / max(1, sum(areas) - both)


def known_again(
    placements: Sequence[Placement], layers: Sequence[Tensor | NamedLayer], size: tuple[int, int] | None = None
) -> tuple[tuple[Placement, ...], tuple[Placement, ...]]:
    """The placements as they hold for these layers.

    A placement without a fingerprint goes by the layer's number alone. One with a fingerprint holds only for the layer
    it was made for. In a list with any fingerprint, layers that it does not name lie where they were; in one without,
    they do not appear.

    Args:
        placements: as `parse_placements` reads them.
        layers, size: as `fingerprint` takes them.

    Returns the placements that hold, and those that are left out because they were made for other layers.
    """
    if not any(placement.fingerprint for placement in placements):
        return tuple(placements), ()
    looks = [fingerprint(layer, size) for layer in layers]

    def is_known(placement: Placement) -> bool:
        asked, number = placement.fingerprint, placement.layer
        return not asked or (number < len(looks) and is_same(asked, looks[number]))

    kept = [placement for placement in placements if is_known(placement)]
    strangers = tuple(placement for placement in placements if not is_known(placement))
    named = {placement.layer for placement in kept}
    resting = [Placement(layer) for layer in range(len(layers)) if layer not in named]
    return (*kept, *resting), strangers
