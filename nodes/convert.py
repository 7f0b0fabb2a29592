"""ComfyUI's tensors to the library's and back."""

from __future__ import annotations

from collections.abc import Sequence

import comfy.model_management
import torch
from torch import Tensor

from ..paintseg.config import Config, preset
from ..paintseg.parsing import as_photos


def photos_from(image: Tensor) -> Tensor:
    """IMAGE, B x H x W x C, as B x 3 x H x W float32 on the CPU, where the library works."""
    return as_photos(image.cpu())


def image_output(images: Sequence[Tensor]) -> Tensor:
    """C x H x W each, of one size, as an IMAGE."""
    return _placed(torch.stack(list(images)).movedim(1, -1))


def mask_output(masks: Sequence[Tensor]) -> Tensor:
    """H x W each, of one size, bool or in [0, 1], as a MASK."""
    return _placed(torch.stack([mask.float() for mask in masks]))


def config_from(name: str, **overrides: int) -> Config:
    """A preset with those overrides that are not 0."""
    return preset(name, **{key: value for key, value in overrides.items() if value})


def _placed(values: Tensor) -> Tensor:
    return values.to(
        comfy.model_management.intermediate_device(), comfy.model_management.intermediate_dtype()
    )
