"""ComfyUI's LAYERS type: a stack of layers as a plain value that any node can hand out and take.

A value is `{"version": 1, "canvas": (width, height), "layers": [item, ...]}` with the items back to front (ours are
front to back). The facts are those of the nodes Add Layer and Create Layered Image, ComfyUI 0.31 and later:

- `image`: B x H x W x 3 or 4; a batch is that many layers, one in front of the other, all at the item's place.
- `mask`: B x H x W, 1 is transparent; multiplied with the image's own alpha.
- `x`, `y`: the upper left corner in pixels of the canvas. `w`, `h`: the size it is shown with.
- `rotation`: radians, clockwise, about the middle. `flip_h`, `flip_v`: before it is turned.
- `opacity`, `blend_mode`, `visible`, `name`; `z_index`: by which items are sorted, equal ones stay in order.

What is not said has its default. Items without a tensor under `image` are no layers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import InputError, excerpt
from ..ops.memory import says_shortage
from .blending import MODES
from .compose import LARGEST_SIDE, fit
from .stack import NamedLayer, checked, visible_part, with_alpha

MOST_LAYERS = 50
"""Layers at most in a value, as ComfyUI has it."""

OTHER_MODES = (
    "soft-light",
    "vivid-light",
    "pin-light",
    "linear-light",
    "hard-mix",
    "divide",
    "grain-extract",
    "grain-merge",
    "hue",
    "saturation",
    "color",
    "luminosity",
)
"""Blend modes that ComfyUI has and this library has not: their layers are blended as "normal", and a note says so."""


@dataclass(frozen=True)
class Stack:
    """What a LAYERS value holds.

    Attributes:
        layers: front to back.
        size: (H, W) of the canvas.
        note: what could not be taken over, a sentence a line; mostly empty.
    """

    layers: tuple[NamedLayer, ...]
    size: tuple[int, int]
    note: str = ""


def layers_value(layers: Sequence[NamedLayer], size: tuple[int, int]) -> dict[str, Any]:
    """A LAYERS value of layers, front to back, on a canvas of `size` (H, W).

    Each is cropped to what is visible of it. An opaque one becomes an RGB image, any other RGBA.

    Raises InputError for no layers, more than `MOST_LAYERS`, and what is no layer.
    """
    if not layers:
        raise InputError("there are no layers to hand out")
    _check_number(len(layers))
    items = [_item(layer, number) for number, layer in enumerate(reversed(layers))]
    return {"version": 1, "canvas": (size[1], size[0]), "layers": items}


@says_shortage
def read_layers(value: object) -> Stack:
    """The layers of a LAYERS value, scaled, mirrored and turned as it says, at their places.

    Raises InputError: no such value, another version, another type of item, no layer, more than `MOST_LAYERS`, a blend
    mode that nobody knows, or a layer or canvas that is too large.
    """
    if not isinstance(value, dict) or not isinstance(value.get("layers"), (list, tuple)):
        raise InputError(f"layers must be a LAYERS value, as Add Layer makes it, not {excerpt(type(value).__name__)}")
    version = value.get("version")
    if version is not None and version != 1:
        raise InputError(f"the layers are of version {excerpt(version)}; only version 1 is known")
    items = [item for item in value["layers"] if isinstance(item, dict)]
    for item in items:
        if item.get("type", "raster") != "raster":
            raise InputError(f"layers of the type {excerpt(item['type'])} are not known; only raster is")
    items = [item for item in items if isinstance(item.get("image"), Tensor)]
    items.sort(key=lambda item: _whole(item.get("z_index"), 0))
    for item in items:
        if item["image"].ndim != 4 or item["image"].shape[3] not in (3, 4) or not item["image"].numel():
            raise InputError(f"the image of a layer must be B x H x W x 3 or 4, not {tuple(item['image'].shape)}")
    _check_number(sum(len(item["image"]) for item in items))
    layers = [layer for item in items for layer in _frames(item)]
    if not layers:
        raise InputError("the layers hold no image: there is no layer in them")
    unknown = sorted({item["blend_mode"] for item in items if item.get("blend_mode") in OTHER_MODES})
    note = f"blend modes that PaintSeg does not have are blended as normal: {', '.join(unknown)}" if unknown else ""
    return Stack(tuple(reversed(layers)), _canvas(value.get("canvas")) or _extent(items), note)


def without_backdrop(stack: Stack, size: tuple[int, int]) -> tuple[tuple[NamedLayer, ...], str]:
    """The layers without the last one where that hides all of a plate (H, W) that lies behind them; and a sentence.

    A plate that was given twice is one plate: the one that was wired.
    """
    last = stack.layers[-1]
    height, width = last.pixels.shape[-2:]
    covers = last.left <= 0 and last.top <= 0 and last.left + width >= size[1] and last.top + height >= size[0]
    hides = (
        len(stack.layers) > 1
        and covers
        and last.alpha == 1
        and last.mode == "normal"
        and bool((_on(last, size)[3] >= 1).all())
    )
    if not hides:
        return stack.layers, ""
    return stack.layers[:-1], (
        f"the last layer, {last.name!r}, would hide all of the plate: it is left out, and the plate takes its place"
    )


def _on(layer: NamedLayer, size: tuple[int, int]) -> Tensor:
    return with_alpha(layer.pixels)[:, -layer.top : size[0] - layer.top, -layer.left : size[1] - layer.left]


def _item(layer: NamedLayer, number: int) -> dict[str, Any]:
    part, left, top = visible_part(layer)
    opaque = bool((part[3] >= 1).all())
    item: dict[str, Any] = {
        "type": "raster",
        "image": (part[:3] if opaque else part).movedim(0, -1)[None].contiguous(),
        "x": left,
        "y": top,
        "z_index": number,
        "name": layer.name,
    }
    for name, value, usual in (
        ("opacity", layer.opacity, 1.0),
        ("visible", layer.visible, True),
        ("blend_mode", layer.mode, "normal"),
    ):
        if value != usual:
            item[name] = value
    return item


def _frames(item: dict[str, Any]) -> Iterator[NamedLayer]:
    images, mode = item["image"], item.get("blend_mode", "normal")
    if mode is None:
        mode = "normal"
    if mode not in MODES and mode not in OTHER_MODES:
        raise InputError(f"the blend mode {excerpt(mode)} of a layer is not known")
    title = item["name"] if isinstance(item.get("name"), str) and item["name"] else "layer"
    size, angle, (left, top, wide, high) = _place(item)
    for number, image in enumerate(images):
        pixels = with_alpha(image.detach().float().cpu().movedim(-1, 0))
        name = title if len(images) == 1 else f"{title} {number + 1}"
        alpha = _seen(item.get("mask"), number, images.shape[1:3])
        if alpha is not None:
            pixels = torch.cat([pixels[:3], pixels[3:] * alpha])
        layer = NamedLayer(
            name,
            pixels,
            max(0.0, min(1.0, _number(item.get("opacity"), 1.0))),
            bool(item.get("visible", True)),
            mode=mode if mode in MODES else "normal",
        )
        axes = [axis for axis, name in ((-1, "flip_h"), (-2, "flip_v")) if item.get(name)]
        drawn = fit(checked(layer).flip(axes), size, -math.degrees(angle))
        yield NamedLayer(
            layer.name,
            drawn,
            layer.opacity,
            layer.visible,
            left + (wide - drawn.shape[2]) // 2,
            top + (high - drawn.shape[1]) // 2,
            layer.mode,
        )


def _seen(mask: object, number: int, size: Sequence[int]) -> Tensor | None:
    """1 x H x W, how visible a mask leaves each pixel of the batch's image of that number; None: there is no mask."""
    if not isinstance(mask, Tensor) or mask.ndim != 3 or (number >= len(mask) and len(mask) != 1):
        return None
    own = mask[0 if len(mask) == 1 else number].detach().float().cpu()
    if tuple(own.shape) != tuple(size):
        own = F.interpolate(own[None, None], tuple(size), mode="bilinear", align_corners=False)[0, 0]
    return (1 - own).clamp(0, 1)[None]


def _place(item: dict[str, Any]) -> tuple[tuple[int, int], float, tuple[int, int, int, int]]:
    """The size (H, W) an item is shown with, its turn in radians, and the whole pixels around it once it is turned
    about its middle: left, top, width, height."""
    x, y = (max(-LARGEST_SIDE, min(LARGEST_SIDE, _whole(item.get(name), 0))) for name in ("x", "y"))
    wide, high = (min(LARGEST_SIDE, _whole(item.get(name), 0)) for name in ("w", "h"))
    height, width = high if high > 0 else item["image"].shape[1], wide if wide > 0 else item["image"].shape[2]
    angle = _number(item.get("rotation"), 0.0)
    cos, sin = abs(math.cos(angle)), abs(math.sin(angle))
    half_width, half_height = (width * cos + height * sin) / 2, (width * sin + height * cos) / 2
    # a quarter turn's cosine is 6e-17 and must not cost a pixel
    left, right = (x + width / 2 + side * half_width - side * 1e-6 for side in (-1, 1))
    top, bottom = (y + height / 2 + side * half_height - side * 1e-6 for side in (-1, 1))
    x0, y0 = math.floor(left), math.floor(top)
    return (height, width), angle, (x0, y0, max(1, math.ceil(right) - x0), max(1, math.ceil(bottom) - y0))


def _canvas(given: object) -> tuple[int, int] | None:
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        return None
    width, height = _whole(given[0], 0), _whole(given[1], 0)
    if max(width, height) > LARGEST_SIDE:
        raise InputError(f"the canvas of the layers is {width} x {height}; {LARGEST_SIDE} is the longest side")
    return (height, width) if width > 0 and height > 0 else None


def _extent(items: Sequence[dict[str, Any]]) -> tuple[int, int]:
    boxes = [_place(item)[2] for item in items]
    return max(1, *(top + high for _, top, _, high in boxes)), max(1, *(left + wide for left, _, wide, _ in boxes))


def _check_number(count: int) -> None:
    if count > MOST_LAYERS:
        raise InputError(f"there are {count} layers; a LAYERS value holds {MOST_LAYERS} at most")


def _number(value: object, default: float) -> float:
    fits = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if fits else default  # type: ignore[arg-type]


def _whole(value: object, default: int) -> int:
    return int(_number(value, default))
