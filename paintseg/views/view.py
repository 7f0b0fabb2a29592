"""A view: the part of a photo the loop works on, at the painter's size.

The photo keeps its resolution; only the view is scaled. Masks found in the view are pasted back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..ops.boxes import PixelBox, area_of
from ..ops.images import padded, resize, rounded_up

NEARLY = 0.9
"""Share of a photo from which a view of it is encoded with it, as one picture."""


@dataclass(frozen=True)
class View:
    """A rectangle of the photo, scaled into the top left of a canvas.

    Attributes:
        photo: (H, W) of the photo in pixels.
        box: (x0, y0, x1, y1) of the rectangle in the photo, end-exclusive.
        content: (h, w) the rectangle is scaled to.
        canvas: (h, w) of the canvas, multiples of what the painter wants; beyond `content` edges repeat.
    """

    photo: tuple[int, int]
    box: PixelBox
    content: tuple[int, int]
    canvas: tuple[int, int]

    @property
    def scale(self) -> tuple[float, float]:
        """Canvas pixels per photo pixel along x and y."""
        x0, y0, x1, y1 = self.box
        return self.content[1] / (x1 - x0), self.content[0] / (y1 - y0)

    @property
    def is_nearly_whole(self) -> bool:
        """Whether it shows `NEARLY` of the photo's pixels, so that to look at the photo is to look at the view."""
        return area_of(self.box) >= NEARLY * self.photo[0] * self.photo[1]

    def crop(self, image: Tensor) -> Tensor:
        """B x C x H x W of the photo to B x C x h x w of the canvas; edges repeat beyond the content."""
        return self.padded(self.crop_content(image))

    def padded(self, content: Tensor) -> Tensor:
        """B x C x content to B x C x h x w of the canvas; edges repeat beyond it."""
        return padded(content, self.canvas, "replicate")

    def crop_content(self, image: Tensor) -> Tensor:
        """B x C x H x W of the photo to B x C x content."""
        x0, y0, x1, y1 = self.box
        return resize(image[..., y0:y1, x0:x1], self.content)

    def crop_mask(self, mask: Tensor) -> Tensor:
        """A photo mask B x 1 x H x W to the canvas, coverage in [0, 1]; nothing is beyond the content."""
        x0, y0, x1, y1 = self.box
        region = F.interpolate(mask[..., y0:y1, x0:x1].float(), self.content, mode="area")
        return padded(region, self.canvas)

    def crop_box(self, box: PixelBox) -> Tensor:
        """`crop_mask` of a box of whole photo pixels, 1 x 1 x h x w; its cost does not grow with the photo."""
        x0, y0, x1, y1 = self.box
        inside = torch.zeros(1, 1, y1 - y0, x1 - x0)
        left, top, right, bottom = (max(0, edge - start) for edge, start in zip(box, (x0, y0, x0, y0), strict=True))
        inside[..., top:bottom, left:right] = 1
        return padded(F.interpolate(inside, self.content, mode="area"), self.canvas)

    def paste(self, values: Tensor, outside: float = 0.0) -> Tensor:
        """Canvas values B x C x h x w to the photo's size, `outside` beyond the view; on the CPU, like the photo."""
        x0, y0, x1, y1 = self.box
        inside = resize(values[..., : self.content[0], : self.content[1]], (y1 - y0, x1 - x0), clamp=False).cpu()
        result = inside.new_full((*values.shape[:2], *self.photo), outside)
        result[..., y0:y1, x0:x1] = inside
        return result

    def to_canvas(self, point: tuple[float, float]) -> tuple[float, float]:
        """A photo point (x, y) on the canvas."""
        sx, sy = self.scale
        return (point[0] - self.box[0]) * sx, (point[1] - self.box[1]) * sy

    def inside(self) -> Tensor:
        """1 x 1 x h x w bool: the canvas pixels that show the photo."""
        region = torch.zeros(1, 1, *self.canvas, dtype=torch.bool)
        region[..., : self.content[0], : self.content[1]] = True
        return region


def fit_view(photo: tuple[int, int], box: PixelBox | None, context: float, side: int, multiple: int) -> View:
    """The view around `box`, grown by `context`, with its longer side `side` pixels.

    Args:
        photo: (H, W) of the photo.
        box: what must be in view, or None for the whole photo.
        context: the view's sides over the box's longer side; the part that falls outside the photo is lost.
        side: longer side of the content in pixels. Small photos are enlarged.
        multiple: the canvas' sides are multiples of this.
    """
    height, width = photo
    if box is None:
        x0, y0, x1, y1 = 0, 0, width, height
    else:
        reach = context * max(box[2] - box[0], box[3] - box[1]) / 2
        cx, cy = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        x0, x1 = max(0, math.floor(cx - reach)), min(width, math.ceil(cx + reach))
        y0, y1 = max(0, math.floor(cy - reach)), min(height, math.ceil(cy + reach))
    return view_of((height, width), (x0, y0, x1, y1), side, multiple)


def view_of(photo: tuple[int, int], box: PixelBox, side: int, multiple: int) -> View:
    """The view of a box of the photo; arguments as for `fit_view`."""
    x0, y0, x1, y1 = box
    ratio = side / max(x1 - x0, y1 - y0)
    content = max(1, round((y1 - y0) * ratio)), max(1, round((x1 - x0) * ratio))
    return View(photo=photo, box=box, content=content, canvas=rounded_up(content, multiple))
