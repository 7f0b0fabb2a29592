"""Masks and strokes read from files: which of their pixels are meant.

What a file means follows from what kind it is: a file of labels, a mask of 0 and 1, a drawing on transparency, a
photo made transparent in places, or white on black. docs/files.md has the rules. A few pixels decide nothing:
transparency is some of it side by side, one colour is nearly all pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..errors import InputError, excerpt
from ..ops.images import resize_mask
from .inputs import fit_strokes
from .reading import DEEP, decoded, grey_of
from .remarks import remark

_UNDECIDED, _BORDER = 255, (224, 224, 192)
"""The label of the borders in PASCAL VOC's files, and its colour there."""

_ALIKE = 24
"""Steps of 255 by which a drawing of one colour may be off it: lossy files."""

_NEARLY_ALL = 0.98

_BRIGHTNESS = np.array([0.299, 0.587, 0.114], np.float32)


def read_mask(path: Path | str, invert: bool = False) -> Tensor:
    """A mask or strokes as H x W in [0, 1]; what is meant is 1.

    Args:
        invert: what would be meant is not, and the other way round.

    Raises InputError for what is no picture, is broken or too large, and for a picture of brightness without white:
    dark numbers are labels, of which nothing says which are meant.
    """
    path = Path(path)
    meant = torch.from_numpy(np.ascontiguousarray(decoded(path, lambda image: _meant(image, path)), dtype=np.float32))
    return 1 - meant if invert else meant


def read_maps(files: Mapping[str, Path | str | None], size: tuple[int, int], invert: bool = False) -> dict[str, Any]:
    """Strokes and coarse masks of files, by the names of `prompts.MAPS`, brought to the photo's (H, W).

    Args:
        files: of each name its file, or None without one. invert: as in `read_mask`.

    Raises InputError as `read_mask` does.
    """
    read = {name: read_mask(path, invert) for name, path in files.items() if path}
    return {name: (resize_mask if name == "mask" else fit_strokes)(values, size) for name, values in read.items()}


def _meant(image: Image.Image, path: Path) -> np.ndarray:
    if image.mode in DEEP or image.mode == "F":
        return _bright(grey_of(image), 65535 if image.mode in DEEP else 255, path)
    if image.mode == "P" and (objects := _label_colours(image)).any():
        labels = np.asarray(image)
        used = np.flatnonzero(np.bincount(labels.ravel(), minlength=256))
        border = "" if objects[_UNDECIDED] or _UNDECIDED not in used else f", {_UNDECIDED} as the border of none"
        remark(f"{path} is read as a file of labels: objects taken are {excerpt(used[objects[used]].tolist())}{border}")
        return objects[labels]
    pixels = np.asarray(image.convert("RGBA"))
    colours, alpha = pixels[..., :3], pixels[..., 3].astype(np.float32) / 255
    if _has_area(alpha < 0.5):
        if _is_plain(colours[alpha >= 0.5]) and _is_plain(colours[alpha == 0]):  # they show nothing
            remark(f"{path} is read as a drawing on transparency: what is drawn is taken (--invert: the rest)")
            return alpha
        remark(f"{path} is transparent in places; those are taken, as by ComfyUI's Load Image (--invert: the rest)")
        return 1 - alpha
    return _bright((colours @ _BRIGHTNESS).clip(0, 255) / 255 * alpha, 255, path)


def _bright(values: np.ndarray, top: int, path: Path) -> np.ndarray:
    """Brightness in [0, 1] if any of it is white; of numbers 0 and 1 of `top` the ones. Raises InputError."""
    largest = round(float(values.max(initial=0)) * top)
    if largest == 0 or 2 * largest > top:
        return values
    if largest == 1:
        remark(f"{path} holds 0 and 1 of {top}: 1 is taken")
        return values > 0
    raise InputError(
        f"nothing in {path} is white: its brightest pixel is {largest} of {top}; make what is meant white "
        f"({top}) and the rest black, or give a palette picture of labels"
    )


def _label_colours(image: Image.Image) -> np.ndarray:
    """Which of 256 numbers are objects' in a palette picture; none where it is no label file."""
    palette = np.zeros((256, 3), np.int16)
    given = np.array(image.getpalette("RGB") or [], np.int16).reshape(-1, 3)
    palette[: len(given)] = given
    coloured = (palette.max(1) - palette.min(1) > _ALIKE).any()
    objects = palette.any(1) & coloured & (not palette[0].any())
    objects[_UNDECIDED] &= tuple(palette[_UNDECIDED]) != _BORDER
    return objects


def _has_area(region: np.ndarray) -> bool:
    """Whether four pixels of a region, H x W bool, form a square somewhere: a few stray ones do not."""
    rows = region[1:] & region[:-1]
    return bool((rows[:, 1:] & rows[:, :-1]).any())


def _is_plain(colours: np.ndarray) -> bool:
    """Whether nearly all of N x 3 uint8 are one colour; none are."""
    if not len(colours):
        return True
    off = np.abs(colours - np.median(colours, 0).astype(np.float32)).max(1)
    return bool((off <= _ALIKE).mean() >= _NEARLY_ALL)
