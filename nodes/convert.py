"""ComfyUI's tensors to the library's and back."""

from __future__ import annotations

from collections.abc import Sequence

import comfy.model_management
import torch
from torch import Tensor

from ..paintseg.config import Config, preset
from ..paintseg.errors import InputError
from ..paintseg.io.inputs import as_photos, as_pictures
from ..paintseg.layers.document import Stack, read_layers
from ..paintseg.layers.stack import NamedLayer
from ..paintseg.ops.images import size_of


def photos_from(image: Tensor, name: str = "image") -> Tensor:
    """IMAGE, B x H x W x C, as B x 3 x H x W float32 on the CPU, where the library works; `name` is the input's."""
    return as_photos(image.cpu(), name)


def pictures_from(image: Tensor, name: str = "image") -> Tensor:
    """As `photos_from`, with the transparency: B x 4 x H x W where the IMAGE has any."""
    return as_pictures(image.cpu(), name)


def image_output(images: Sequence[Tensor]) -> Tensor:
    """C x H x W each, of one size, as an IMAGE; a single one is not copied."""
    return _placed((images[0][None] if len(images) == 1 else torch.stack(list(images))).movedim(1, -1))


def mask_output(masks: Sequence[Tensor]) -> Tensor:
    """H x W each, of one size, bool or in [0, 1], as a MASK; a single one is copied only to become float."""
    return _placed(masks[0][None].float() if len(masks) == 1 else torch.stack([mask.float() for mask in masks]))


def config_from(name: str, **overrides: int) -> Config:
    """A preset with those overrides that are not 0."""
    return preset(name, **{key: value for key, value in overrides.items() if value})


def stack_from(layers: object) -> Stack:
    """IMAGE, B x H x W x 4, or LAYERS, as a stack; images get the names layer 1, layer 2...

    Raises InputError for images without transparency, for none, and as `read_layers`.
    """
    if not isinstance(layers, Tensor):
        return read_layers(layers)
    if layers.ndim == 4 and not len(layers):
        raise InputError("the batch of layers is empty: there is no layer in it")
    if layers.ndim != 4 or layers.shape[3] != 4 or not layers.numel():
        raise InputError(
            f"layers are images with transparency (RGBA), not {tuple(layers.shape)}; PaintSeg Cut Out makes them"
        )
    images = layers.cpu().float().movedim(-1, 1)
    named = tuple(NamedLayer(f"layer {number}", image) for number, image in enumerate(images, start=1))
    return Stack(named, size_of(images))


def _placed(values: Tensor) -> Tensor:
    return values.to(comfy.model_management.intermediate_device(), comfy.model_management.intermediate_dtype())
