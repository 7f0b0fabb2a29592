"""The encoder protocol: the projector E of the contrastive potential (eq. 1)."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from ..errors import InputError


@dataclass(frozen=True)
class Features:
    """What one forward pass gave; every map is B x C x h x w, float32, on the images' device.

    Attributes:
        tokens: patch tokens after the final norm, None when not asked for.
        keys: keys of the last attention layer, None when not asked for.
        places: what keys say of their place alone, 1 x C x h x w; None without keys and where it is not known.
    """

    tokens: Tensor | None
    keys: Tensor | None
    places: Tensor | None = None


@runtime_checkable
class Encoder(Protocol):
    """Patch features of images.

    Attributes:
        name: short name for messages and result tables.
        stride: pixels of the encoded image per feature, along either side.
        size: side in pixels of the square the encoder was trained on; other sizes are allowed.

    An encoder may offer more: see `KeyedEncoder` and `PlacedEncoder`.
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


@runtime_checkable
class KeyedEncoder(Encoder, Protocol):
    """An encoder that also gives attention keys, on which affinities are measured better than on tokens."""

    def features(self, images: Tensor, *, tokens: bool = False, keys: bool = False) -> Features:
        """What is asked for, from one forward pass over images B x 3 x H x W; see `Encoder.encode`."""
        ...


@runtime_checkable
class PlacedEncoder(Encoder, Protocol):
    """An encoder that says on which device it works."""

    @property
    def device(self) -> torch.device: ...


def identity(encoder: Encoder) -> Hashable:
    """What tells one encoder's features from another's: the encoder itself, under all that is wrapped around it (an
    attribute `inner`), and where it works: another device computes other digits."""
    device = str(encoder.device) if isinstance(encoder, PlacedEncoder) else ""
    inner: Any = encoder
    while (within := getattr(inner, "inner", None)) is not None:
        inner = within
    return _TOKENS.setdefault(inner, object()), device


_TOKENS: WeakKeyDictionary[Any, object] = WeakKeyDictionary()
"""A token for every encoder, by which features may be known without keeping their encoder in memory."""


def working_device(encoder: Encoder) -> torch.device:
    """Where the loop keeps its maps: on the encoder's GPU, so that they need not travel, else on the CPU.

    GPUs other than CUDA's (ROCm calls itself that too) lack operations that the maps need; beside them the processor
    does that work.
    """
    device = torch.device(encoder.device if isinstance(encoder, PlacedEncoder) else "cpu")
    return device if device.type == "cuda" else torch.device("cpu")


def check_images(encoder: Encoder, images: Tensor) -> None:
    """Refuse what no encoder could encode, and sides that are no multiples of its stride. Raises InputError."""
    if images.ndim != 4 or images.shape[1] != 3 or not len(images):
        raise InputError(f"an encoder takes images of B x 3 x H x W, not {tuple(images.shape)}")
    if any(side % encoder.stride or not side for side in images.shape[2:]):
        raise InputError(
            f"{encoder.name} encodes sides that are multiples of {encoder.stride} px, "
            f"not {images.shape[3]} x {images.shape[2]}"
        )


def check_features(encoder: Encoder, images: Tensor, features: object, finite: bool = True) -> Tensor:
    """The features of images, checked against the protocol; NaN is looked for if `finite`, and a GPU waited for.

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
    if finite and not torch.isfinite(features).all():
        raise InputError(f"the encoder {encoder.name} returned NaN or infinite features; try another precision")
    return features
