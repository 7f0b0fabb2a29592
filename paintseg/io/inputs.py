"""What people and other programs hand over, brought to the library's types: points, boxes, images, masks.

Points come as the JSON that point editors write, boxes in any of the shapes in use, images with one to four
channels and masks of another size than the image.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeGuard, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import InputError, excerpt
from ..ops.coordinates import (
    Box,
    BoxFormat,
    Point,
    box_of,
    from_text,
    is_box,
    place_boxes,
    place_points,
    plain,
    points_of,
    says_nothing,
)

Item = TypeVar("Item", covariant=True)
First = TypeVar("First")
Second = TypeVar("Second")


class Lined(Protocol[Item]):
    """Things in a row, such as a list of prompts or a batch of images."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> Item: ...


def read_points(points: str, negative: str, size: tuple[int, int]) -> tuple[tuple[Point, ...], tuple[Point, ...], str]:
    """Points on the object and off it, from the texts of a point editor, in pixels of a photo of (H, W); and a note, a
    sentence a line.

    Args:
        points: JSON, `[{"x": 10, "y": 20}, ...]`, `[[10, 20], ...]`, one such point, or nothing. Single quotes pass for
            double ones, since some editors write Python's notation. `"label": 0` marks a point off the object.
        negative: the same, all of them not on the object.

    Raises InputError for anything else.
    """
    notes: list[str] = []
    found: list[tuple[tuple[Point, ...], tuple[Point, ...]]] = []
    for text, name in ((points, "points"), (negative, "negative points")):
        if text and says_nothing(_value(text)):
            notes.append(f"the {name} are (0, 0) alone, which nodes write that found nothing: they are left out")
            found.append(((), ()))
        else:
            found.append(_labelled(text, name))
    (on, off), (others, more) = found
    placed, negatives, note = place_points(on, off + others + more, size)
    return placed, negatives, "\n".join(filter(None, [*notes, note]))


def parse_boxes(value: object, name: str = "boxes", form: BoxFormat = "xyxy") -> list[list[Box]]:
    """Boxes (x0, y0, x1, y1), end-exclusive, one list per image; a single list is meant for every image.

    Args:
        value: `{"x", "y", "width", "height"}` or four numbers, a list of either, a list of such lists (one per image),
            an array or tensor 4, N x 4 or B x N x 4, a dict that holds any of these as "boxes", or text of it.
        form: what four bare numbers are.

    Raises InputError when it is none of these or holds no box at all.
    """
    if isinstance(value, str):
        try:
            value = from_text(value)
        except (ValueError, RecursionError):
            raise InputError(
                f"the {name} must be like [[10, 20, 110, 70]] or "
                f'{{"x": 10, "y": 20, "width": 100, "height": 50}}, not {excerpt(value)}'
            ) from None
    if value is None:
        raise InputError(f"the {name} is missing: draw one around the object")
    value = _unwrapped(plain(value))
    if is_box(value):
        return [[_box(value, name, form)]]
    if not _may_hold_boxes(value):
        return [[box_of(value, name)]]  # says what is wrong with it
    frames = [_unwrapped(frame) for frame in value]
    if all(map(is_box, frames)):
        lists = [[_box(entry, name, form) for entry in frames]]
    else:
        lists = [[_box(entry, name, form) for entry in _boxes_of_image(frame, name)] for frame in frames]
    if not any(lists):
        raise InputError(f"the {name} hold no box: draw one around the object")
    return lists


def read_boxes(
    value: object, size: tuple[int, int], name: str = "boxes", form: BoxFormat = "xyxy"
) -> tuple[list[Box], list[str]]:
    """The boxes of `parse_boxes` in pixels of images of (H, W), one per image or all for a single one; and notes.

    Raises InputError as `parse_boxes` does, and for several boxes in each of several images.
    """
    lists = parse_boxes(value, name, form)
    if len(lists) > 1 and any(len(boxes) != 1 for boxes in lists):
        raise InputError("the boxes must be one per image, or all for a single image")
    placed = [place_boxes(boxes, size) for boxes in lists]
    return [box for boxes, _ in placed for box in boxes], list(dict.fromkeys(note for _, note in placed if note))


def as_photos(image: Tensor, name: str = "image") -> Tensor:
    """Images B x H x W x C as B x 3 x H x W float32; C is from 1 (grey) to 4 (the alpha is dropped).

    Raises InputError, naming `name`, for another shape and for a batch of no image.
    """
    return as_pictures(image, name)[:, :3]


def as_pictures(image: Tensor, name: str = "image") -> Tensor:
    """Images B x H x W x C as B x 3 x H x W float32, or B x 4 x H x W where they have an alpha: C is 1 (grey), 2 (grey
    and alpha), 3 or 4.

    Raises InputError as `as_photos` does.
    """
    if image.ndim == 4 and not len(image):
        raise InputError(f"the {name} batch is empty: there is no image in it")
    if image.ndim != 4 or not 1 <= image.shape[3] <= 4 or not image.numel():
        raise InputError(f"the {name} must be B x H x W x C with one to four channels, not {tuple(image.shape)}")
    channels = image.movedim(-1, 1).float()
    if image.shape[3] >= 3:
        return channels
    grey = channels[:, :1].expand(-1, 3, -1, -1)
    return grey if image.shape[3] == 1 else torch.cat([grey, channels[:, 1:]], 1)


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


def fit_strokes(strokes: Tensor, size: tuple[int, int]) -> Tensor:
    """Strokes H x W of any size at `size` (H, W), bool (above 0.5). A thin line stays a line when shrunk."""
    drawn = (strokes > 0.5).float()
    return drawn > 0 if tuple(drawn.shape) == tuple(size) else F.adaptive_max_pool2d(drawn[None], size)[0] > 0


def pair_up(first: Lined[First], second: Lined[Second], names: tuple[str, str]) -> list[tuple[First, Second]]:
    """Pair two sequences one to one; a single item goes with all others. Raises InputError otherwise."""
    if not len(first) or not len(second) or (len(first) != len(second) and 1 not in (len(first), len(second))):
        raise InputError(
            f"there are {len(first)} {names[0]} and {len(second)} {names[1]}: give one of either, or as many of both"
        )
    count = max(len(first), len(second))
    return [(first[index % len(first)], second[index % len(second)]) for index in range(count)]


def _value(text: str) -> object:
    """What a text of points holds; the text itself when it is no JSON."""
    try:
        return from_text(text)
    except (ValueError, RecursionError):  # no JSON, a number of thousands of digits, a thousand brackets
        return text


def _labelled(text: str, name: str) -> tuple[tuple[Point, ...], tuple[Point, ...]]:
    if not text or not text.strip():
        return (), ()
    try:
        return points_of(_value(text), name)
    except InputError:
        raise InputError(f'the {name} must be JSON like [{{"x": 10, "y": 20}}], not {excerpt(text)}') from None


def _unwrapped(value: object) -> object:
    """The boxes of a detector's result, a dict that holds labels and scores as well."""
    if isinstance(value, dict) and not is_box(value):
        return next((value[key] for key in ("boxes", "bboxes", "bbox", "box") if key in value), value)
    return value


def _may_hold_boxes(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list) and not any(isinstance(one, (int, float)) for one in value)


def _boxes_of_image(frame: object, name: str) -> Sequence[object]:
    if is_box(frame):
        return [frame]
    if not _may_hold_boxes(frame):
        return [box_of(frame, name)]  # likewise
    return [_unwrapped(entry) for entry in frame]


def _box(value: object, name: str, form: BoxFormat) -> Box:
    box = box_of(value, name, form)
    if form == "xyxy" and not isinstance(value, dict) and not (box[0] < box[2] and box[1] < box[3]):
        raise InputError(
            f"the {name} must have x0 < x1 and y0 < y1, not ({', '.join(f'{side:g}' for side in box)}); "
            "boxes of x, y, width, height are to be given as xywh"
        )
    return box
