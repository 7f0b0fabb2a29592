"""Frames: what the encoder is shown of a photo and of its paintings, and how its grid lies on the canvas."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from ..config import Config, Context
from ..encoders import Encoder
from ..encoders.base import check_features, working_device
from ..errors import InputError
from ..ops.boxes import PixelBox, area_of
from ..ops.images import resize, size_of
from .looks import Looks
from .view import View

Area = tuple[float, float, float, float]

COARSEST = 8.0
"""How much coarser the photo's patches may be than the view's. Beyond that the photo has three patches of an object at
most, and they tell it from nothing."""

CLOSER = 1.25
"""The longer side of the closer look at a view, over `Config.encoder_size`."""

CROWDED = 0.35
"""Share of a view above which an object leaves too little beside it for a closer look (docs/experiments/views.md)."""

MOST_WALKED = 4096
"""Patches that walks go between at most: 64 x 64, and matrices of 67 MB. All presets are below with 14-px patches."""


@dataclass(frozen=True)
class Frame:
    """One context of the encoder: a rectangle around or inside the canvas, with the photo's features in it.

    Attributes:
        area: (x0, y0, x1, y1) of the rectangle in canvas pixels; it may reach beyond the canvas.
        content: (h, w) of the canvas that shows the photo, the rest of it is padding.
        image: 1 x 3 x H x W, the photo in that rectangle, sides multiples of the encoder's stride.
        features: 1 x C x h x w, the photo's tokens; None where no painting is compared with them (`Config.paint_size`).
        keys: 1 x C x h x w, what affinities are measured on; None unless asked for.
        serves: the contexts of `Config.contexts` that this is the frame of.
    """

    area: Area
    content: tuple[int, int]
    image: Tensor
    features: Tensor | None
    keys: Tensor | None
    serves: tuple[Context, ...] = ()

    @property
    def grid(self) -> tuple[int, int]:
        """(h, w) of the patches."""
        return size_of(self.need_keys() if self.features is None else self.features)

    @property
    def patch(self) -> float:
        """Side of a patch in canvas pixels, the geometric mean of its two sides."""
        (rows, columns), (x0, y0, x1, y1) = self.grid, self.area
        return math.sqrt((x1 - x0) * (y1 - y0) / (rows * columns))

    def need_features(self) -> Tensor:
        """The tokens, 1 x C x h x w. Raises InputError for a frame that was made without them."""
        if self.features is None:
            raise InputError("paintings need the encoder's tokens; this frame is for affinities alone (paint_size)")
        return self.features

    def need_keys(self) -> Tensor:
        """The keys, 1 x C x h x w. Raises InputError for a frame that was made without them."""
        if self.keys is None:
            raise InputError(
                "affinities need the encoder's keys; no parameter that uses them was on (Config.uses_keys)"
            )
        return self.keys

    def walked(self) -> Frame:
        """The same for walks between its patches: on a coarser grid where there are more than `MOST_WALKED`.

        Walks over n patches take matrices of n x n: 229 MB each for the 87 x 87 patches that an encoder of 8-px patches
        sees at 700 px. Keys and features are means there.
        """
        rows, columns = self.grid
        coarser = (rows * columns / MOST_WALKED) ** 0.5
        if coarser <= 1:
            return self
        grid = max(1, int(rows / coarser)), max(1, int(columns / coarser))
        keys = None if self.keys is None else F.adaptive_avg_pool2d(F.normalize(self.keys, dim=1), grid)
        features = None if self.features is None else F.adaptive_avg_pool2d(self.features, grid)
        return replace(self, features=features, keys=keys)

    def render(self, values: Tensor, base: Tensor) -> Tensor:
        """Draw canvas values N x C x h x w into the frame over `base` 1 x C x H x W, kept where no content is."""
        height, width = self.image.shape[-2:]
        x0, y0, x1, y1 = self.area
        sx, sy = width / (x1 - x0), height / (y1 - y0)
        # The part of the content that the frame shows, in whole canvas pixels, and where it falls in the frame.
        left, top = max(0, round(x0)), max(0, round(y0))
        right, bottom = min(self.content[1], round(x1)), min(self.content[0], round(y1))
        u0, v0 = round((left - x0) * sx), round((top - y0) * sy)
        u1, v1 = round((right - x0) * sx), round((bottom - y0) * sy)
        drawn = base.expand(len(values), *base.shape[1:]).clone()
        u0, v0, u1, v1 = max(u0, 0), max(v0, 0), min(max(u1, u0 + 1), width), min(max(v1, v0 + 1), height)
        drawn[..., v0:v1, u0:u1] = resize(values[..., top:bottom, left:right], (v1 - v0, u1 - u0))
        return drawn

    def show(self, images: Tensor, canvas: Tensor) -> Tensor:
        """Paintings N x 3 x h x w of the `canvas` 1 x 3 x h x w as the encoder is shown them, N x 3 x H x W.

        Only what differs from the canvas is pasted into the frame's own picture. The canvas was scaled once more than
        that picture; drawn whole, it would differ from the photo where nothing was painted.
        """
        painted = (images != canvas).any(1, keepdim=True).float()
        nowhere = painted.new_zeros(1, 1, *self.image.shape[-2:])
        return torch.where(self.render(painted, nowhere) > 0, self.render(images, self.image), self.image)

    def coverage(self, mask: Tensor) -> Tensor:
        """Share of every grid cell that a canvas mask 1 x 1 x h x w covers, h x w in [0, 1]."""
        empty = torch.zeros(1, 1, *self.image.shape[-2:], device=mask.device)
        return F.interpolate(self.render(mask.float(), empty), self.grid, mode="area")[0, 0]

    def to_canvas(self, values: Tensor, canvas: tuple[int, int]) -> Tensor:
        """Bring grid values N x C x h x w to canvas pixels, bilinearly between the cells' centres."""
        return spread(values, self.area, canvas)


def photo_frame(looks: Looks, config: Config, size: int = 0) -> Frame:
    """The whole photo as a frame; its area is the photo's own pixels until it is placed in a view.

    Args:
        looks: of the photo by the encoder.
        size: longer side given to the encoder, 0 for the config's `encoder_size`.
    """
    height, width = looks.size
    return part_frame(looks, (0, 0, width, height), (0.0, 0.0, float(width), float(height)), looks.size, config, size)


def part_frame(
    looks: Looks, box: PixelBox, area: Area, content: tuple[int, int], config: Config, size: int = 0
) -> Frame:
    """A rectangle of the photo as a frame; see `Frame` and `photo_frame`."""
    x0, y0, x1, y1 = box
    shown, keyed = encoder_input((y1 - y0, x1 - x0), looks.encoder, size or config.encoder_size), config.uses_keys
    look = looks.at(box, shown, keyed, not (keyed and compared_smaller(shown, config)))
    return Frame(area, content, look.image, look.features, look.keys)


def lasting_frames(
    looks: Looks, view: View, config: Config, whole: Frame | None, extent: PixelBox | None = None
) -> tuple[Frame, ...]:
    """The frames that stay the same over the loop, so that the photo is encoded once in each.

    Args:
        looks: as for `photo_frame`.
        extent: (x0, y0, x1, y1) in the photo, where the object is expected. Walks that leave it must meet background:
            a view of which it takes more than `CROWDED` is not looked at any closer, beside another context.
        whole: from `photo_frame`, if it is there already; it is not used where the view is nearly the whole photo and
            the encoder was shown less than it should see of a view.
    """
    everything = view.is_nearly_whole
    frames = []
    area = (0.0, 0.0, float(view.content[1]), float(view.content[0]))
    if "view" in config.contexts and not everything:
        frame = part_frame(looks, view.box, area, view.content, config)
        frames.append(replace(frame, serves=("view",)))
    x0, y0, x1, y1 = view.box
    coarser = max(view.photo) / max(x1 - x0, y1 - y0) * config.encoder_size / photo_side(config)
    told = "photo" in config.contexts and (not frames or coarser <= COARSEST)
    if told or ("view" in config.contexts and everything):
        size = max(config.encoder_size, photo_side(config)) if everything else photo_side(config)
        if whole is None or tuple(whole.image.shape[-2:]) != encoder_input(view.photo, looks.encoder, size):
            whole = photo_frame(looks, config, size)
        serves: tuple[Context, ...] = ("view", "photo") if everything else ("photo",)
        frames.append(replace(whole, area=photo_area(view), content=view.content, serves=serves))
    crowded = bool(frames) and extent is not None and area_of(extent) > CROWDED * area_of(view.box)
    if "closer" in config.contexts and not crowded:
        frame = part_frame(looks, view.box, area, view.content, config, round(CLOSER * config.encoder_size))
        frames.append(replace(frame, serves=("closer",)))
    return tuple(frames)


def compared_frames(frames: tuple[Frame, ...], view: View, config: Config, looks: Looks) -> tuple[Frame, ...]:
    """Those of the lasting frames that paintings are compared in, where they are larger made anew at `paint_size`.

    A painting has no more detail than the canvas, and its share of the potential is coarse. So both pictures may be
    smaller than what affinities are measured on; most of the encoder's time goes into paintings.

    Args:
        frames: from `lasting_frames`; the rest as there.
    """
    wanted = set(config.compared_contexts)
    found = []
    for frame in (each for each in frames if wanted & set(each.serves)):
        if compared_smaller(size_of(frame.image), config):
            x0, y0, x1, y1 = box = (0, 0, view.photo[1], view.photo[0]) if "photo" in frame.serves else view.box
            shown = encoder_input((y1 - y0, x1 - x0), looks.encoder, config.paint_size)
            look = looks.at(box, shown, keyed=False, tokens=True)
            frame = replace(frame, image=look.image, features=look.features, keys=None)
        found.append(frame)
    return tuple(found)


def compared_smaller(shown: tuple[int, int], config: Config) -> bool:
    """Whether paintings are compared at a smaller size than the encoder's input (H, W) for a context."""
    return bool(config.paint_size) and max(shown) > config.paint_size


def photo_side(config: Config) -> int:
    """The longer side the encoder is given of the whole photo where the view is only a part of it."""
    return config.photo_size or config.encoder_size


def photo_area(view: View) -> Area:
    """Where the whole photo lies, in canvas pixels."""
    (left, top), (right, bottom) = view.to_canvas((0.0, 0.0)), view.to_canvas((view.photo[1], view.photo[0]))
    return left, top, right, bottom


def box_frame(canvas: Tensor, box: PixelBox, encoder: Encoder, config: Config) -> Frame:
    """The paper's frame: the contrast box B of one step, cut from the canvas, without keys.

    Whether its features are finite is for the step to ask, which looks at all it computed once.
    """
    x0, y0, x1, y1 = box
    area = (float(x0), float(y0), float(x1), float(y1))
    shown = resize(canvas[..., y0:y1, x0:x1], encoder_input((y1 - y0, x1 - x0), encoder, config.encoder_size))
    shown = shown.to(working_device(encoder))
    return Frame(area, (y1, x1), shown, check_features(encoder, shown, encoder.encode(shown), finite=False), keys=None)


def seen_as(frame: Frame, reference: Tensor, canvas: Tensor, encoder: Encoder) -> Frame:
    """The frame with the features of `reference` in place of the photo's; both are 1 x 3 x h x w on the canvas.

    Picture and keys stay the photo's.
    """
    return replace(frame, features=encoder.encode(frame.show(reference, canvas)))


def encoder_input(size: tuple[int, int], encoder: Encoder, side: int) -> tuple[int, int]:
    """(H, W) an image of that (H, W) is scaled to, so that its longer side is about `side` and the encoder takes it."""
    rows, columns = patch_grid(size, side / encoder.stride)
    return rows * encoder.stride, columns * encoder.stride


def patch_grid(size: tuple[int, int], cells: float) -> tuple[int, int]:
    """(h, w) of the grid of patches of an image (H, W) with about `cells` of them along its longer side."""
    height, width = (max(1, round(length * cells / max(size))) for length in size)
    return height, width


def spread(values: Tensor, area: Area, canvas: tuple[int, int]) -> Tensor:
    """Grid values N x C x h x w that fill `area` to canvas pixels (h, w); see `Frame.to_canvas`."""
    height, width = canvas
    x0, y0, x1, y1 = area
    xs = (torch.arange(width, device=values.device) + 0.5 - x0) / (x1 - x0) * 2 - 1
    ys = (torch.arange(height, device=values.device) + 0.5 - y0) / (y1 - y0) * 2 - 1
    places = torch.stack(torch.meshgrid(xs, ys, indexing="xy"), dim=-1).expand(len(values), -1, -1, -1)
    return F.grid_sample(values, places, mode="bilinear", padding_mode="border", align_corners=False)
