"""The embedded models, loaded together."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from .encoders import Encoder
from .errors import InputError
from .ops.precision import Half, takes_half
from .painters import Painter


@dataclass(frozen=True)
class Models:
    """What the method is made of: a painter for both steps and a projector."""

    painter: Painter
    encoder: Encoder


def load_models(device: str = "cpu", half: bool | Half = False) -> Models:
    """MI-GAN and DINOv2 ViT-S/14 on a torch device.

    `half` runs the encoder in bfloat16: nearly twice as fast on processors that compute in it, slower on others, and
    masks differ by a few pixels from processor to processor. "auto" does so where it is faster (ops/precision.py).

    Raises InputError for a device that is not there, WeightsError when a file is missing or broken.
    """
    from .encoders.dino import load_dinov2_small
    from .painters.migan import load_migan

    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"there is no device {device!r} here; give cpu, or cuda with a GPU") from error
    painter, encoder = load_migan(device), load_dinov2_small(device)
    if takes_half(half, device):
        encoder.module.bfloat16()
    return Models(painter, encoder)
