"""Boxes and points as plain numbers, whatever holds them: dicts, lists, arrays, tensors, or text of any of these.

Detectors and point editors write them in many ways; `box_of` and `point_of` know one of each, `place_boxes` and
`place_points` fit them to a photo where editors and photos disagree, and say so.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from ..errors import InputError, excerpt

Box = tuple[float, float, float, float]
Point = tuple[float, float]
BoxFormat = Literal["xyxy", "xywh"]
"""What four bare numbers of a box are: x0, y0, x1, y1 or x, y, width, height."""

BOX_FORMATS: tuple[BoxFormat, ...] = ("xyxy", "xywh")
LARGEST = 1e9  # pixels; no photo reaches as far

_SIZES = (("x", "y", "width", "height"), ("x", "y", "w", "h"))
_CORNERS = (
    ("x0", "y0", "x1", "y1"),
    ("x1", "y1", "x2", "y2"),
    ("left", "top", "right", "bottom"),
    ("xmin", "ymin", "xmax", "ymax"),
    ("startX", "startY", "endX", "endY"),
)
_MOST = 1_000_000  # numbers of an array that may be coordinates; a picture handed over by mistake is left alone
_DEEPEST = 5  # levels of lists: images, objects, the four numbers, and one or two that detectors put around them
_PYTHON = str.maketrans("'()", '"[]')


def plain(value: Any, levels: int = _DEEPEST) -> Any:
    """What arrays, tensors, NumPy's numbers and lists and dicts of them hold, as lists, dicts and numbers."""
    if hasattr(value, "tolist"):
        return value if math.prod(getattr(value, "shape", ())) > _MOST else value.tolist()
    if levels and isinstance(value, Mapping):
        return {key: plain(one, levels - 1) for key, one in value.items()}
    return [plain(one, levels - 1) for one in value] if levels and isinstance(value, (list, tuple)) else value


def from_text(text: str) -> Any:
    """The value of JSON, or of Python's notation for lists, tuples and dicts. Raises ValueError, RecursionError."""
    try:
        return json.loads(text)
    except ValueError as problem:
        try:
            return json.loads(text.translate(_PYTHON))
        except ValueError:
            raise problem from None


def is_number(value: object) -> bool:
    """Whether this could be a coordinate; NaN and what is too large for one are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= LARGEST


def are_numbers(value: object, count: int) -> bool:
    """Whether this is a list of so many coordinates."""
    return isinstance(value, (list, tuple)) and len(value) == count and all(map(is_number, value))


def is_box(value: object) -> bool:
    """Whether a plain value is one box: four numbers, or a dict that names its sides or corners."""
    return are_numbers(value, 4) or (
        isinstance(value, Mapping) and any(set(names) <= value.keys() for names in (*_SIZES, *_CORNERS))
    )


def box_of(value: Any, name: str = "box", form: BoxFormat = "xyxy") -> Box:
    """The corners x0, y0, x1, y1 of one box, end-exclusive.

    Args:
        value: four numbers as `form` says, or a dict such as `{"x", "y", "width", "height"}` or
            `{"x0", "y0", "x1", "y1"}`, or a list or array that holds just one of either.

    Raises InputError, naming `name`, for anything else.
    """
    found = plain(value)
    while isinstance(found, list) and len(found) == 1:
        (found,) = found
    if isinstance(found, Mapping):
        for names in (*_SIZES, *_CORNERS):
            if are_numbers([found.get(key) for key in names], 4):
                a, b, c, d = (float(found[key]) for key in names)
                return (a, b, a + c, b + d) if names in _SIZES else (a, b, c, d)
    if not are_numbers(found, 4):
        _check_finite(found, 4, name)
        count = f"{len(found)} numbers: " if isinstance(found, list) and are_numbers(found, len(found)) else ""
        raise InputError(
            f'the {name} must be like {{"x": 10, "y": 20, "width": 100, "height": 50}} or x0, y0, x1, y1, '
            f"not {count}{excerpt(found)}"
        )
    a, b, c, d = (float(side) for side in found)
    return (a, b, a + c, b + d) if form == "xywh" else (a, b, c, d)


def point_of(value: Any, name: str = "points") -> Point:
    """One point x, y of two numbers or of `{"x", "y"}`. Raises InputError, naming `name`, for anything else."""
    found = plain(value)
    if isinstance(found, Mapping):
        found = [found.get("x"), found.get("y")]
    if not are_numbers(found, 2):
        _check_finite(found, 2, name)
        raise InputError(f'the {name} must be like [{{"x": 10, "y": 20}}] or [[10, 20]], not {excerpt(value)}')
    return float(found[0]), float(found[1])


def points_of(value: Any, name: str = "points") -> tuple[tuple[Point, ...], tuple[Point, ...]]:
    """Points on the object, and points that are not.

    Args:
        value: a point as `point_of` takes it, a list of such, or an array N x 2. `"label": 0` in a point's dict, and a
            0 among the labels of `{"points": [...], "labels": [...]}`, as number or text, mark what is not the object.

    Raises InputError, naming `name`, for anything else.
    """
    found = plain(value)
    labels: Any = ()
    if isinstance(found, Mapping) and "points" in found:
        found, labels = found["points"], found.get("labels", ())
        if not isinstance(labels, list) or len(labels) not in (0, len(found) if isinstance(found, list) else 0):
            raise InputError(f"the {name} must have one label each, not {excerpt(labels)}")
    if isinstance(found, Mapping) or are_numbers(found, 2):
        found = [found]
    if not isinstance(found, list):
        point_of(found, name)
    labels = labels or [one.get("label") if isinstance(one, Mapping) else None for one in found]
    sorted_out: tuple[list[Point], list[Point]] = [], []
    for one, label in zip(found, labels, strict=True):
        sorted_out[label in (0, "0")].append(point_of(one, name))
    return tuple(sorted_out[0]), tuple(sorted_out[1])


def says_nothing(value: Any) -> bool:
    """Whether this is `[{"x": 0, "y": 0}]`, which nodes hand on that have found no point."""
    found = plain(value)
    found = found[0] if isinstance(found, list) and len(found) == 1 else found
    return (
        isinstance(found, Mapping)
        and found.get("x") == found.get("y") == 0
        and not found.keys() & {name for names in (*_SIZES, *_CORNERS) for name in names[2:]}
    )


def place_points(
    points: Sequence[Point], negative: Sequence[Point], size: tuple[int, int]
) -> tuple[tuple[Point, ...], tuple[Point, ...], str]:
    """Points as pixels of a photo of (H, W), and what was done to them, a sentence a line.

    Points that all lie between 0 and 1, not all of them on corners, are shares of width and height. Those on the right
    or lower edge are taken to the last pixel; what lies outside stays there, for `Prompt` to refuse.
    """
    notes, both = [], [list(points), list(negative)]
    height, width = size
    shares = [_are_shares(some) for some in both]
    if any(shares):
        # An editor writes both kinds alike; (0, 0) and (1, 1) alone would pass for pixels.
        shares = [share or _between(some) for share, some in zip(shares, both, strict=True)]
        both = [
            [(x * width, y * height) for x, y in some] if share else some
            for share, some in zip(shares, both, strict=True)
        ]
        notes.append("the points lie between 0 and 1: they are taken as shares of the photo's width and height")
    moved = [tuple((on_edge(x, width), on_edge(y, height)) for x, y in some) for some in both]
    count = sum(
        one != other for some, others in zip(moved, both, strict=True) for one, other in zip(some, others, strict=True)
    )
    if count:
        which = "a point lies" if count == 1 else f"{count} points lie"
        notes.append(f"{which} on the photo's far edge: the last pixel is taken")
    return moved[0], moved[1], "\n".join(notes)


def place_boxes(boxes: Sequence[Box], size: tuple[int, int]) -> tuple[list[Box], str]:
    """Boxes as pixels of a photo of (H, W), and a note when they were shares of it, all of them between 0 and 1."""
    if not _are_shares(boxes):
        return list(boxes), ""
    height, width = size
    placed = [(x0 * width, y0 * height, x1 * width, y1 * height) for x0, y0, x1, y1 in boxes]
    return placed, "the boxes lie between 0 and 1: they are taken as shares of the photo's width and height"


def _check_finite(value: object, count: int, name: str) -> None:
    """Refuse NaN and what no photo reaches to by what it is, rather than by its shape. Raises InputError."""
    if isinstance(value, list) and len(value) == count and all(isinstance(one, (int, float)) for one in value):
        raise InputError(f"the {name} must be pixels of a photo, not {excerpt(value)}")


def _between(places: Iterable[Sequence[float]]) -> bool:
    return all(0 <= value <= 1 for place in places for value in place)


def _are_shares(places: Sequence[Sequence[float]]) -> bool:
    return _between(places) and any(0 < value < 1 for place in places for value in place)


def on_edge(value: float, length: int) -> float:
    """A coordinate that is the length itself, where editors and scaling put the far edge: the last pixel's middle."""
    return length - 0.5 if math.isclose(value, length, rel_tol=1e-6) else value
