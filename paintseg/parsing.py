"""What people and other programs hand over, brought to the library's types: points, boxes, images, masks.

Points come as the JSON that point editors write, boxes in any of the shapes in use, images with one to four
channels and masks of another size than the image.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from .errors import InputError, excerpt
from .prompts import Box, Point
from .view import resize

_LARGEST = 1e9  # pixels; no photo reaches as far

First = TypeVar("First")
Second = TypeVar("Second")


def parse_points(text: str, name: str = "points") -> tuple[Point, ...]:
    """Points (x, y) from JSON: `[{"x": 10, "y": 20}, ...]`, `[[10, 20], ...]`, one such point, or nothing.

    Single quotes pass for double ones, since some editors write Python's notation.
    Raises InputError, naming `name`, for anything else.
    """
    if not text or not text.strip():
        return ()
    try:
        value = json.loads(text.replace("'", '"'))
    except (ValueError, RecursionError):  # no JSON, a number of thousands of digits, a thousand brackets
        raise _bad_points(name, text) from None
    single = isinstance(value, Mapping) or _is_pair(value)
    entries = [value] if single else value
    if not isinstance(entries, list):
        raise _bad_points(name, text)
    return tuple(_point(entry, name, text) for entry in entries)


def parse_boxes(value: object, name: str = "boxes") -> list[list[Box]]:
    """Boxes (x0, y0, x1, y1), end-exclusive, one list per image; a single list is meant for every image.

    Args:
        value: `{"x", "y", "width", "height"}`, four numbers x0, y0, x1, y1, a list of either, a list of such
            lists (one per image), or JSON of any of these.
        name: what to call it in a message.

    Raises InputError when it is none of these or holds no box at all.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise _bad_box(name, value) from None
    if value is None:
        raise InputError(f"the {name} is missing: draw one around the object")
    if _is_box(value):
        return [[_box(value, name)]]
    if not isinstance(value, Sequence):
        raise _bad_box(name, value)
    if all(_is_box(entry) for entry in value):
        lists = [[_box(entry, name) for entry in value]]
    else:
        lists = [[_box(entry, name) for entry in _boxes_of_image(frame, name)] for frame in value]
    if not any(lists):
        raise InputError(f"the {name} hold no box: draw one around the object")
    return lists


def as_photos(image: Tensor) -> Tensor:
    """Images B x H x W x C as B x 3 x H x W float32; C is from 1 (grey) to 4 (the alpha is dropped).

    Raises InputError for another shape and for a batch of no image.
    """
    if image.ndim == 4 and not len(image):
        raise InputError("the image batch is empty: there is no image in it")
    if image.ndim != 4 or not 1 <= image.shape[3] <= 4 or not image.numel():
        raise InputError(
            f"an image batch is B x H x W x C with one to four channels, not {tuple(image.shape)}"
        )
    channels = image.movedim(-1, 1).float()
    return channels[:, :1].expand(-1, 3, -1, -1) if image.shape[3] < 3 else channels[:, :3]


def as_masks(mask: Tensor, name: str = "mask") -> Tensor:
    """Masks H x W, B x H x W or B x 1 x H x W as B x H x W float32.

    Raises InputError for another shape and for a batch of no mask.
    """
    if mask.ndim >= 3 and not len(mask):
        raise InputError(f"the {name} batch is empty: there is nothing in it")
    masks = mask.float()
    if masks.ndim == 2:
        masks = masks[None]
    if masks.ndim == 4 and masks.shape[1] == 1:
        masks = masks[:, 0]
    if masks.ndim != 3 or not masks.numel():
        raise InputError(f"the {name} must be H x W or B x H x W, not {tuple(mask.shape)}")
    return masks


def fit_mask(mask: Tensor, size: tuple[int, int]) -> Tensor:
    """A coarse mask H x W of any size, scaled to `size` (H, W)."""
    return resize(mask[None, None], size)[0, 0]


def fit_strokes(strokes: Tensor, size: tuple[int, int]) -> Tensor:
    """Strokes H x W of any size at `size` (H, W), bool (above 0.5). A thin line stays a line when shrunk."""
    drawn = (strokes > 0.5).float()
    return drawn > 0 if tuple(drawn.shape) == tuple(size) else F.adaptive_max_pool2d(drawn[None], size)[0] > 0


def pair_up(
    first: Sequence[First], second: Sequence[Second], names: tuple[str, str]
) -> list[tuple[First, Second]]:
    """Pair two sequences one to one; a single item goes with all others. Raises InputError otherwise."""
    if not len(first) or not len(second) or (len(first) != len(second) and 1 not in (len(first), len(second))):
        raise InputError(
            f"there are {len(first)} {names[0]} and {len(second)} {names[1]}: "
            "give one of either, or as many of both"
        )
    count = max(len(first), len(second))
    return [(first[index % len(first)], second[index % len(second)]) for index in range(count)]


def _is_pair(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(_is_number(item) for item in value)


def _is_number(value: object) -> bool:
    """Whether this could be a coordinate; NaN and what is too large for one are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= _LARGEST


def _point(entry: object, name: str, text: str) -> Point:
    if isinstance(entry, Mapping):
        entry = [entry.get("x"), entry.get("y")]
    if not _is_pair(entry):
        raise _bad_points(name, text)
    return float(entry[0]), float(entry[1])


def _is_box(value: object) -> bool:
    if isinstance(value, Mapping):
        return True
    flat = value.tolist() if isinstance(value, torch.Tensor) else value
    return isinstance(flat, Sequence) and len(flat) == 4 and all(_is_number(item) for item in flat)


def _boxes_of_image(frame: object, name: str) -> Sequence[object]:
    if _is_box(frame):
        return [frame]
    if isinstance(frame, Sequence) and not isinstance(frame, str):
        return frame
    raise _bad_box(name, frame)


def _box(value: object, name: str) -> Box:
    if isinstance(value, Mapping):
        sides = [value.get(key) for key in ("x", "y", "width", "height")]
        if not all(_is_number(side) for side in sides):
            raise _bad_box(name, value)
        x, y, width, height = (float(side) for side in sides)
        return x, y, x + width, y + height
    if not _is_box(value):
        raise _bad_box(name, value)
    x0, y0, x1, y1 = (float(side) for side in value)
    return x0, y0, x1, y1


def _bad_points(name: str, text: str) -> InputError:
    return InputError(f'the {name} must be JSON like [{{"x": 10, "y": 20}}], not {excerpt(text)}')


def _bad_box(name: str, value: object) -> InputError:
    return InputError(
        f'the {name} must be like {{"x": 10, "y": 20, "width": 100, "height": 50}} or x0, y0, x1, y1, '
        f"not {excerpt(value)}"
    )
