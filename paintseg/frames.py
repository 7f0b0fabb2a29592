"""Frames: what the encoder is shown of a photo and of its paintings, and how its grid lies on the canvas."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from .config import Config, Context
from .encoders import Encoder
from .encoders.base import check_features, working_device
from .morphology import Box
from .view import View, resize

Area = tuple[float, float, float, float]


@dataclass(frozen=True)
class Frame:
    """One context of the encoder: a rectangle around or inside the canvas, with the photo's features in it.

    Attributes:
        area: (x0, y0, x1, y1) of the rectangle in canvas pixels; it may reach beyond the canvas.
        content: (h, w) of the canvas that shows the photo, the rest of it is padding.
        image: 1 x 3 x H x W, the photo in that rectangle, sides multiples of the encoder's stride.
        features: 1 x C x h x w, the photo's tokens.
        keys: 1 x C x h x w, what affinities are measured on; None unless asked for.
        serves: the contexts of `Config.contexts` that this is the frame of.
    """

    area: Area
    content: tuple[int, int]
    image: Tensor
    features: Tensor
    keys: Tensor | None
    serves: tuple[Context, ...] = ()

    @property
    def grid(self) -> tuple[int, int]:
        """(h, w) of the features."""
        return tuple(self.features.shape[-2:])

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

    def coverage(self, mask: Tensor) -> Tensor:
        """Share of every grid cell that a canvas mask 1 x 1 x h x w covers, h x w in [0, 1]."""
        empty = torch.zeros(1, 1, *self.image.shape[-2:], device=mask.device)
        return F.interpolate(self.render(mask.float(), empty), self.grid, mode="area")[0, 0]

    def to_canvas(self, values: Tensor, canvas: tuple[int, int]) -> Tensor:
        """Bring grid values N x C x h x w to canvas pixels, bilinearly between the cells' centres."""
        return spread(values, self.area, canvas)


def photo_frame(photo: Tensor, encoder: Encoder, config: Config, size: int = 0) -> Frame:
    """The whole photo 1 x 3 x H x W as a frame; its area is the photo's own pixels until it is placed in a view.

    `size`: longer side given to the encoder, 0 for the config's `encoder_size`.
    """
    height, width = photo.shape[-2:]
    return make_frame(photo, (0.0, 0.0, float(width), float(height)), (height, width), encoder, config, size)


def lasting_frames(
    photo: Tensor, view: View, encoder: Encoder, config: Config, whole: Frame | None
) -> tuple[Frame, ...]:
    """The frames that stay the same over the loop, so that the photo is encoded once in each.

    Args:
        photo: 1 x 3 x H x W.
        whole: from `photo_frame`, if it is there already; it is not used where the view is the whole photo and the
            encoder was shown less than it should see of a view.
    """
    left, top, right, bottom = view.box
    everything = view.is_whole
    frames = []
    if "view" in config.contexts and not everything:
        area = (0.0, 0.0, float(view.content[1]), float(view.content[0]))
        frame = make_frame(photo[..., top:bottom, left:right], area, view.content, encoder, config)
        frames.append(replace(frame, serves=("view",)))
    if "photo" in config.contexts or ("view" in config.contexts and everything):
        size = config.encoder_size if everything else photo_side(config)
        if whole is None or tuple(whole.image.shape[-2:]) != encoder_input(view.photo, encoder, size):
            whole = photo_frame(photo, encoder, config, size)
        serves = ("view", "photo") if everything else ("photo",)
        frames.append(replace(whole, area=photo_area(view), content=view.content, serves=serves))
    return tuple(frames)


def photo_side(config: Config) -> int:
    """The longer side the encoder is given of the whole photo where the view is only a part of it."""
    return config.photo_size or config.encoder_size


def photo_area(view: View) -> Area:
    """Where the whole photo lies, in canvas pixels."""
    (left, top), (right, bottom) = view.to_canvas((0.0, 0.0)), view.to_canvas((view.photo[1], view.photo[0]))
    return left, top, right, bottom


def box_frame(canvas: Tensor, box: Box, encoder: Encoder, config: Config) -> Frame:
    """The paper's frame: the contrast box B of one step, cut from the canvas."""
    x0, y0, x1, y1 = box
    area = (float(x0), float(y0), float(x1), float(y1))
    return make_frame(canvas[..., y0:y1, x0:x1], area, (y1, x1), encoder, config)


def seen_as(frame: Frame, canvas: Tensor, encoder: Encoder) -> Frame:
    """The frame with `canvas`, 1 x 3 x h x w, in place of the photo, encoded anew; the keys stay the photo's."""
    image = frame.render(canvas, frame.image)
    return replace(frame, image=image, features=encoder.encode(image))


def make_frame(
    image: Tensor, area: Area, content: tuple[int, int], encoder: Encoder, config: Config, size: int = 0
) -> Frame:
    """Scale an image 1 x 3 x H x W so that its longer side is `size`, or the encoder's size for 0, and encode it."""
    shown = resize(image, encoder_input(tuple(image.shape[-2:]), encoder, size or config.encoder_size))
    shown = shown.to(working_device(encoder))
    if config.uses_keys:
        tokens, keys = encode_with_keys(encoder, shown)
    else:
        tokens, keys = check_features(encoder, shown, encoder.encode(shown)), None
    return Frame(area=area, content=content, image=shown, features=tokens, keys=keys)


def encoder_input(size: tuple[int, int], encoder: Encoder, side: int) -> tuple[int, int]:
    """(H, W) an image of that (H, W) is scaled to, so that its longer side is about `side` and the encoder takes it."""
    ratio, stride = side / max(size), encoder.stride
    return tuple(max(1, round(length * ratio / stride)) * stride for length in size)


def spread(values: Tensor, area: Area, canvas: tuple[int, int]) -> Tensor:
    """Grid values N x C x h x w that fill `area` to canvas pixels (h, w); see `Frame.to_canvas`."""
    height, width = canvas
    x0, y0, x1, y1 = area
    xs = (torch.arange(width, device=values.device) + 0.5 - x0) / (x1 - x0) * 2 - 1
    ys = (torch.arange(height, device=values.device) + 0.5 - y0) / (y1 - y0) * 2 - 1
    places = torch.stack(torch.meshgrid(xs, ys, indexing="xy"), dim=-1).expand(len(values), -1, -1, -1)
    return F.grid_sample(values, places, mode="bilinear", padding_mode="border", align_corners=False)


def encode_with_keys(encoder: Encoder, images: Tensor) -> tuple[Tensor, Tensor]:
    """Tokens and what affinities are measured on: attention keys where the encoder has them, else centred tokens."""
    if hasattr(encoder, "features"):
        both = encoder.features(images, tokens=True, keys=True)
        return check_features(encoder, images, both.tokens), check_features(encoder, images, both.keys)
    tokens = check_features(encoder, images, encoder.encode(images))
    return tokens, tokens - tokens.mean((2, 3), keepdim=True)
