"""Models in ComfyUI's hands: loaded when called, moved away for others, cancelled between calls."""

from __future__ import annotations

from functools import cache

import comfy.model_management
import comfy.model_patcher
import torch
from torch import Tensor, nn

from ..paintseg.encoders import Encoder
from ..paintseg.encoders.dino import Features, load_dinov2_small
from ..paintseg.painters import Painter
from ..paintseg.painters.migan import load_migan


class Managed:
    """A module in ComfyUI's hands."""

    def __init__(self, module: nn.Module) -> None:
        # By attribute at the time of the call: ComfyUI may have put another patcher there since its import.
        self._patcher = comfy.model_patcher.CoreModelPatcher(
            module,
            load_device=comfy.model_management.get_torch_device(),
            offload_device=comfy.model_management.unet_offload_device(),
        )

    @property
    def device(self) -> torch.device:
        """Where it works, be it there now or not."""
        return self._patcher.load_device

    def make_ready(self) -> None:
        """Stop here if the user cancelled, else see to it that the module is on its device."""
        comfy.model_management.throw_exception_if_processing_interrupted()
        comfy.model_management.load_models_gpu([self._patcher])


class ManagedPainter(Managed):
    """A painter of the library whose module ComfyUI manages."""

    def __init__(self, painter: Painter, module: nn.Module) -> None:
        super().__init__(module)
        self._painter = painter
        self.name, self.multiple = painter.name, painter.multiple
        self.size, self.stochastic = painter.size, painter.stochastic

    def paint(self, image: Tensor, hole: Tensor, count: int, generator: torch.Generator | None) -> Tensor:
        """See `Painter.paint`."""
        self.make_ready()
        return self._painter.paint(image, hole, count, generator)


class ManagedEncoder(Managed):
    """An encoder of the library whose module ComfyUI manages."""

    def __init__(self, encoder: Encoder, module: nn.Module) -> None:
        super().__init__(module)
        self._encoder = encoder
        self.name, self.stride, self.size = encoder.name, encoder.stride, encoder.size

    def encode(self, images: Tensor) -> Tensor:
        """See `Encoder.encode`."""
        self.make_ready()
        return self._encoder.encode(images)


class ManagedDINO(ManagedEncoder):
    """A managed encoder that has attention keys as well."""

    def features(self, images: Tensor, **wanted: object) -> Features:
        """See `DINOEncoder.features`."""
        self.make_ready()
        return self._encoder.features(images, **wanted)


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
        encoder = load_dinov2_small()
        return ManagedDINO(encoder, encoder.module)
