"""Removal: the photo without an object, a clean plate (paper, appendix C).

The painter works on a window around the object at its own size; the photo keeps its resolution and, outside the
hole, every bit of its pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import Tensor

from ..errors import InputError
from ..morphology import Box, bounding_box, dilate
from ..painters import Painter
from ..scene import check_image
from ..view import View, resize

CONTEXT = 2.0
"""Side of the painter's window over the longer side of the hole: as much photo as hole along either axis."""

RIM = 0.025
"""Width of the contact rim over the root of the object's area: antialiasing, JPEG rings, the darkest of a shadow."""


@dataclass(frozen=True)
class Removal:
    """What `paint_out` did.

    Attributes:
        plate: 3 x H x W, the photo without the object.
        hole: H x W bool; outside it `plate` is the photo bit for bit.
    """

    plate: Tensor
    hole: Tensor


def remove(image: Tensor, mask: Tensor, painter: Painter, seed: int = 0, grow: int | None = None,
           candidates: int = 1) -> Tensor:
    """The photo without the object, 3 x H x W; see `paint_out`."""
    return paint_out(image, mask, painter, seed, grow, candidates).plate


def paint_out(image: Tensor, mask: Tensor, painter: Painter, seed: int = 0, grow: int | None = None,
              candidates: int = 1) -> Removal:
    """Paint an object out of a photo of any size.

    Args:
        image: 3 x H x W in [0, 1].
        mask: H x W, bool or in [0, 1], the object.
        painter: fills the hole.
        seed: same seed, same plate, to the bit on the CPU.
        grow: pixels the hole reaches beyond the mask; None takes `RIM` of the object's size.
        candidates: paintings to choose from.

    Raises:
        InputError: no photo, a mask of another size, an empty one, or one that leaves nothing of the photo.
    """
    check_image(image)
    photo = image.float().clamp(0, 1)
    solid = check_mask(mask, tuple(image.shape[1:]))
    rim = contact_rim(solid) if grow is None else grow
    hole = hole_of(solid, rim)
    if hole.all():
        raise InputError("the mask, grown by its rim, covers the whole image; nothing is left to paint from")
    view = window(hole, painter)
    canvas, keep_out = show(photo, view), show_hole(hole, view)
    generator = torch.Generator().manual_seed(seed)
    paintings = painter.paint(canvas, keep_out, candidates, generator)
    filled = view.paste(paintings[:1])[0].to(photo).clamp(0, 1)
    return Removal(plate=blend(photo, filled, hole, rim), hole=hole)


def check_mask(mask: Tensor, size: tuple[int, int], name: str = "mask") -> Tensor:
    """A mask H x W of an image of `size` as float in [0, 1]. Raises InputError."""
    if tuple(mask.shape) != size:
        raise InputError(f"the {name} must be H x W with the image's size {size[1]} x {size[0]}, "
                         f"not {' x '.join(str(side) for side in reversed(mask.shape))}")
    values = mask.float()
    if not torch.isfinite(values).all():
        raise InputError(f"the {name} holds NaN or infinite values")
    if not (values > 0.5).any():
        raise InputError(f"the {name} is empty: no pixel is above 0.5")
    return values.clamp(0, 1)


def contact_rim(mask: Tensor) -> int:
    """Pixels by which the hole should be larger than the object, H x W in [0, 1]."""
    return max(2, round(RIM * float((mask > 0.5).sum()) ** 0.5))


def hole_of(mask: Tensor, rim: int) -> Tensor:
    """H x W bool: the object with its soft edge, grown by `rim` pixels."""
    solid = mask > 0.5
    # faint values far from the object are the segmenter's doubt, not its hair
    touched = solid | ((mask > 0.1) & dilate(solid, 2 * rim, "disc"))
    return dilate(touched, rim, "disc")


def window(hole: Tensor, painter: Painter) -> View:
    """The view the painter gets: `CONTEXT` times the hole, at least the painter's size, never past the photo.

    One photo pixel is one canvas pixel whenever the painter is large enough; photos smaller than the painter are
    painted at their own size.
    """
    height, width = hole.shape
    box = bounding_box(hole[None, None])
    side = max(painter.size, int(CONTEXT * max(box[2] - box[0], box[3] - box[1])))
    (x0, x1), (y0, y1) = _span(box[0], box[2], side, width), _span(box[1], box[3], side, height)
    ratio = min(1.0, painter.size / max(x1 - x0, y1 - y0))
    content = max(1, round((y1 - y0) * ratio)), max(1, round((x1 - x0) * ratio))
    canvas = tuple(-(-length // painter.multiple) * painter.multiple for length in content)
    return View(photo=(height, width), box=(x0, y0, x1, y1), content=content, canvas=canvas)


def show(photo: Tensor, view: View) -> Tensor:
    """3 x H x W of the photo on the view's canvas; its mirror image fills what is left of the canvas."""
    return mirror(view.crop_content(photo[None]), view.canvas)[0]


def show_hole(hole: Tensor, view: View) -> Tensor:
    """1 x h x w: every canvas pixel the hole touches, mirrored like the photo in `show`."""
    x0, y0, x1, y1 = view.box
    cover = F.interpolate(hole[None, None, y0:y1, x0:x1].float(), view.content, mode="area")
    return (mirror(cover, view.canvas)[0] > 0).float()


def mirror(values: Tensor, size: tuple[int, int]) -> Tensor:
    """B x C x h x w extended to the right and below to `size` by its mirror image, again and again if need be."""
    rows, columns = (_mirrored(have, want, values.device) for have, want in zip(values.shape[-2:], size, strict=True))
    return values[..., rows, :][..., columns]


def blend(photo: Tensor, filled: Tensor, hole: Tensor, width: int) -> Tensor:
    """Fade from the photo to what was filled in over `width` pixels inside the hole's edge.

    Args:
        photo, filled: 3 x H x W. hole: H x W bool.

    Returns:
        3 x H x W, the photo bit for bit outside the hole.
    """
    depth = depth_inside(hole).to(photo)
    share = (depth / (width + 1)).clamp(0, 1)
    share = share * share * (3 - 2 * share)
    return torch.where(hole, photo + share * (filled - photo), photo)


def depth_inside(region: Tensor) -> Tensor:
    """Distance in pixels of every pixel of a region, H x W bool, to the nearest one outside; the photo's border is
    no outside."""
    box = bounding_box(region[None, None])
    depth = torch.zeros(region.shape)
    if box is None:
        return depth
    x0, y0, x1, y1 = max(0, box[0] - 1), max(0, box[1] - 1), box[2] + 1, box[3] + 1
    inside = region[y0:y1, x0:x1].cpu().numpy()
    if inside.all():
        return depth.fill_(np.inf)
    depth[y0:y1, x0:x1] = torch.from_numpy(ndimage.distance_transform_edt(inside)).float()
    return depth


def _span(start: int, end: int, side: int, limit: int) -> tuple[int, int]:
    first = min(max(0, (start + end - side) // 2), max(0, limit - side))
    return first, min(limit, first + side)


def _mirrored(have: int, want: int, device: torch.device) -> Tensor:
    if have == 1:
        return torch.zeros(want, dtype=torch.long, device=device)
    turn = torch.arange(want, device=device) % (2 * have - 2)
    return torch.where(turn < have, turn, 2 * have - 2 - turn)
