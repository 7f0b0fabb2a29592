"""Prompts: the ways a person points at an object, and what each says at the start.

A prompt may hold several kinds at once (a box and a negative point). The strongest statement about extent
starts the loop: coarse mask, then box, then strokes, then points (paper, section 5.2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from .errors import InputError
from .ops.boxes import PixelBox, bounding_box, box_mask, whole_pixels
from .ops.coordinates import Box, Point, box_of, plain, point_of
from .ops.images import check_size, size_of

Kind = Literal["mask", "box", "scribble", "point"]

MAPS = ("scribble", "negative_scribble", "mask")
"""What a prompt says by a picture of the photo's size."""

_ROUNDING = 1e-3  # a mask that was resized passes 1 by this much at most, in half precision


@dataclass(frozen=True)
class Prompt:
    """Where the object is, in pixels of one image.

    Attributes:
        size: (H, W) of the image.
        box: (x0, y0, x1, y1), end-exclusive, or None.
        points: (x, y) on the object; the centre of the top left pixel is (0.5, 0.5).
        negative_points: (x, y) on what is not the object.
        scribble: H x W bool, strokes on the object, or None.
        negative_scribble: H x W bool, strokes on what is not the object, or None.
        order: which of the points came first, second and so on: True for the next one on the object, False for the next
            one on what is not; empty for those on the object first.
        mask: H x W float in [0, 1] (but for rounding, which is cut off), a coarse mask of the object, or None; what is
            outside the box is cut off.
        seen_answer: H x W in [0, 1], what whoever clicked was shown for it all, or None; of the parts of that answer a
            run changes the edges alone.

    Raises InputError when nothing points at an object, when something lies outside the image or has another size,
    and when mask and box have no pixel in common.
    """

    size: tuple[int, int]
    box: Box | None = None
    points: tuple[Point, ...] = ()
    negative_points: tuple[Point, ...] = ()
    scribble: Tensor | None = None
    negative_scribble: Tensor | None = None
    mask: Tensor | None = None
    order: tuple[bool, ...] = ()
    seen_answer: Tensor | None = None

    def __post_init__(self) -> None:
        height, width = self.size
        if height < 1 or width < 1:
            raise InputError(f"the image must have at least one pixel, not {width} x {height}")
        for name in (*MAPS, "seen_answer"):
            if getattr(self, name) is not None:
                self._set(name, _check_map(name.replace("_", " "), getattr(self, name), self.size))
        for name in ("points", "negative_points"):
            self._set(name, _check_points(name.replace("_", " "), getattr(self, name), self.size))
        if self.box is not None:
            self._set("box", _clip_box(self.box, self.size))
        self._set("order", tuple(map(bool, self.order)))
        counts = len(self.points), len(self.negative_points)
        if self.order and (self.order.count(True), self.order.count(False)) != counts:
            raise InputError(
                f"the order must name {counts[0]} points and {counts[1]} negative points, "
                f"not {self.order.count(True)} and {self.order.count(False)}"
            )
        if self.mask is None and self.box is None and self.scribble is None and not self.points:
            raise InputError("the prompt is empty: give a box, a point, a scribble or a coarse mask on the object")
        if self.mask is not None and self.box is not None:
            self._set("mask", self.mask * box_mask(whole_pixels(self.box), self.size))
            if not (self.mask > 0.5).any():
                raise InputError("the coarse mask and the box have no pixel in common; both must be on the object")

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)  # a frozen dataclass is still tidied once, as it is made

    @property
    def kind(self) -> Kind:
        """What starts the loop."""
        if self.mask is not None:
            return "mask"
        if self.box is not None:
            return "box"
        return "scribble" if self.scribble is not None else "point"

    @property
    def is_bare_mask(self) -> bool:
        """Whether it is a coarse mask and nothing that says more exactly where the object is."""
        rest = (self.box, self.scribble, self.negative_scribble)
        said = self.points or self.negative_points or any(one is not None for one in rest)
        return self.mask is not None and not said

    def anchors(self) -> Tensor:
        """n x 2, (x, y) of what is known to be on the object: every point given, every pixel of the strokes."""
        return _spots(self.points, self.scribble)

    def negative_anchors(self) -> Tensor:
        """m x 2, (x, y) of what is known not to be on the object, as in `anchors`."""
        return _spots(self.negative_points, self.negative_scribble)

    def bump_centres(self, box_centre: bool = True) -> tuple[Point, ...]:
        """The single points of eq. 2: those given and the box's centre; a coarse mask has none (section 4.2).

        Every pixel of a stroke is a point of eq. 2 too; the strokes are handed on as they were drawn.
        """
        if self.box is None or not box_centre:
            return self.points
        x0, y0, x1, y1 = self.box
        return (*self.points, ((x0 + x1) / 2, (y0 + y1) / 2))

    def with_points(self, points: Sequence[Point] = (), negative: Sequence[Point] = ()) -> Prompt:
        """The same prompt with points added, to which no answer was seen yet."""
        order = *(side for _, side in self.clicks()), *(True for _ in points), *(False for _ in negative)
        on, off = (*self.points, *points), (*self.negative_points, *negative)
        return replace(self, points=on, negative_points=off, order=order, seen_answer=None)

    def first_said(self) -> Prompt:
        """What a conversation began with: mask, box or strokes, else the first point; the other points came after.

        A prompt that begins with the same says the same first, whatever was clicked since.
        """
        return replace(self, points=self.points[:1] if self.kind == "point" else (), negative_points=(), order=())

    @property
    def is_corrected(self) -> bool:
        """Whether any point corrects what the prompt began with."""
        return len(self.clicks()) > (self.kind == "point")

    def clicks(self) -> tuple[tuple[Point, bool], ...]:
        """All points, (x, y), and whether each is on the object, in their order."""
        on, off = iter(self.points), iter(self.negative_points)
        order = self.order or (True,) * len(self.points) + (False,) * len(self.negative_points)
        return tuple((next(on if side else off), side) for side in order)

    def whole_box(self) -> PixelBox | None:
        """The box in whole pixels: every pixel it touches."""
        return None if self.box is None else whole_pixels(self.box)

    def extent(self) -> PixelBox | None:
        """Whole-pixel box around the coarse mask or the box; None when the prompt says nothing about extent."""
        return self.whole_box() if self.mask is None else bounding_box(self.mask[None, None])

    def start_region(self) -> Tensor:
        """M_0, H x W bool: the coarse mask or the box itself, else the whole image (paper, section 5.2)."""
        if self.mask is not None:
            return self.mask > 0.5
        if self.box is not None:
            return box_mask(whole_pixels(self.box), self.size)
        return torch.ones(self.size, dtype=torch.bool)


def box_prompt(box: Sequence[float], size: Sequence[int]) -> Prompt:
    """A box (x0, y0, x1, y1) in pixels, end-exclusive, on an image of (H, W)."""
    height, width = size
    return Prompt(size=(height, width), box=box_of(box))


def point_prompt(points: Sequence[Point], size: Sequence[int], negative: Sequence[Point] = ()) -> Prompt:
    """Points (x, y) in pixels on the object, and points on what is not."""
    height, width = size
    on, off = _read_points("points", points), _read_points("negative points", negative)
    return Prompt(size=(height, width), points=on, negative_points=off)


def mask_prompt(mask: Tensor) -> Prompt:
    """A coarse mask, H x W, bool or in [0, 1]."""
    mask = torch.as_tensor(mask).float()
    if mask.ndim != 2:
        raise InputError(f"a coarse mask is H x W, not {tuple(mask.shape)}")
    return Prompt(size=size_of(mask), mask=mask)


def scribble_prompt(scribble: Tensor, negative: Tensor | None = None) -> Prompt:
    """Strokes on the object, H x W (above 0.5 counts), and strokes on what is not."""
    scribble = torch.as_tensor(scribble)
    if scribble.ndim != 2:
        raise InputError(f"a scribble is H x W, not {tuple(scribble.shape)}")
    other = None if negative is None else torch.as_tensor(negative) > 0.5
    return Prompt(
        size=size_of(scribble),
        scribble=scribble > 0.5,
        negative_scribble=other if other is not None and other.any() else None,
    )


def dot_points(dots: Tensor) -> tuple[Point, ...]:
    """A point for every connected dot of a painted mask H x W bool: the centre of the dot's pixel nearest to its mean.

    Pixels that touch at a corner belong to one dot.
    """
    labels, _ = ndimage.label(dots.cpu().numpy(), np.ones((3, 3)))
    points = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        ys, xs = np.nonzero(labels[rows, columns] == number)
        nearest = np.argmin((ys - ys.mean()) ** 2 + (xs - xs.mean()) ** 2)
        points.append((float(columns.start + xs[nearest]) + 0.5, float(rows.start + ys[nearest]) + 0.5))
    return tuple(points)


def _spots(points: tuple[Point, ...], strokes: Tensor | None) -> Tensor:
    """n x 2: the points, then the centres of the strokes' pixels."""
    given = torch.tensor(points, dtype=torch.float32).view(-1, 2)
    return given if strokes is None else torch.cat([given, strokes.nonzero().flip(1) + 0.5])


def _check_map(name: str, values: Tensor, size: tuple[int, int]) -> Tensor:
    check_size(values, size, name)
    if values.is_floating_point() and not torch.isfinite(values).all():
        raise InputError(f"the {name} holds NaN or infinite values")
    if name != "negative scribble" and not (values > 0.5).any():
        raise InputError(f"the {name} is empty: no pixel is above 0.5")
    soft = name in ("mask", "seen answer")
    if soft and not (values.min() >= -_ROUNDING and values.max() <= 1 + _ROUNDING):
        raise InputError(f"the {name} must hold values in [0, 1], not from {values.min():g} to {values.max():g}")
    values = values.detach().cpu()
    return values.float().clamp(0, 1) if soft else values > 0.5


def _check_points(name: str, points: Sequence[Point], size: tuple[int, int]) -> tuple[Point, ...]:
    height, width = size
    placed = _read_points(name, points)
    for x, y in placed:
        if not (0 <= x < width and 0 <= y < height):  # NaN fails this too
            whose = "" if name == "points" else f" of the {name}"
            raise InputError(f"the point ({x:g}, {y:g}){whose} lies outside the image of {width} x {height}")
    return placed


def _read_points(name: str, points: Sequence[Point]) -> tuple[Point, ...]:
    """Points as tuples, whatever sequence or array they come in."""
    array = hasattr(points, "tolist") or isinstance(points, Mapping)
    found = plain(points if array else list(points))
    if not isinstance(found, list) or (found and not isinstance(found[0], (list, dict))):
        found = [found]
    return tuple(point_of(point, name) for point in found)


def _clip_box(box: Sequence[float], size: tuple[int, int]) -> Box:
    height, width = size
    x0, y0, x1, y1 = box_of(box)
    if not (x0 < x1 and y0 < y1):
        raise InputError(f"the box must have x0 < x1 and y0 < y1, not ({x0:g}, {y0:g}, {x1:g}, {y1:g})")
    clipped = (max(x0, 0.0), max(y0, 0.0), min(x1, float(width)), min(y1, float(height)))
    if clipped[2] - clipped[0] < 1 or clipped[3] - clipped[1] < 1:
        raise InputError(
            f"the box ({x0:g}, {y0:g}, {x1:g}, {y1:g}) must cover at least one pixel of the image of {width} x {height}"
        )
    return clipped
