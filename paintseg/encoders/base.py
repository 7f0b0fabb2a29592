"""The encoder protocol: the projector E of the contrastive potential (eq. 1)."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from ..errors import InputError


@runtime_checkable
class Encoder(Protocol):
    """Patch features of images.

    Attributes:
        name: short name for messages and result tables.
        stride: pixels of the encoded image per feature, along either side.
        size: side in pixels of the square the encoder was trained on; other sizes are allowed.

    An encoder may say where it works in an attribute `device`; see `working_device`.
    """

    name: str
    stride: int
    size: int

    def encode(self, images: Tensor) -> Tensor:
        """Features of every patch.

        Args:
            images: B x 3 x H x W in [0, 1]; H and W multiples of `stride`.

        Returns:
            B x C x (H / stride) x (W / stride), float32, on the images' device. An image's features do not
            depend on the other images of the batch.
        """
        ...


def working_device(encoder: Encoder) -> torch.device:
    """Where the loop keeps its maps: on the encoder's GPU, so that they need not travel, else on the CPU.

    GPUs other than CUDA's (ROCm calls itself that too) lack operations that the maps need; beside them the processor
    does that work.
    """
    device = torch.device(getattr(encoder, "device", "cpu"))
    return device if device.type == "cuda" else torch.device("cpu")


def check_features(encoder: Encoder, images: Tensor, features: Tensor) -> Tensor:
    """The features of images, held to the protocol.

    Raises InputError, naming the encoder, for no tensor, for another grid than its stride makes, and for NaN.
    """
    if not isinstance(features, Tensor):
        raise InputError(f"the encoder {encoder.name} returned a {type(features).__name__} where features should be")
    grid = tuple(side // encoder.stride for side in images.shape[2:])
    if features.ndim != 4 or len(features) != len(images) or tuple(features.shape[2:]) != grid:
        raise InputError(
            f"the encoder {encoder.name} returned {tuple(features.shape)} for {len(images)} images of {grid[1]} x "
            f"{grid[0]} patches"
        )
    if not torch.isfinite(features).all():
        raise InputError(f"the encoder {encoder.name} returned NaN or infinite features; try another precision")
    return features
