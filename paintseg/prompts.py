"""Prompts: the ways a person points at an object, and what each says at the start.

A prompt may hold several kinds at once (a box and a not-object point). The strongest statement about extent
starts the loop: coarse mask, then box, then strokes, then points (paper, section 5.2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from .errors import InputError
from .morphology import bounding_box, box_mask

Box = tuple[float, float, float, float]
Point = tuple[float, float]
Kind = Literal["mask", "box", "scribble", "point"]

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
        mask: H x W float in [0, 1] (but for rounding, which is cut off), a coarse mask of the object, or None; what is
            outside the box is cut off.

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

    def __post_init__(self) -> None:
        height, width = self.size
        if height < 1 or width < 1:
            raise InputError(f"the image must have at least one pixel, not {width} x {height}")
        for name in ("scribble", "negative_scribble", "mask"):
            if getattr(self, name) is not None:
                self._set(name, _check_map(name.replace("_", " "), getattr(self, name), self.size))
        for name in ("points", "negative_points"):
            self._set(name, _check_points(name.replace("_", " "), getattr(self, name), self.size))
        if self.box is not None:
            self._set("box", _clip_box(self.box, self.size))
        if self.mask is None and self.box is None and self.scribble is None and not self.points:
            raise InputError("the prompt is empty: give a box, a point, a scribble or a coarse mask on the object")
        if self.mask is not None and self.box is not None:
            self._set("mask", self.mask * box_mask(self.whole_box(), self.size))
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

    def anchors(self) -> tuple[Point, ...]:
        """Points known to be on the object: the points given and points along the strokes."""
        return self.points + stroke_points(self.scribble)

    def negative_anchors(self) -> tuple[Point, ...]:
        """Points known not to be on the object."""
        return self.negative_points + stroke_points(self.negative_scribble)

    def bump_centres(self, box_centre: bool = True) -> tuple[Point, ...]:
        """The prompt points of eq. 2: the anchors and the box's centre; a coarse mask has none (section 4.2)."""
        if self.box is None or not box_centre:
            return self.anchors()
        x0, y0, x1, y1 = self.box
        return (*self.anchors(), ((x0 + x1) / 2, (y0 + y1) / 2))

    def with_points(self, points: Sequence[Point] = (), negative: Sequence[Point] = ()) -> Prompt:
        """The same prompt with points added."""
        return replace(self, points=(*self.points, *points), negative_points=(*self.negative_points, *negative))

    def whole_box(self) -> tuple[int, int, int, int] | None:
        """The box in whole pixels: every pixel it touches."""
        if self.box is None:
            return None
        x0, y0, x1, y1 = self.box
        return math.floor(x0), math.floor(y0), math.ceil(x1), math.ceil(y1)

    def extent(self) -> tuple[int, int, int, int] | None:
        """Whole-pixel box around the coarse mask or the box; None when the prompt says nothing about extent."""
        return self.whole_box() if self.mask is None else bounding_box(self.mask[None, None])

    def start_region(self) -> Tensor:
        """M_0, H x W bool: the coarse mask or the box itself, else the whole image (paper, section 5.2)."""
        if self.mask is not None:
            return self.mask > 0.5
        return torch.ones(self.size, dtype=torch.bool) if self.box is None else box_mask(self.whole_box(), self.size)


def box_prompt(box: Sequence[float], size: tuple[int, int]) -> Prompt:
    """A box (x0, y0, x1, y1) in pixels, end-exclusive, on an image of (H, W)."""
    return Prompt(size=size, box=tuple(box))


def point_prompt(points: Sequence[Point], size: tuple[int, int], negative: Sequence[Point] = ()) -> Prompt:
    """Points (x, y) in pixels on the object, and points on what is not."""
    return Prompt(size=size, points=tuple(points), negative_points=tuple(negative))


def mask_prompt(mask: Tensor) -> Prompt:
    """A coarse mask, H x W, bool or in [0, 1]."""
    mask = torch.as_tensor(mask).float()
    if mask.ndim != 2:
        raise InputError(f"a coarse mask is H x W, not {tuple(mask.shape)}")
    return Prompt(size=tuple(mask.shape), mask=mask)


def scribble_prompt(scribble: Tensor, negative: Tensor | None = None) -> Prompt:
    """Strokes on the object, H x W (above 0.5 counts), and strokes on what is not."""
    scribble = torch.as_tensor(scribble)
    if scribble.ndim != 2:
        raise InputError(f"a scribble is H x W, not {tuple(scribble.shape)}")
    other = None if negative is None else torch.as_tensor(negative) > 0.5
    return Prompt(
        size=tuple(scribble.shape),
        scribble=scribble > 0.5,
        negative_scribble=other if other is not None and other.any() else None,
    )


def stroke_points(strokes: Tensor | None, spacing: int = 0) -> tuple[Point, ...]:
    """Points spread over strokes H x W bool: one for every cell of `spacing` pixels that a stroke crosses.

    The point is the centre of the stroke pixel nearest to the mean of the stroke's pixels in that cell, so it lies
    on the stroke. By default cells are 24 pixels, and not more than 32 fit along the longer side: a large photo
    painted over with a thick brush must not make thousands.
    """
    if strokes is None:
        return ()
    spacing = spacing or max(24, max(strokes.shape) // 32)
    ys, xs = np.nonzero(strokes.cpu().numpy())
    if not len(xs):
        return ()
    cell = (ys // spacing) * (strokes.shape[1] // spacing + 1) + xs // spacing
    names, index = np.unique(cell, return_inverse=True)
    mean_x, mean_y = (ndimage.mean(values, index, np.arange(len(names))) for values in (xs, ys))
    distance = (xs - mean_x[index]) ** 2 + (ys - mean_y[index]) ** 2
    nearest = ndimage.minimum_position(distance, index, np.arange(len(names)))
    return tuple((float(xs[i]) + 0.5, float(ys[i]) + 0.5) for (i,) in nearest)


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


def _check_map(name: str, values: Tensor, size: tuple[int, int]) -> Tensor:
    if tuple(values.shape) != tuple(size):
        raise InputError(
            f"the {name} must have the image's size {size[1]} x {size[0]}, "
            f"not {' x '.join(str(side) for side in reversed(values.shape))}"
        )
    if values.is_floating_point() and not torch.isfinite(values).all():
        raise InputError(f"the {name} holds NaN or infinite values")
    if name != "negative scribble" and not (values > 0.5).any():
        raise InputError(f"the {name} is empty: no pixel is above 0.5")
    if name == "mask" and not (values.min() >= -_ROUNDING and values.max() <= 1 + _ROUNDING):
        raise InputError(f"the mask must hold values in [0, 1], not from {values.min():g} to {values.max():g}")
    values = values.detach().cpu()
    return values.float().clamp(0, 1) if name == "mask" else values > 0.5


def _check_points(name: str, points: Sequence[Point], size: tuple[int, int]) -> tuple[Point, ...]:
    height, width = size
    for point in points:
        if len(point) != 2:
            raise InputError(f"a point is two numbers x, y, not {tuple(point)}")
        x, y = point
        if not (0 <= x < width and 0 <= y < height):  # NaN fails this too
            whose = "" if name == "points" else f" of the {name}"
            raise InputError(f"the point ({x:g}, {y:g}){whose} lies outside the image of {width} x {height}")
    return tuple((float(x), float(y)) for x, y in points)


def _clip_box(box: Sequence[float], size: tuple[int, int]) -> Box:
    height, width = size
    if len(box) != 4:
        raise InputError(f"a box is four numbers x0, y0, x1, y1, not {len(box)}")
    x0, y0, x1, y1 = (float(value) for value in box)
    if not (x0 < x1 and y0 < y1):
        raise InputError(f"the box must have x0 < x1 and y0 < y1, not ({x0:g}, {y0:g}, {x1:g}, {y1:g})")
    clipped = (max(x0, 0.0), max(y0, 0.0), min(x1, float(width)), min(y1, float(height)))
    if clipped[2] - clipped[0] < 1 or clipped[3] - clipped[1] < 1:
        raise InputError(
            f"the box ({x0:g}, {y0:g}, {x1:g}, {y1:g}) must cover at least one pixel of the image of {width} x {height}"
        )
    return clipped
