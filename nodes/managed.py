"""Models in ComfyUI's hands: loaded when called, moved away for others, cancelled between calls."""

from __future__ import annotations

from functools import cache
from typing import Any

import comfy.model_management
import comfy.model_patcher
import torch
from torch import Tensor, nn

from ..paintseg.encoders import Features
from ..paintseg.encoders.dino import DINOEncoder, load_dinov2_small
from ..paintseg.painters import Painter
from ..paintseg.painters.migan import load_migan
from ..paintseg.views.frames import MOST_WALKED
from ..paintseg.views.looks import FeatureCache

PIXEL_BYTES = 3000
"""What a painting takes beside the weights, per pixel: MI-GAN's tensors take 1470, libraries may take as much."""
CHANNEL_BYTES = 128
"""What an encoder's pass takes, per token and channel of its width: its tensors take 54 to 64, libraries as much."""
WALKS = 6
"""Matrices of patches times patches that the method's walks take at once, beside the encoder's own work."""


def encoding_bytes(images: Tensor, stride: int, width: int, walked: bool = False) -> int:
    """What a pass over images B x 3 x H x W takes, by an encoder of that stride and width, and the walks after it."""
    patches = (images.shape[-2] // stride) * (images.shape[-1] // stride)
    walks = WALKS * 4 * min(patches, MOST_WALKED) ** 2 if walked else 0
    return CHANNEL_BYTES * width * len(images) * patches + walks


class Managed:
    """A model in ComfyUI's hands: a module, or what ComfyUI has made of one already."""

    def __init__(self, module: nn.Module | comfy.model_patcher.ModelPatcher) -> None:
        if isinstance(module, nn.Module):
            # By attribute at the time of the call: ComfyUI may have put another patcher there since its import.
            module = comfy.model_patcher.CoreModelPatcher(
                module,
                load_device=comfy.model_management.get_torch_device(),
                offload_device=comfy.model_management.unet_offload_device(),
            )
        self._patcher = module

    @property
    def device(self) -> torch.device:
        """Where it works, be it there now or not."""
        return self._patcher.load_device

    def make_ready(self, work: int) -> None:
        """Stop here if the user cancelled, else see to it that the module is on its device, with room for its work.

        `work`: bytes that the next call takes beside the weights; ComfyUI moves other models away for them.
        """
        comfy.model_management.throw_exception_if_processing_interrupted()
        comfy.model_management.load_models_gpu([self._patcher], memory_required=work)


class ManagedPainter(Managed):
    """A painter of the library whose module ComfyUI manages."""

    def __init__(self, painter: Painter, module: nn.Module) -> None:
        super().__init__(module)
        self.inner = painter
        self.name, self.multiple = painter.name, painter.multiple
        self.size, self.stochastic = painter.size, painter.stochastic

    def paint(self, image: Tensor, hole: Tensor, count: int, generator: torch.Generator | None) -> Tensor:
        self.make_ready(PIXEL_BYTES * count * image.shape[-2] * image.shape[-1])
        return self.inner.paint(image, hole, count, generator)


FEATURES = FeatureCache()
"""What managed encoders have seen, for all nodes and for the editor's route."""


class ManagedDINO(Managed):
    """A DINO of the library whose module ComfyUI manages; what it has seen is remembered."""

    def __init__(self, encoder: DINOEncoder) -> None:
        super().__init__(encoder.module)
        self.inner, self.cache = encoder, FEATURES
        self.name, self.stride, self.size = encoder.name, encoder.stride, encoder.size

    def encode(self, images: Tensor) -> Tensor:
        self.make_ready(encoding_bytes(images, self.stride, self.inner.width))
        return self.inner.encode(images)

    def features(self, images: Tensor, **wanted: Any) -> Features:
        self.make_ready(encoding_bytes(images, self.stride, self.inner.width, bool(wanted.get("keys"))))
        return self.inner.features(images, **wanted)


@cache
def embedded_painter() -> ManagedPainter:
    """MI-GAN, read once per process."""
    # Outside ComfyUI's inference mode: its models are moved from other threads too, and a tensor made in
    # inference mode refuses that.
    with torch.inference_mode(False):
        painter = load_migan()
        return ManagedPainter(painter, painter.module)


@cache
def embedded_encoder() -> ManagedDINO:
    """DINOv2 ViT-S/14, read once per process."""
    with torch.inference_mode(False):
        return ManagedDINO(load_dinov2_small())
