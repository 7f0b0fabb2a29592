"""Photos among others: an instance's photo as one tile of a mosaic of its set's photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..io.reading import read_photo
from ..ops.images import resize
from .datasets import Instance, check_sizes, content_of, scene
from .prompting import dice


@dataclass(frozen=True)
class Mosaic(Instance):
    """An instance in a mosaic; box, points, strokes and mask are those of the whole mosaic.

    Attributes:
        side: tiles along each side.
        place: of the instance's own photo, 0 to side^2 - 1, row by row.
        tile: (H, W) of every tile, as of its own photo's mask.
        others: the other photos, in the order of their places; each is scaled to a tile.
    """

    side: int
    place: int
    tile: tuple[int, int]
    others: tuple[Path, ...]

    def image(self) -> Tensor:
        """3 x (side H) x (side W) in [0, 1]. Raises InputError."""
        whole = torch.zeros(3, *self._size)
        others = iter(self.others)
        own = super().image()
        check_sizes(self.image_path, (own.shape[1], own.shape[2]), self.tile)
        for place in range(self.side**2):
            image = own if place == self.place else resize(read_photo(next(others))[None], self.tile)[0]
            rows, columns = self._window(place)
            whole[:, rows, columns] = image
        return whole

    def mask(self) -> np.ndarray:
        """The human mask in its tile, uint8; the other tiles are background. Raises InputError."""
        return self._in_tile(torch.from_numpy(super().mask())).numpy()

    def scribbles(self, number: int) -> tuple[Tensor, Tensor]:
        """The strokes in their tile. Raises InputError without any."""
        on, off = super().scribbles(number)
        return self._in_tile(on), self._in_tile(off)

    def content(self) -> str:
        """As of the instance, and of the other photos and all places. Raises InputError."""
        digest = sha256(f"{super().content()} {self.side} {self.place} {self.tile}".encode())
        for path in self.others:
            digest.update(content_of(path))
        return digest.hexdigest()

    def _in_tile(self, values: Tensor) -> Tensor:
        whole = torch.zeros(self._size, dtype=values.dtype)
        whole[self._window(self.place)] = values
        return whole

    @property
    def _size(self) -> tuple[int, int]:
        return self.side * self.tile[0], self.side * self.tile[1]

    def _window(self, place: int) -> tuple[slice, slice]:
        top, left = (number * length for number, length in zip(divmod(place, self.side), self.tile, strict=True))
        return slice(top, top + self.tile[0]), slice(left, left + self.tile[1])


def in_mosaic(instance: Instance, members: Sequence[Instance], side: int, seed: int = 0) -> Instance:
    """An instance with its photo as a random tile of `side` x `side`.

    Args:
        members: all of its set, however few of them are measured.
        side: tiles along each side; 1 changes nothing.
        seed: of the tile's place and of the others, which also depend on the instance's name.

    Raises InputError when the mask cannot be read or the set has no other photo.
    """
    if side == 1:
        return instance
    known = sorted({member.image_path for member in members if scene(member.stem) != scene(instance.stem)})
    if not known:
        raise InputError(f"a mosaic needs other photos and the set {instance.dataset} has none beside {instance.stem}")
    chance, missing = dice(instance, seed, "mosaic"), side**2 - 1
    place = int(chance.integers(side**2))
    # a set too small for the mosaic is gone through again
    others = [known[index] for _ in range(-(-missing // len(known))) for index in chance.permutation(len(known))]
    height, width = instance.mask().shape
    top, left = (number * length for number, length in zip(divmod(place, side), (height, width), strict=True))
    x0, y0, x1, y1 = instance.box
    moved = {
        "box": (x0 + left, y0 + top, x1 + left, y1 + top),
        "centroid": (instance.centroid[0] + left, instance.centroid[1] + top),
        "inner": (instance.inner[0] + left, instance.inner[1] + top),
    }
    return Mosaic(
        **vars(instance) | moved, side=side, place=place, tile=(height, width), others=tuple(others[:missing])
    )
