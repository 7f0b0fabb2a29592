"""Formats: what a file's ending can hold, and a picture's bytes in it without the losses that encoders default to."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, PngImagePlugin
from torch import Tensor

from ..errors import InputError

LOSSLESS = (".png", ".tif", ".tiff", ".webp", ".bmp")
WITH_ALPHA = (".png", ".tif", ".tiff", ".webp")
WITH_PROFILE = (".png", ".tif", ".tiff", ".webp", ".jpg", ".jpeg")
LOSSY = (".jpg", ".jpeg")

_WITH_EXIF = (".png", ".webp", ".jpg", ".jpeg")
_LONGEST_EXIF = 65000  # bytes; a JPEG has no room for more
_LONGEST_SIDE = {".webp": 16383, ".jpg": 65500, ".jpeg": 65500}

_JPEG = {"quality": 95, "subsampling": 0}
_OPTIONS: dict[str, dict[str, Any]] = {
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    # without `exact` the colour below full transparency is thrown away
    ".webp": {"lossless": True, "exact": True},
}


def to_image(values: Tensor) -> Image.Image:
    """A mask H x W, a photo 3 x H x W or a layer 4 x H x W, in [0, 1], as an 8-bit picture."""
    pixels = (values.detach().float().clamp(0, 1) * 255).round().byte().cpu()
    return Image.fromarray((pixels if pixels.ndim == 2 else pixels.permute(1, 2, 0).contiguous()).numpy())


def from_image(picture: Image.Image) -> Tensor:
    """An RGB picture of 8 bits as 3 x H x W in [0, 1]."""
    # bytes are turned before they become floats: a quarter of the memory to move
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).contiguous().float().div_(255)


def encoded(path: Path, image: Image.Image, texts: Mapping[str, str] | None = None) -> bytes:
    """The picture in the format of its name, with the resolution, colour profile and EXIF in its `info`.

    A PNG holds `texts` as well, by name.

    In memory: of a disk that is full while Pillow writes a JPEG it tells an "encoder error" and not why.
    """
    suffix = path.suffix.lower()
    kept: dict[str, Any] = {"dpi": image.info.get("dpi")}
    if suffix in WITH_PROFILE:
        kept["icc_profile"] = image.info.get("icc_profile")
    if suffix in _WITH_EXIF and len(image.info.get("exif") or b"") <= _LONGEST_EXIF:
        kept["exif"] = image.info.get("exif")
    if suffix == ".png" and texts:
        kept["pnginfo"] = PngImagePlugin.PngInfo()
        for name, text in texts.items():
            kept["pnginfo"].add_text(name, text)
    bare = image.copy()
    bare.info = {}  # of which some encoders take what others leave
    buffer = io.BytesIO()
    buffer.name = f"picture{path.suffix}"  # by which Pillow knows the format; in "...png" it would see none
    bare.save(buffer, **_OPTIONS.get(suffix, {}), **{name: value for name, value in kept.items() if value})
    return buffer.getvalue()


def check_side(path: Path, what: str, size: tuple[int, int]) -> None:
    """Refuse a format that cannot hold a picture of (H, W). Raises InputError."""
    longest = _LONGEST_SIDE.get(path.suffix.lower())
    if longest is not None and max(size) > longest:
        raise InputError(
            f"{what} {path.name!r} cannot be written: a {path.suffix.lower()} file has at most {longest} "
            f"pixels a side, the photo is {size[1]} x {size[0]}; name it .png"
        )
