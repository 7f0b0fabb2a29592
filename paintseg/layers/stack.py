"""A stack of layers: what each is, where it lies on the picture, and the picture they make."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import InputError, excerpt
from ..ops.boxes import bounding_box
from ..ops.memory import says_shortage
from .blending import MODES, upon

FARTHEST_CORNER = 2**20
"""Pixels at most from the picture's upper left corner to a layer's, either way."""


@dataclass(frozen=True)
class NamedLayer:
    """A layer with its place and what a painting program shows of it.

    Attributes:
        name: in the list of layers.
        pixels: 4 x h x w, straight colour and alpha in [0, 1], or 3 x h x w, opaque.
        opacity: 0 to 1. visible: shown at first.
        left, top: where its upper left corner lies on the picture, in whole pixels; may be outside.
        mode: how it is blended with what lies behind it, one of `MODES`.
    """

    name: str
    pixels: Tensor
    opacity: float = 1.0
    visible: bool = True
    left: int = 0
    top: int = 0
    mode: str = "normal"

    @property
    def alpha(self) -> float:
        """The opacity it is shown with: 0 where it is hidden."""
        return self.opacity if self.visible else 0.0


def check_layer(layer: Tensor, name: str = "the layer") -> None:
    """Refuse what is no layer. Raises InputError."""
    if layer.ndim != 3 or layer.shape[0] != 4 or not layer.numel():
        raise InputError(f"{name} must be 4 x H x W, colour and alpha, not {tuple(layer.shape)}")
    if not torch.isfinite(layer).all():
        raise InputError(f"{name} holds NaN or infinite values")


def checked(layer: NamedLayer) -> Tensor:
    """The pixels of a layer as 4 x h x w on the CPU in [0, 1]. Raises InputError for what is no layer."""
    pixels = with_alpha(layer.pixels.detach().float().cpu())
    check_layer(pixels, f"the layer {layer.name!r}")
    if not 0 <= layer.opacity <= 1:
        raise InputError(f"the opacity of the layer {layer.name!r} must be from 0 to 1, not {layer.opacity!r}")
    if max(abs(layer.left), abs(layer.top)) > FARTHEST_CORNER:
        raise InputError(
            f"the layer {layer.name!r} lies at {layer.left}, {layer.top}; at most {FARTHEST_CORNER} pixels from the "
            "picture's corner"
        )
    if layer.mode not in MODES:
        raise InputError(
            f"the mode of the layer {layer.name!r} must be one of {', '.join(MODES)}, not {excerpt(layer.mode)}"
        )
    return pixels.clamp(0, 1)


def with_alpha(pixels: Tensor) -> Tensor:
    """3 x h x w as opaque 4 x h x w; anything else as it is."""
    if pixels.ndim == 3 and pixels.shape[0] == 3:
        return torch.cat([pixels, torch.ones_like(pixels[:1])])
    return pixels


def common_size(layers: Sequence[NamedLayer], size: tuple[int, int] | None = None) -> tuple[int, int]:
    """(H, W) of the picture: `size`, or that of all layers. Raises InputError for none, and where they differ."""
    if not layers:
        raise InputError("there are no layers to save")
    if size is not None:
        return size
    first = layers[0].pixels
    for layer in layers:
        if layer.pixels.shape[-2:] != first.shape[-2:]:
            raise InputError(
                f"the layer {layer.name!r} is {layer.pixels.shape[-1]} x {layer.pixels.shape[-2]}, "
                f"not {first.shape[-1]} x {first.shape[-2]} like the first one"
            )
    height, width = first.shape[-2:]
    return height, width


@says_shortage
def flatten(layers: Sequence[NamedLayer], size: tuple[int, int] | None = None) -> Tensor:
    """Visible layers, front to back, as one picture 4 x H x W with straight alpha, as painting programs mix them.

    `size` is the picture's, (H, W); without it that of the layers, which must be the same for all.
    """
    picture = torch.zeros(4, *common_size(layers, size))
    for layer in reversed(layers):
        pixels = checked(layer)
        paste(picture, pixels[:3], pixels[3] * layer.alpha, layer.left, layer.top, layer.mode)
    return picture


def paste(
    picture: Tensor, colour: Tensor, alpha: Tensor, left: int, top: int, mode: str = "normal", linear: bool = False
) -> None:
    """Put 3 x h x w with alpha h x w into `picture`, 3 or 4 x H x W, in place; what lies outside is cut off."""
    height, width = picture.shape[1:]
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(width, left + alpha.shape[1]), min(height, top + alpha.shape[0])
    if x0 >= x1 or y0 >= y1:
        return
    rows, columns = slice(y0 - top, y1 - top), slice(x0 - left, x1 - left)
    part = picture[:, y0:y1, x0:x1]
    picture[:, y0:y1, x0:x1] = upon(
        colour[:, rows, columns].to(picture), alpha[rows, columns].to(picture), part, mode, linear
    )


def on_canvas(layer: NamedLayer, size: tuple[int, int]) -> Tensor:
    """The pixels of a layer at its place on a picture of (H, W), 4 x H x W; opacity and mode are left alone."""
    pixels = checked(layer)
    if pixels.shape[1:] == size and (layer.left, layer.top) == (0, 0):
        return pixels  # with the colours under what is transparent
    canvas = torch.zeros(4, *size)
    paste(canvas, pixels[:3], pixels[3], layer.left, layer.top)
    return canvas


def visible_part(layer: NamedLayer) -> tuple[Tensor, int, int]:
    """The layer's pixels, 4 x h x w, cropped to what is not wholly transparent, one pixel where nothing is; and where
    that lies on the picture: left, top."""
    pixels = checked(layer)
    x0, y0, x1, y1 = bounding_box((pixels[3:] > 0)[None]) or (0, 0, 1, 1)
    return pixels[:, y0:y1, x0:x1], layer.left + x0, layer.top + y0


def printable(name: str) -> str:
    """A name without the characters that XML cannot hold."""
    return re.sub("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", name)
