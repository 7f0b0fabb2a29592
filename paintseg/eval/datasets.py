"""Evaluation photos: a folder with `manifest.csv` and, per set, `images/`, `masks/` and scribbles.

manifest.csv has the columns dataset, stem, image, x0, y0, x1, y1 (tight box, end-exclusive), centroid_x, centroid_y,
inner_x, inner_y (the point farthest from the boundary). Masks are PNG: 255 object, 0 background, 128 not counted.
Scribbles, in `scribbles1/` and `scribbles2/`, are PNG: 1 object, 2 background, 0 nothing.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..errors import InputError, reason
from ..io.reading import read_photo
from ..weights import sha256_of

_NUMBERS = ("x0", "y0", "x1", "y1", "centroid_x", "centroid_y", "inner_x", "inner_y")


@dataclass(frozen=True)
class Instance:
    """One object of one photo.

    Attributes:
        dataset, stem: the set's name and the instance's.
        image_path, mask_path: files.
        box: tight box (x0, y0, x1, y1), end-exclusive.
        centroid, inner: points (x, y).
    """

    dataset: str
    stem: str
    image_path: Path
    mask_path: Path
    box: tuple[float, float, float, float]
    centroid: tuple[float, float]
    inner: tuple[float, float]

    def image(self) -> Tensor:
        """3 x H x W in [0, 1], turned as its EXIF says. Raises InputError."""
        return read_photo(self.image_path)

    def mask(self) -> np.ndarray:
        """H x W uint8: 255 object, 0 background, 128 not counted. Raises InputError."""
        try:
            with Image.open(self.mask_path) as opened:
                return np.array(opened.convert("L"))
        except OSError as error:
            raise InputError(f"the mask {self.mask_path} cannot be read: {error}") from error

    def content(self) -> str:
        """sha256 of all that is measured: photo, mask, strokes and numbers, not their names. Raises InputError."""
        digest = sha256(repr((self.box, self.centroid, self.inner)).encode())
        for path in (self.image_path, self.mask_path, self.scribble_path(1), self.scribble_path(2)):
            needed = path in (self.image_path, self.mask_path)
            digest.update(content_of(path) if needed or path.is_file() else b"no strokes")
        return digest.hexdigest()

    def scribble_path(self, number: int) -> Path:
        """Where the strokes of scribble set 1 or 2 lie, if there are any."""
        return self.mask_path.parents[1] / f"scribbles{number}" / f"{self.stem}.png"

    def scribbles(self, number: int) -> tuple[Tensor, Tensor]:
        """Strokes on the object and off it, H x W bool, of set 1 or 2. Raises InputError without any."""
        path = self.scribble_path(number)
        if not path.exists():
            raise InputError(f"{self.dataset}/{self.stem} has no scribbles{number}")
        with Image.open(path) as opened:
            strokes = torch.from_numpy(np.array(opened))
        return strokes == 1, strokes == 2


def content_of(path: Path) -> bytes:
    """sha256 of a file. Raises InputError."""
    try:
        return bytes.fromhex(sha256_of(path))
    except OSError as problem:
        raise InputError(f"{path} cannot be read: {reason(problem)}") from problem


def read_manifest(folder: Path, only: tuple[str, ...] = ()) -> list[Instance]:
    """The instances listed in `folder`/manifest.csv, of the sets in `only` or of all; files are named from the root.

    Raises InputError.
    """
    manifest = folder / "manifest.csv"
    if not manifest.exists():
        raise InputError(f"{folder} holds no manifest.csv; give the folder with the evaluation photos")
    instances = []
    for number, row in enumerate(_rows(manifest), start=2):
        try:
            x0, y0, x1, y1, middle_x, middle_y, inner_x, inner_y = (_number(row[name]) for name in _NUMBERS)
            dataset, stem, image = (_file_name(row[name]) for name in ("dataset", "stem", "image"))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"line {number} of {manifest} cannot be read: {error}") from error
        home = folder.absolute() / dataset
        instances.append(
            Instance(
                dataset,
                stem,
                home / "images" / image,
                home / "masks" / f"{stem}.png",
                (x0, y0, x1, y1),
                (middle_x, middle_y),
                (inner_x, inner_y),
            )
        )
    known = sorted({instance.dataset for instance in instances})
    for name in only:
        if name not in known:
            raise InputError(f"there is no set {name!r} in {manifest}; it lists {', '.join(known)}")
    return [instance for instance in instances if not only or instance.dataset in only]


def scene(stem: str) -> str:
    """What photos of one scene have in common: frames are named SCENE_NUMBER, objects of one photo NUMBERletter."""
    return re.sub(r"_\d+$|(?<=\d)[a-z]$", "", stem)


def check_sizes(photo: Path, size: tuple[int, int], mask: tuple[int, int]) -> None:
    """Raises InputError when a photo's (H, W) and its mask's are not the same."""
    if size != mask:
        raise InputError(f"the photo {photo} has {size[1]} x {size[0]} pixels, its mask {mask[1]} x {mask[0]}")


def _rows(manifest: Path) -> list[dict[str, str]]:
    try:
        with manifest.open(newline="", encoding="utf-8") as opened:
            return list(csv.DictReader(opened))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{manifest} cannot be read as a table: {error}") from error


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is no coordinate")
    return value


def _file_name(text: str) -> str:
    """A name that stays in its folder."""
    if text in ("", ".", "..") or set(text) & set("/\\:\0"):
        raise ValueError(f"{text!r} is no name of a file or a set")
    return text


def by_set(instances: Iterable[Instance]) -> dict[str, list[Instance]]:
    """The instances of every set, in their order."""
    sets: dict[str, list[Instance]] = {}
    for instance in instances:
        sets.setdefault(instance.dataset, []).append(instance)
    return sets


def thin_out(instances: list[Instance], limit: int | None = None, stride: int = 1) -> list[Instance]:
    """Of every set every `stride`-th instance, and of those the first `limit`."""
    return [instance for members in by_set(instances).values() for instance in members[::stride][:limit]]
