"""One picture over another: alpha, blend modes, and whether values or light are mixed.

Painting programs mix the values of pixels as they are stored (sRGB). ComfyUI's Create Layered Image mixes light:
values are made linear, mixed, and made sRGB again. Both ends of alpha are exact in either way.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Blend = Callable[[Tensor, Tensor], Tensor]
"""What a mode makes of the colours behind and in front, both in [0, 1]."""


def _screen(back: Tensor, front: Tensor) -> Tensor:
    return back + front - back * front


def _hard_light(back: Tensor, front: Tensor) -> Tensor:
    return torch.where(front <= 0.5, 2 * back * front, _screen(back, 2 * front - 1))


def _dodge(back: Tensor, front: Tensor) -> Tensor:
    full = torch.where(front >= 1, torch.ones_like(back), back / (1 - front).clamp_min(1e-6))
    return torch.where(back <= 0, torch.zeros_like(back), full.clamp(max=1))


# What each mode does (W3C Compositing and Blending, level 1, and Photoshop's names beyond it), and whether ComfyUI
# computes it in light. Its mixing afterwards is in light always.
_MODES: dict[str, tuple[Blend, bool]] = {
    "multiply": (torch.mul, True),
    "screen": (_screen, False),
    "overlay": (lambda back, front: _hard_light(front, back), False),
    "darken": (torch.minimum, True),
    "lighten": (torch.maximum, True),
    "color-dodge": (_dodge, False),
    "color-burn": (lambda back, front: 1 - _dodge(1 - back, 1 - front), False),
    "hard-light": (_hard_light, False),
    "difference": (lambda back, front: (back - front).abs(), False),
    "exclusion": (lambda back, front: back + front - 2 * back * front, False),
    "linear-dodge": (torch.add, True),
    "linear-burn": (lambda back, front: back + front - 1, False),
    "subtract": (torch.sub, True),
}
MODES = ("normal", *_MODES)
"""The blend modes that can be composited here, by ComfyUI's names."""


def to_light(values: Tensor) -> Tensor:
    """sRGB values in [0, 1] as linear light (IEC 61966-2-1)."""
    return torch.where(values <= 0.04045, values / 12.92, ((values.clamp_min(0) + 0.055) / 1.055) ** 2.4)


def from_light(light: Tensor) -> Tensor:
    """Linear light in [0, 1] as sRGB values."""
    return torch.where(light <= 0.0031308, light * 12.92, 1.055 * light.clamp_min(0) ** (1 / 2.4) - 0.055)


def over(front: Tensor, alpha: Tensor, back: Tensor, linear: bool = False) -> Tensor:
    """3 x H x W `front` with alpha H x W over `back`; both ends of alpha are exact.

    `linear` mixes light instead of values.
    """
    if linear:
        mixed = from_light(alpha * to_light(front) + (1 - alpha) * to_light(back))
    else:
        mixed = alpha * front + (1 - alpha) * back
    return torch.where(alpha >= 1, front, torch.where(alpha <= 0, back, mixed))


def upon(front: Tensor, alpha: Tensor, back: Tensor, mode: str = "normal", linear: bool = False) -> Tensor:
    """`over` a back that may itself be transparent: 3 or 4 x H x W, straight colour and alpha.

    Args:
        front: 3 x H x W. alpha: H x W.
        mode: one of `MODES`. As in ComfyUI, any but "normal" changes the colours of what lies behind and never its
            alpha: over nothing it shows nothing.
        linear: mixes light instead of values.
    """
    if mode != "normal":
        seen = alpha if back.shape[0] == 3 else torch.where(back[3] > 0, alpha, torch.zeros_like(alpha))
        colours = over(_blended(mode, back[:3], front, linear), seen, back[:3], linear)
        return torch.cat([colours, back[3:]])
    if back.shape[0] == 3:
        return over(front, alpha, back, linear)
    total = alpha + back[3] * (1 - alpha)
    # how much of the visible colour is the front's; 1 over nothing and where it is opaque
    part = torch.where(total > 0, alpha / total.clamp_min(1e-6), alpha)
    return torch.cat([over(front, part, back[:3], linear), torch.where(alpha > 0, total, back[3])[None]])


def _blended(mode: str, back: Tensor, front: Tensor, linear: bool) -> Tensor:
    compute, in_light = _MODES[mode]
    if linear and in_light:
        return from_light(compute(to_light(back), to_light(front)).clamp(0, 1))
    return compute(back, front).clamp(0, 1)
