"""ComfyUI's CLIP_VISION as an encoder."""

from __future__ import annotations

import comfy.clip_vision
import torch
from torch import Tensor

from ..paintseg.encoders.base import check_images
from ..paintseg.errors import InputError
from ..paintseg.ops.memory import in_chunks
from .managed import Managed, encoding_bytes

KINDS = ("dinov2", "dinov3")


class ClipVisionEncoder(Managed):
    """A DINO that ComfyUI has loaded. Any shape of photo goes in as it is; ComfyUI's own way crops to squares.

    Args:
        clip_vision: of the kind "dinov2" or "dinov3".

    Raises InputError for other kinds, whose positions are bound to one size, as those of ComfyUI's own DINOv2 were
    before 0.24.
    """

    def __init__(self, clip_vision: comfy.clip_vision.ClipVisionModel) -> None:
        kind = clip_vision.model_type
        if kind not in KINDS:
            raise InputError(
                f"the CLIP vision model is a {kind}; load DINOv2 Large or Giant, or DINOv3, or take "
                "PaintSeg DINO Encoder"
            )
        if kind == "dinov2" and not hasattr(clip_vision.model.embeddings, "interpolate_pos_encoding"):
            raise InputError(
                "the DINOv2 of this ComfyUI takes squares of one size only; update ComfyUI to 0.24 or "
                "newer, or take PaintSeg DINO Encoder"
            )
        super().__init__(clip_vision.patcher)
        self._model = clip_vision
        self._width: int = clip_vision.config["hidden_size"]
        self.name = f"{kind}-{self._width}"
        self.stride: int = clip_vision.config.get("patch_size", 14)
        self.size: int = clip_vision.image_size
        self._mean = torch.tensor(clip_vision.image_mean).view(3, 1, 1)
        self._std = torch.tensor(clip_vision.image_std).view(3, 1, 1)

    @torch.no_grad()
    def encode(self, images: Tensor) -> Tensor:
        """Patch tokens after the final norm; see `Encoder.encode`."""
        check_images(self, images)
        self.make_ready(encoding_bytes(images, self.stride, self._width, walked=True))
        device = self.device
        grid = images.shape[2] // self.stride, images.shape[3] // self.stride
        mean, std = self._mean.to(images.device), self._std.to(images.device)

        def run(part: slice) -> list[Tensor]:
            pixels = (images[part].float() - mean) / std
            tokens = self._model.model(pixel_values=pixels.to(device))[0]
            patches = tokens[:, -grid[0] * grid[1] :]  # behind the class token and registers
            return [patches.mT.unflatten(2, grid).float()]

        return in_chunks(run, len(images), device)[0].to(images.device)
