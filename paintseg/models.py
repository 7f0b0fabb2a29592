"""The embedded models, loaded together."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from .encoders import Encoder
from .errors import InputError
from .painters import Painter


@dataclass(frozen=True)
class Models:
    """What the method is made of: a painter for both steps and a projector."""

    painter: Painter
    encoder: Encoder


def embedded_models(device: str = "cpu", half: bool = False, compiled: bool = False) -> Models:
    """MI-GAN and DINOv2 ViT-S/14 on a torch device.

    `half` runs the encoder in bfloat16: nearly twice as fast on processors that compute in it, slower on others, and
    masks differ by a few pixels from processor to processor.

    `compiled` has torch.compile translate the encoder's blocks at their first use, which takes a C++ compiler and the
    better part of a minute; it gains nothing on a CPU and was not measured on a GPU.

    Raises InputError for a device that is not there, WeightsError when a file is missing or broken.
    """
    from .encoders.dino import load_dinov2_small
    from .painters.migan import load_migan

    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"there is no device {device!r} here; give cpu, or cuda with a GPU") from error
    models = Models(painter=load_migan(device), encoder=load_dinov2_small(device))
    if half:
        models.encoder.module.bfloat16()
    if compiled:
        for block in models.encoder.module.blocks:
            block.compile()
    return models
