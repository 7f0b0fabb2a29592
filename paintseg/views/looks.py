"""What an encoder was shown of photos, remembered: a second prompt on the same photo need not be encoded for again.

Features are kept by what the encoder was shown, pixel for pixel, and by which encoder it was. Whoever shows it the same
thing shares them: prompts of one session, nodes of one graph, a graph run again with another prompt.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from threading import Lock
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from ..encoders import Encoder, KeyedEncoder
from ..encoders.base import check_features, identity, working_device
from ..ops.boxes import PixelBox
from ..ops.images import check_image, resize, size_of

PLACE_SHARE = 0.5
"""Share of what keys say of their place alone that walks go without (measured in docs/experiments/evidence.md)."""
MOST = 256 * 2**20
"""Bytes of features kept unless something else is said; a look of 560 x 560 pixels takes 9 million."""


@dataclass(frozen=True)
class Look:
    """A part of a photo as an encoder saw it.

    Attributes:
        image: 1 x 3 x H x W, what the encoder was shown.
        features: 1 x C x h x w, its tokens; None unless asked for.
        keys: 1 x C x h x w, what affinities are measured on; None unless asked for.
    """

    image: Tensor
    features: Tensor | None
    keys: Tensor | None

    @property
    def nbytes(self) -> int:
        """What it takes of memory."""
        return sum(
            each.numel() * each.element_size() for each in (self.image, self.features, self.keys) if each is not None
        )


class FeatureCache:
    """Looks by what was shown to whom. When they pass `most` bytes, those not asked for the longest go.

    Several threads may use one at a time.
    """

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self.nbytes = 0
        self._kept: OrderedDict[Hashable, Look] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> Look | None:
        """The look of that key, if it is still there."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: Hashable, look: Look) -> None:
        """Keep a look; one that is larger than everything allowed is not kept."""
        with self._lock:
            self._forget(key)
            self._kept[key] = look
            self.nbytes += look.nbytes
            while self.nbytes > self.most:
                self._forget(next(iter(self._kept)))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self.nbytes = 0

    def _forget(self, key: Hashable) -> None:
        gone = self._kept.pop(key, None)
        if gone is not None:
            self.nbytes -= gone.nbytes


@runtime_checkable
class RememberingEncoder(Encoder, Protocol):
    """An encoder whose features are kept from one photo, and one prompt, to the next."""

    cache: FeatureCache


class Looks:
    """One photo, and what one encoder has seen of it.

    Args:
        image: 3 x H x W in [0, 1].
        cache: where features are kept; None for the encoder's own, if it is a `RememberingEncoder`, else for a new one.

    Raises InputError when the image is none or holds NaN.
    """

    def __init__(self, image: Tensor, encoder: Encoder, cache: FeatureCache | None = None) -> None:
        low, high = check_image(image)
        photo = image[None].cpu().float()
        self.photo = photo if low >= 0 and high <= 1 else photo.clamp(0, 1)
        self.encoder = encoder
        if cache is None:
            cache = encoder.cache if isinstance(encoder, RememberingEncoder) else FeatureCache()
        self.cache = cache
        self._known: dict[tuple[PixelBox, tuple[int, int], bool, bool], Hashable] = {}

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of the photo."""
        return size_of(self.photo)

    @property
    def nbytes(self) -> int:
        """What the photo takes of memory."""
        return self.photo.numel() * self.photo.element_size()

    def crop(self, box: PixelBox, size: tuple[int, int]) -> Tensor:
        """The part of the photo in `box` at `size` (H, W), 1 x 3 x H x W."""
        x0, y0, x1, y1 = box
        return resize(self.photo[..., y0:y1, x0:x1], size)

    def at(self, box: PixelBox, size: tuple[int, int], keyed: bool, tokens: bool = True) -> Look:
        """The part of the photo in `box`, scaled to `size` (H, W), multiples of the encoder's stride.

        Args:
            keyed: whether what affinities are measured on is wanted. tokens: likewise; one of the two must be.
        """
        place = box, size, keyed, tokens
        known = self.cache.get(self._known[place]) if place in self._known else None
        if known is not None:
            return known
        shown = self.crop(box, size)
        key = identity(self.encoder), keyed, tokens, size, digest(shown)
        look = self.cache.get(key)
        if look is None:
            look = encoded(shown.to(working_device(self.encoder)), self.encoder, keyed, tokens)
            self.cache.put(key, look)
        self._known[place] = key
        return look


@torch.no_grad()
def encoded(shown: Tensor, encoder: Encoder, keyed: bool, tokens: bool = True) -> Look:
    """What an encoder makes of an image 1 x 3 x H x W; see `Looks.at`."""
    if keyed:
        return Look(shown, *encode_with_keys(encoder, shown, PLACE_SHARE, tokens))
    return Look(shown, check_features(encoder, shown, encoder.encode(shown)), None)


def encode_with_keys(
    encoder: Encoder, images: Tensor, share: float = 0.0, tokens: bool = True
) -> tuple[Tensor | None, Tensor]:
    """Tokens and what affinities are measured on: attention keys where the encoder has them, else centred tokens.

    Args:
        images: B x 3 x H x W.
        share: how much of what the keys say of their place is taken out, so that likeness is less a matter of being
            near.
        tokens: whether tokens are wanted; keys are made before the last block, which is left out without them.
    """
    if isinstance(encoder, KeyedEncoder):
        found = encoder.features(images, tokens=tokens, keys=True)
        keys = check_features(encoder, images, found.keys)
        if share and found.places is not None:
            keys = keys - share * found.places
        return check_features(encoder, images, found.tokens) if tokens else None, keys
    seen = check_features(encoder, images, encoder.encode(images))
    return seen, seen - seen.mean((2, 3), keepdim=True)


def digest(values: Tensor) -> bytes:
    """What tells values of the CPU from any others."""
    return hashlib.blake2b(values.contiguous().numpy().tobytes(), digest_size=20).digest()
