"""Label maps: a picture whose greys are objects, and what is taken for one but is none.

Every grey costs a whole run of the method. A soft mask holds up to 255 of them, and a label map that was resized
smoothly or went through JPEG has gained some between its own, so those are refused instead of run.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..errors import InputError
from ..ops.morphology import components, dilate, erode
from ..prompts import Prompt, mask_prompt

MOST_LABELS = 64
"""Objects of a label map at most."""

SPECK = 9
"""Pixels in one piece that a grey needs at least where no 3 x 3 square of it is anywhere."""

RIM = 2
"""Pixels within which a lower and a higher grey make a pixel one of the rim between them."""

_EXACT = 0.1  # of a grey: half precision is off by 0.06
_MOST = (255, 256)  # what 1 is: ComfyUI 0.30 reads a grey file's 80 as 80 / 256, a coloured one's as 80 / 255

_REMEDY = (
    "give the map as it was drawn: as PNG, and resized by nearest-exact alone; a soft mask of one object is no "
    "label map but a prompt of kind mask"
)


def prompts_from_labels(labels: Tensor) -> list[Prompt]:
    """A coarse mask per object of a label map.

    Args:
        labels: H x W; whole numbers, or floats in [0, 1] that are such numbers over 255 or 256, as an 8-bit picture
            holds them. 0 is the background; objects come in the order of their numbers.

    Raises InputError for another shape, when there is no object, and for what is no label map: greys between those of
    an 8-bit picture, more than `MOST_LABELS`, and greys that are only rims between others or specks.
    """
    if labels.ndim != 2:
        raise InputError(f"a label map is H x W, not {tuple(labels.shape)}")
    numbers = labels.long()
    if labels.is_floating_point():
        whole = [(labels * most).round() for most in _MOST if _is_whole(labels * most)]
        if not whole:
            raise InputError(
                f"the label map holds greys between those of an 8-bit picture, as soft masks and smoothly "
                f"resized maps do; {_REMEDY}"
            )
        numbers = whole[0].long()
    numbers = numbers.clamp(min=0)
    found, places = numbers.unique(return_inverse=True)
    if not found[-1]:
        raise InputError("the label map holds no object: all of it is 0")
    objects = [place for place, number in enumerate(found.tolist()) if number]
    if len(objects) > MOST_LABELS:
        raise InputError(
            f"the label map holds {len(objects)} greys, each an object, and {MOST_LABELS} are the most; {_REMEDY}"
        )
    order = places.to(torch.uint8)  # as the numbers are ordered, and small
    if stray := [int(found[place]) for place in _strays(order, objects)]:
        shown = ", ".join(map(str, stray[:5])) + (", ..." if len(stray) > 5 else "")
        raise InputError(
            f"the label map holds {len(objects)} greys, and {len(stray)} of them ({shown}) are no objects "
            f"but thin rims between others or specks, as resizing and JPEG leave them; {_REMEDY}"
        )
    return [mask_prompt((order == place).float()) for place in objects]


def _is_whole(numbers: Tensor) -> bool:
    return bool((numbers - numbers.round()).abs().max() <= _EXACT)  # NaN fails this too


def _strays(order: Tensor, objects: list[int]) -> list[int]:
    """Those of the values of an H x W map of bytes that look like no object."""
    solid = order[dilate(order, 1) == erode(order, 1)].unique().tolist()
    thin = [place for place in objects if place not in solid]
    if not thin:
        return []
    between = (erode(order, RIM) < order) & (order < dilate(order, RIM))
    strays = []
    for place in thin:
        region = order == place
        labels = components(region[None, None])[0]
        if labels.flatten().bincount()[1:].max() < SPECK or between[region].float().mean() > 0.5:
            strays.append(place)
    return strays
