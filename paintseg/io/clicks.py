"""What was clicked, drawn and stroked on a photo: the one JSON that the editor writes, people type and programs post.

    {"version": 1,
     "size": [1024, 768],                                   of the picture it was drawn on; may be left out
     "photo": "fffb...",                                    the editor's fingerprint of that picture; read past here
     "points": [{"x": 12.5, "y": 40, "label": 1}],          1 on the object, 0 not on it
     "strokes": [{"label": 1, "width": 6, "points": [[10, 20], [30, 25]]}],
     "box": [x0, y0, x1, y1],                               or null
     "candidate": 0}                                        which of the masks offered was chosen

All are pixels of that picture, the centre of the top left one is (0.5, 0.5). Everything may be left out.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from ..errors import InputError, excerpt
from ..ops.coordinates import Box, Point, are_numbers, box_of, is_number, on_edge, plain, point_of

VERSION = 1
MOST_POINTS = 2000
"""Points, and corners of all strokes together, at most."""
MOST_CANDIDATE = 2

_KEYS = {"version", "size", "photo", "points", "strokes", "box", "candidate"}
_SAME_SHAPE = 0.01  # by how much aspect ratios may differ for one photo


@dataclass(frozen=True)
class Stroke:
    """One line, `width` pixels wide, through `points` (x, y)."""

    points: tuple[Point, ...]
    width: float


@dataclass(frozen=True)
class Clicks:
    """What was said, in pixels of a photo.

    Attributes:
        points: (x, y) on the object. negative_points: those that are not.
        strokes: on the object. negative_strokes: those that are not.
        box: (x0, y0, x1, y1), end-exclusive, or None.
        candidate: which reading of the rest is meant, 0 the likeliest.
        order: of the points, as of `Prompt.order`.
    """

    points: tuple[Point, ...] = ()
    negative_points: tuple[Point, ...] = ()
    strokes: tuple[Stroke, ...] = ()
    negative_strokes: tuple[Stroke, ...] = ()
    box: Box | None = None
    candidate: int = 0
    order: tuple[bool, ...] = ()

    @property
    def on_object(self) -> bool:
        """Whether anything says where the object is."""
        return bool(self.points or self.strokes or self.box)

    def drawn(self, size: tuple[int, int]) -> dict[str, Any]:
        """The strokes as `scribble` and `negative_scribble` of a `Prompt`, H x W bool each or None.

        Raises InputError for strokes that lie wholly outside the photo of `size` (H, W).
        """
        return {
            "scribble": draw_strokes(self.strokes, size),
            "negative_scribble": draw_strokes(self.negative_strokes, size),
        }


def read_clicks(value: object, size: tuple[int, int]) -> Clicks:
    """The clicks on a photo of (H, W).

    Args:
        value: the JSON as text or as a dict; "" and None say nothing.

    Clicks on a picture of another size are scaled to the photo, if it has the same shape.

    Raises InputError for anything else.
    """
    found = _mapping(value)
    if unknown := sorted(map(str, found.keys() - _KEYS)):
        raise InputError(f"the clicks know no {excerpt(unknown[0])!r}; they have {', '.join(sorted(_KEYS))}")
    if found.get("version", VERSION) != VERSION:
        raise InputError(
            f"the clicks are of version {excerpt(found['version'])}; this PaintSeg reads version {VERSION}"
        )
    to_x, to_y = _scale(found.get("size"), size)

    def placed(point: Point) -> Point:
        return on_edge(point[0] * to_x, size[1]), on_edge(point[1] * to_y, size[0])

    points: tuple[list[Point], list[Point]] = [], []
    order = []
    for one in _list(found, "points"):
        if not isinstance(one, Mapping):
            raise InputError(f'the clicks\' points must be like {{"x": 10, "y": 20, "label": 1}}, not {excerpt(one)}')
        order.append(bool(_label(one, "point")))
        points[order[-1]].append(placed(point_of(one, "clicks' points")))
    strokes: tuple[list[Stroke], list[Stroke]] = [], []
    for one in _list(found, "strokes"):
        strokes[_label(one, "stroke")].append(_stroke(one, placed, (to_x + to_y) / 2))
    corners = sum(len(one.points) for some in strokes for one in some)
    if sum(map(len, points)) + corners > MOST_POINTS:
        raise InputError(f"the clicks have {sum(map(len, points)) + corners} points; {MOST_POINTS} at most are read")
    box = found.get("box")
    if box is not None:
        x0, y0, x1, y1 = box_of(box, "clicks' box")
        box = x0 * to_x, y0 * to_y, x1 * to_x, y1 * to_y
    candidate = found.get("candidate", 0)
    if isinstance(candidate, bool) or not isinstance(candidate, int) or not 0 <= candidate <= MOST_CANDIDATE:
        raise InputError(f"the clicks' candidate must be 0, 1 or {MOST_CANDIDATE}, not {excerpt(candidate)}")
    return Clicks(
        tuple(points[1]), tuple(points[0]), tuple(strokes[1]), tuple(strokes[0]), box, candidate, tuple(order)
    )


def draw_strokes(strokes: tuple[Stroke, ...], size: tuple[int, int]) -> Tensor | None:
    """H x W bool: the pixels that strokes with round ends cover; None without strokes.

    Raises InputError when no pixel of the photo is covered.
    """
    if not strokes:
        return None
    canvas = Image.new("1", (size[1], size[0]))
    pen = ImageDraw.Draw(canvas)
    for stroke in strokes:
        # Pillow's pixel (x, y) is the one whose centre is (x + 0.5, y + 0.5).
        points = [(x - 0.5, y - 0.5) for x, y in stroke.points]
        width, radius = max(1, round(stroke.width)), stroke.width / 2
        if len(points) > 1:
            pen.line(points, fill=1, width=width, joint="curve")
        for x, y in (points[0], points[-1]):
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=1)
        for x, y in stroke.points:  # too thin to cover the middle of any pixel
            if 0 <= x < size[1] and 0 <= y < size[0]:
                canvas.putpixel((int(x), int(y)), 1)
    drawn = torch.from_numpy(np.array(canvas))
    if not drawn.any():
        raise InputError(f"the strokes lie outside the image of {size[1]} x {size[0]}")
    return drawn


def _mapping(value: object) -> Mapping[str, Any]:
    found = value
    if isinstance(found, str):
        if not found.strip():
            return {}
        try:
            found = json.loads(found)
        except (ValueError, RecursionError):
            raise InputError(f"the clicks must be JSON, not {excerpt(value)}") from None
    found = {} if found is None else plain(found)
    if not isinstance(found, Mapping):
        raise InputError(
            f'the clicks must be like {{"points": [{{"x": 10, "y": 20, "label": 1}}]}}, not {excerpt(value)}'
        )
    return found


def _scale(drawn_on: object, size: tuple[int, int]) -> tuple[float, float]:
    """From pixels of the picture drawn on, [width, height], to the photo's along x and y."""
    if drawn_on is None:
        return 1.0, 1.0
    if not are_numbers(drawn_on, 2) or min(drawn_on) <= 0:  # type: ignore[call-overload]
        raise InputError(f"the clicks' size must be [width, height] in pixels, not {excerpt(drawn_on)}")
    width, height = (float(side) for side in drawn_on)  # type: ignore[attr-defined]
    to_x, to_y = size[1] / width, size[0] / height
    rounded = min(abs(width - height * size[1] / size[0]), abs(height - width * size[0] / size[1])) <= 1
    if abs(math.log(to_x / to_y)) > _SAME_SHAPE and not rounded:
        raise InputError(
            f"the clicks were made on a picture of {width:g} x {height:g}, which is no picture of this photo of "
            f"{size[1]} x {size[0]}: clear them and click again"
        )
    return to_x, to_y


def _list(found: Mapping[str, Any], name: str) -> list[Any]:
    value = found.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise InputError(f"the clicks' {name} must be a list, not {excerpt(value)}")
    return value


def _label(one: object, what: str) -> int:
    """1 for what is on the object, which goes without saying, 0 for what is not."""
    label = one.get("label", 1) if isinstance(one, Mapping) else None
    if isinstance(label, bool) or label not in (0, 1):
        raise InputError(f"a {what} of the clicks must have the label 1 (object) or 0 (not the object): {excerpt(one)}")
    return int(label)


def _stroke(one: Mapping[str, Any], placed: Any, scale: float) -> Stroke:
    points, width = one.get("points"), one.get("width", 1)
    if not isinstance(points, list) or not points:
        raise InputError(f"a stroke of the clicks must have points like [[10, 20], [30, 25]], not {excerpt(points)}")
    if not is_number(width) or width <= 0:
        raise InputError(f"a stroke of the clicks must have a width above 0, not {excerpt(width)}")
    return Stroke(tuple(placed(point_of(point, "strokes of the clicks")) for point in points), float(width) * scale)
