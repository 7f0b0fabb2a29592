"""The painter's window: the part of a photo around a hole, on a canvas the painter can take."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..ops.boxes import box_around
from ..ops.images import rounded_up
from ..painters import Painter
from ..views.view import View

CONTEXT = 2.0
"""Side of the window over the longer side of the hole: as much photo as hole along either axis."""


def window(hole: Tensor, painter: Painter, size: int | None = None, share: float = 1.0) -> View:
    """The view the painter gets: `CONTEXT` times the hole, at least the painter's size, never past the photo.

    Args:
        hole: H x W bool, not empty.
        painter: whose `multiple` and `size` the canvas keeps to.
        size: longest side of the canvas' content in pixels; None for the painter's.
        share: of `size`, the most that the hole's longer side may take; less shows a large hole smaller.

    Returns a view that never enlarges: one photo pixel is at most one canvas pixel.
    """
    height, width = hole.shape
    box = box_around(hole[None, None], "hole")
    longest = max(box[2] - box[0], box[3] - box[1])
    room = size or painter.size
    ratio = min(1.0, share * room / longest)
    side = max(int(CONTEXT * longest), int(room / ratio))
    (x0, x1), (y0, y1) = _span(box[0], box[2], side, width), _span(box[1], box[3], side, height)
    ratio = min(ratio, room / max(x1 - x0, y1 - y0))
    content = max(1, round((y1 - y0) * ratio)), max(1, round((x1 - x0) * ratio))
    canvas = rounded_up(content, painter.multiple)
    return View(photo=(height, width), box=(x0, y0, x1, y1), content=content, canvas=canvas)


def show(photo: Tensor, view: View) -> Tensor:
    """3 x H x W of the photo on the view's canvas; its mirror image fills what is left of the canvas."""
    return mirror(view.crop_content(photo[None]), view.canvas)[0]


def show_hole(hole: Tensor, view: View) -> Tensor:
    """1 x h x w, 1 on every canvas pixel that a hole H x W bool touches, mirrored like the photo in `show`."""
    x0, y0, x1, y1 = view.box
    cover = F.interpolate(hole[None, None, y0:y1, x0:x1].float(), view.content, mode="area")
    return (mirror(cover, view.canvas)[0] > 0).float()


def nearby(region: Tensor, reach: int) -> tuple[slice, slice]:
    """Rows and columns of a region H x W bool, not empty, and of `reach` pixels around it."""
    x0, y0, x1, y1 = box_around(region[None, None])
    return slice(max(0, y0 - reach), y1 + reach), slice(max(0, x0 - reach), x1 + reach)


def mirror(values: Tensor, size: tuple[int, int]) -> Tensor:
    """B x C x h x w extended to the right and below to `size` by its mirror image, again and again if need be."""
    rows, columns = (_mirrored(have, want, values.device) for have, want in zip(values.shape[-2:], size, strict=True))
    return values[..., rows, :][..., columns]


def _span(start: int, end: int, side: int, limit: int) -> tuple[int, int]:
    first = min(max(0, (start + end - side) // 2), max(0, limit - side))
    return first, min(limit, first + side)


def _mirrored(have: int, want: int, device: torch.device) -> Tensor:
    if have == 1:
        return torch.zeros(want, dtype=torch.long, device=device)
    turn = torch.arange(want, device=device) % (2 * have - 2)
    return torch.where(turn < have, turn, 2 * have - 2 - turn)
