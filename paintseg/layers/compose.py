"""Reassembly: layers moved, scaled, turned and put over a plate or another photo (paper, appendix C)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import InputError, excerpt
from ..ops.boxes import bounding_box
from ..ops.coordinates import from_text
from ..ops.images import resize, size_of
from ..ops.memory import says_shortage
from .stack import NamedLayer, check_layer, checked, paste
from .transparency import split_alpha

LARGEST_SIDE = 16384
"""Longest side in pixels a layer may be scaled to."""

LARGEST_AREA = 2**26
"""Most pixels a layer may have once it is scaled and turned, 67 million, as floats 1 GB; a layer that is larger as it
is may be turned, not made larger."""

MOST = 1000
"""Placements at most."""

FARTHEST = 1e9
"""Largest number in a placement."""


@dataclass(frozen=True)
class Placement:
    """Where a layer goes, and how.

    Attributes:
        layer: which layer, 0 is the first.
        x, y: where the centre of the layer's visible part goes, in pixels of the new picture; None: where it was.
        dx, dy: then moved by so many pixels, right and down.
        scale: factor on both sides, above 0.
        rotation: degrees, counter-clockwise, about that centre.
        flip: mirrored left to right, before it is turned.
        opacity: 0 (not there) to 1.
        order: the lower, the further in front; None: the layer's number.
        shadow: darkness of a contact shadow beneath it, 0 (none) to 1.
        fingerprint: which layer it was made for (`recognition.fingerprint`); None: whichever has that number.
    """

    layer: int = 0
    x: float | None = None
    y: float | None = None
    dx: float = 0.0
    dy: float = 0.0
    scale: float = 1.0
    rotation: float = 0.0
    flip: bool = False
    opacity: float = 1.0
    order: float | None = None
    shadow: float = 0.0
    fingerprint: str | None = None

    def __post_init__(self) -> None:
        for name in ("x", "y", "dx", "dy", "scale", "rotation", "opacity", "order", "shadow"):
            value = getattr(self, name)
            if value is not None and not abs(value) <= FARTHEST:  # NaN fails this too
                raise InputError(f"the {name} of a placement must be a number up to {FARTHEST:g}, not {excerpt(value)}")
        if self.layer < 0:
            raise InputError(f"the layer of a placement must be 0 or more, not {self.layer}")
        if self.scale <= 0:
            raise InputError(f"the scale of a placement must be above 0, not {self.scale!r}")
        for name in ("opacity", "shadow"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise InputError(f"the {name} of a placement must be from 0 to 1, not {value!r}")


def parse_placements(text: str) -> tuple[Placement, ...]:
    """Placements from JSON: one object, or a list of them, with `Placement`'s names; empty text is an empty list.

    Raises InputError for what is no JSON, unknown names and values of another type.
    """
    if not text.strip():
        return ()
    try:
        given = from_text(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"the placements are no JSON: {error}") from error
    entries = given if isinstance(given, list) else [given]
    return tuple(_placement(entry) for entry in entries)


@says_shortage
def reassemble(
    plate: Tensor,
    layers: Sequence[Tensor | NamedLayer],
    placements: Iterable[Placement] | None = None,
    linear: bool = False,
) -> Tensor:
    """Put layers over a picture.

    Args:
        plate: 3 x H x W in [0, 1], or 4 x H x W with its alpha, what lies behind all layers: the clean plate or any
            other photo.
        layers: 4 x h x w each, straight colour and alpha, front to back; of any size, from the picture's upper left
            corner on. A `NamedLayer` lies where it says, with its opacity and mode.
        placements: where which layer goes; a layer may be placed several times, or not at all. None or empty:
            every layer where it was.
        linear: mixes light, as ComfyUI's Create Layered Image does, instead of sRGB values.

    Returns:
        As many channels as the plate. Where no layer is seen it is the plate bit for bit; an opaque layer that is
        only moved, by whole pixels, keeps its colours bit for bit.

    Raises InputError: no picture, no layer, more than `MOST` placements, a placement of a layer that is not there, or
    one that makes it larger than `LARGEST_SIDE` or `LARGEST_AREA`.
    """
    split_alpha(plate, "plate")
    stack = [_named(layer, f"layer {number}") for number, layer in enumerate(layers)]
    chosen = list(placements or ()) or [Placement(layer=number) for number in range(len(stack))]
    if len(chosen) > MOST:
        raise InputError(f"there are {len(chosen)} placements; at most {MOST} layers are put over a picture at once")
    for placement in chosen:
        if placement.layer >= len(stack):
            raise InputError(f"there is no layer {placement.layer}; the layers are 0 to {len(stack) - 1}")
    picture = plate.float().clamp(0, 1).clone()
    back_to_front = sorted(chosen, key=_depth)[::-1]  # of equals the first is in front
    for placement in back_to_front:
        _put(picture, stack[placement.layer], placement, linear)
    return picture


def transform(layer: Tensor, scale: float, rotation: float, flip: bool) -> Tensor:
    """A layer 4 x h x w mirrored, scaled, then turned counter-clockwise by `rotation` degrees about its centre.

    Returns 4 x h' x w', just large enough. Without scaling and turning the pixels are the layer's own.

    Raises InputError where that would be larger than `LARGEST_SIDE` or `LARGEST_AREA`, before anything is made.
    """
    height, width = (max(1, round(side * scale)) for side in layer.shape[1:])
    return fit(layer.flip(-1) if flip else layer, (height, width), rotation)


def fit(layer: Tensor, size: tuple[int, int], rotation: float) -> Tensor:
    """`transform` with the size (H, W) that the layer is given before it is turned."""
    room = max(LARGEST_AREA, 2 * layer.shape[1] * layer.shape[2])
    if max(size) > LARGEST_SIDE:
        raise InputError(f"a layer scaled to {size[1]} x {size[0]} is too large; {LARGEST_SIDE} is the longest side")
    turn = rotation % 360
    turned = size if turn % 90 == 0 else _extent(size, math.radians(turn))
    if max(size[0] * size[1], turned[0] * turned[1]) > room:
        raise InputError(
            f"a layer scaled to {size[1]} x {size[0]} and turned by {turn:g} degrees is too large; "
            f"{LARGEST_AREA // 10**6} million pixels is the most"
        )
    if turn % 90 == 0 and size == size_of(layer):
        return torch.rot90(layer, int(turn // 90), (1, 2))
    # premultiplied, or the colour of what cannot be seen would bleed into the edge
    seen = torch.cat([layer[:3] * layer[3:], layer[3:]])[None]
    seen = resize(seen, size)
    quarter = turn % 90 == 0
    seen = torch.rot90(seen, int(turn // 90), (2, 3)) if quarter else _turn(seen, math.radians(turn))
    alpha = seen[0, 3:]
    return torch.cat([(seen[0, :3] / alpha.clamp_min(1e-4)).clamp(0, 1), alpha])


def contact_shadow(alpha: Tensor) -> tuple[Tensor, int, int]:
    """The shadow an object throws where it stands: its silhouette, pressed flat onto its lower edge and blurred.

    Args:
        alpha: h x w in [0, 1], the object as placed.

    Returns h' x w' in [0, 1], and where its top left corner lies from that of `alpha`, (right, down) in pixels.
    """
    height, width = alpha.shape
    flat = max(2, round(0.12 * height))
    sigma = max(1.0, 0.02 * width, 0.25 * flat)
    margin = math.ceil(3 * sigma)
    pressed = F.interpolate(alpha[None, None], (flat, width), mode="area")
    shadow = blur(F.pad(pressed, (margin,) * 4), sigma)[0, 0]
    return shadow, -margin, height - round(0.6 * flat) - margin


def _named(layer: Tensor | NamedLayer, name: str) -> NamedLayer:
    if isinstance(layer, NamedLayer):
        return replace(layer, pixels=checked(layer))
    check_layer(layer, name)
    return NamedLayer(name, layer.float().clamp(0, 1))


def _put(picture: Tensor, layer: NamedLayer, placement: Placement, linear: bool) -> None:
    pixels, opacity = layer.pixels, placement.opacity * layer.alpha
    box = bounding_box((pixels[3] > 0)[None, None])
    if box is None or opacity == 0:
        return
    x0, y0, x1, y1 = box
    drawn = transform(pixels[:, y0:y1, x0:x1], placement.scale, placement.rotation, placement.flip)
    centre_x = layer.left + (x0 + x1) / 2 if placement.x is None else placement.x
    centre_y = layer.top + (y0 + y1) / 2 if placement.y is None else placement.y
    left = round(centre_x + placement.dx - drawn.shape[2] / 2)
    top = round(centre_y + placement.dy - drawn.shape[1] / 2)
    if placement.shadow:
        shade, right, down = contact_shadow(drawn[3])
        black = torch.zeros(3, *shade.shape)
        paste(picture, black, shade * placement.shadow * opacity, left + right, top + down, "normal", linear)
    paste(picture, drawn[:3], drawn[3] * opacity, left, top, layer.mode, linear)


def _turn(values: Tensor, angle: float) -> Tensor:
    height, width = values.shape[-2:]
    cos, sin = math.cos(angle), math.sin(angle)
    new_height, new_width = _extent((height, width), angle)
    xs = torch.arange(new_width, device=values.device) + 0.5 - new_width / 2
    ys = torch.arange(new_height, device=values.device) + 0.5 - new_height / 2
    y, x = torch.meshgrid(ys, xs, indexing="ij")
    # Where each pixel came from. y points down, hence the signs of a turn the other way.
    source = torch.stack([(x * cos - y * sin) * 2 / width, (x * sin + y * cos) * 2 / height], -1)
    return F.grid_sample(values, source[None], mode="bilinear", padding_mode="zeros", align_corners=False)


def _extent(size: tuple[int, int], angle: float) -> tuple[int, int]:
    """(h', w') around (h, w) turned by `angle` radians."""
    (height, width), cos, sin = size, abs(math.cos(angle)), abs(math.sin(angle))
    return math.ceil(height * cos + width * sin - 1e-6), math.ceil(width * cos + height * sin - 1e-6)


def blur(values: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of B x 1 x h x w; beyond the border the edge repeats."""
    if sigma < 0.1:  # the next pixel's weight would be below float32's last bit
        return values
    radius = math.ceil(3 * sigma)
    taps = torch.exp(-0.5 * (torch.arange(-radius, radius + 1, device=values.device) / sigma) ** 2)
    taps = (taps / taps.sum()).to(values)
    padded = F.pad(values, (radius,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(padded, taps.view(1, 1, 1, -1)), taps.view(1, 1, -1, 1))


def _depth(placement: Placement) -> float:
    return placement.layer if placement.order is None else placement.order


_KINDS: dict[str, tuple[type, str]] = {
    "flip": (bool, "true or false"),
    "layer": (int, "a whole number"),
    "fingerprint": (str, "text"),
}


def _placement(entry: object) -> Placement:
    if not isinstance(entry, dict):
        raise InputError(f'a placement is an object like {{"layer": 0, "x": 200, "y": 150}}, not {excerpt(entry)}')
    known = {field.name: field for field in fields(Placement)}
    for name, value in entry.items():
        if name not in known:
            raise InputError(f"a placement has no {name!r}; it has {', '.join(known)}")
        optional = known[name].default is None
        wanted, kind = _KINDS.get(name, ((int, float), "a number"))
        fits = isinstance(value, wanted) and (name == "flip" or not isinstance(value, bool))
        if not (fits or (optional and value is None)):
            raise InputError(f"the {name} of a placement must be {kind}, not {excerpt(value)}")
    return Placement(**entry)
