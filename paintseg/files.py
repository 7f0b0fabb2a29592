"""Photos and masks as files: a reader for every kind of photo, and a writer that never leaves half a file."""

from __future__ import annotations

import io
import os
import secrets
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from .errors import InputError, StorageError, reason

MAX_PIXELS = 2**27
"""Largest photo that is read, 134 million pixels; as floats it takes 1.6 GB."""

LEFT_SECONDS = 3600.0
"""How long an unfinished file lies untouched before it counts as left behind by a process that was killed."""

_DEEP = ("I;16", "I;16B", "I;16L", "I;16N", "I")
_LOSSLESS = (".png", ".tif", ".tiff", ".webp", ".bmp")
_WITH_ALPHA = (".png", ".tif", ".tiff", ".webp")


def read_photo(path: Path) -> Tensor:
    """A photo as 3 x H x W in [0, 1], turned as its EXIF says.

    Grey, palette, CMYK and 16-bit photos become RGB; transparency is dropped, the colour below it stays; an
    animation gives its first frame.

    Raises InputError for what is no photo, is broken, or has more than `MAX_PIXELS`.
    """
    # bytes are turned before they become floats: a quarter of the memory to move
    return _unit(torch.from_numpy(_pixels(path, "RGB")).permute(2, 0, 1).contiguous())


def read_mask(path: Path) -> Tensor:
    """A mask or strokes as H x W in [0, 1]: the transparency where it varies, else the brightness.

    Raises InputError as `read_photo` does.
    """
    pixels = _unit(torch.from_numpy(_pixels(path, "RGBA")))
    alpha = pixels[..., 3]
    if alpha.min() < alpha.max():
        return alpha.contiguous()
    return (pixels[..., :3] @ torch.tensor([0.299, 0.587, 0.114])).clamp(0, 1)


def to_image(values: Tensor) -> Image.Image:
    """A mask H x W, a photo 3 x H x W or a layer 4 x H x W, in [0, 1], as an 8-bit picture."""
    pixels = (values.detach().float().clamp(0, 1) * 255).round().byte().cpu()
    return Image.fromarray((pixels if pixels.ndim == 2 else pixels.permute(1, 2, 0).contiguous()).numpy())


def write_image(path: Path, image: Image.Image) -> None:
    """Write one picture, whole or not at all; an existing file is replaced."""
    write_images({path: image})


def write_mask(path: Path, mask: Tensor) -> None:
    """Write a mask H x W, bool or in [0, 1], as 8 bits of grey, whole or not at all."""
    write_image(path, to_image(mask))


def write_images(images: Mapping[Path, Image.Image]) -> None:
    """Write several pictures: all are written under other names first, then all take their names.

    Raises StorageError when a folder cannot be written or the disk is full; no file has changed then.
    """
    staged: dict[Path, Path] = {}
    try:
        for path, image in images.items():
            staged[path] = _beside(path)
            encoded = _encoded(path, image)
            with naming(path), staged[path].open("wb") as file:
                file.write(encoded)
        for path, temporary in staged.items():
            with naming(path):
                os.replace(temporary, path)
    finally:
        for temporary in staged.values():
            temporary.unlink(missing_ok=True)


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """A path to write a file of any kind to; it gets its name at the end, or vanishes on any error.

    Raises StorageError for an OSError in writing it.
    """
    temporary = _beside(path)
    try:
        with naming(path):
            yield temporary
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """What the system says while a file or folder is written, in a sentence that names it. Raises StorageError."""
    try:
        yield
    except StorageError:
        raise
    except OSError as problem:
        raise StorageError(f"{path} could not be written: {reason(problem)}") from problem


@contextmanager
def folder_for(folder: Path) -> Iterator[None]:
    """Make a folder and those above it; on an error those made vanish again where nothing lies in them.

    Raises StorageError when it cannot be made.
    """
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        with naming(folder):
            folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        with suppress(OSError):
            for place in missing:
                place.rmdir()
        raise


def check_target(path: Path, what: str, alpha: bool = False, lossless: bool = False) -> None:
    """Refuse a name that could not be written later. Raises InputError.

    Args:
        path: where `what` is to go.
        alpha: whether the picture is transparent. lossless: whether its values must survive.
    """
    known = _WITH_ALPHA if alpha else _LOSSLESS if lossless else (*_LOSSLESS, ".jpg", ".jpeg")
    if path.suffix.lower() not in known:
        raise InputError(f"{what} must be named {', '.join(known)}, not {path.name!r}")
    check_folder(path, what)


def check_folder(path: Path, what: str) -> None:
    """Refuse a file in a folder that is not there or cannot be written. Raises InputError."""
    try:
        path.exists()
        os.fsencode(path)
    except UnicodeEncodeError as problem:
        raise InputError(f"{what} {path.name[:60]!r} is no name of a file: it holds half a character") from problem
    except OSError as problem:  # a name too long, links in a circle
        raise InputError(f"{what} {path.name[:60]!r} cannot be written: {reason(problem)}") from problem
    if "\0" in str(path):
        raise InputError(f"{what} {path.name[:60]!r} is no name of a file: it holds a NUL character")
    if path.is_dir():
        raise InputError(f"{what} {path} is a folder; give the name of a file")
    if not path.parent.is_dir():
        raise InputError(f"the folder {path.parent} of {what} does not exist")
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"the folder {path.parent} of {what} cannot be written to")


def _encoded(path: Path, image: Image.Image) -> bytes:
    """The picture in the format of its name.

    In memory: of a disk that is full while Pillow writes a JPEG it tells an "encoder error" and not why.
    """
    buffer = io.BytesIO()
    buffer.name = f"picture{path.suffix}"  # by which Pillow knows the format; in "...png" it would see none
    image.save(buffer, **({"quality": 95} if path.suffix.lower() in (".jpg", ".jpeg") else {}))
    return buffer.getvalue()


def _beside(path: Path) -> Path:
    """A hidden name in the same folder, so that taking the true one is a single step on its disk."""
    _sweep(path.parent)
    return path.with_name(f".{path.stem[:80]}.unfinished-{secrets.token_hex(4)}{path.suffix}")


@lru_cache(maxsize=256)  # once per folder and process: listing a large folder for every picture would cost
def _sweep(folder: Path) -> None:
    """Remove what a killed process left; a file that another one is writing now is young and stays."""
    with suppress(OSError):
        for left in folder.glob(".*.unfinished-????????*"):
            if time.time() - left.stat().st_mtime > LEFT_SECONDS:
                left.unlink()


def _pixels(path: Path, mode: str) -> np.ndarray:
    """H x W x channels of `mode`, uint8, or float32 in [0, 1] where the file has more than 8 bits."""
    if path.is_dir():
        raise InputError(f"{path} is a folder; give one picture")
    if not path.exists():
        raise InputError(f"there is no file {path}")
    try:
        # Pillow warns of pictures we accept, and refuses some that we refuse with a clearer sentence.
        with warnings.catch_warnings(), suppress(Image.DecompressionBombError):
            warnings.simplefilter("ignore")
            with Image.open(path) as opened:
                _check_size(path, opened.size)
                return _convert(ImageOps.exif_transpose(opened), mode)
    except (InputError, MemoryError):
        raise
    except Exception as error:  # Pillow's plugins report broken files with nearly every type there is
        raise InputError(f"{path} cannot be read as a picture ({_reason(error, path)})") from error
    raise InputError(f"{path} has more than {MAX_PIXELS // 10**6} million pixels; make it smaller")


def _check_size(path: Path, size: tuple[int, int]) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise InputError(f"{path} has {width} x {height} pixels, more than {MAX_PIXELS // 10**6} million; "
                         "make it smaller")


def _convert(image: Image.Image, mode: str) -> np.ndarray:
    if image.mode in _DEEP or image.mode == "F":
        grey = np.asarray(image, dtype=np.float32)
        if not np.isfinite(grey).all():
            raise ValueError("it holds NaN or infinite values")
        # 16-bit greys come in several modes; of floats the range tells what one means.
        top = 65535.0 if image.mode in _DEEP else 1.0 if grey.max(initial=0) <= 1 else 255.0
        grey = np.clip(grey / top, 0, 1)
        opaque = [np.ones_like(grey)] if mode == "RGBA" else []
        return np.stack([grey, grey, grey, *opaque], axis=-1)
    return np.array(image.convert(mode))


def _unit(pixels: Tensor) -> Tensor:
    """Bytes as float32 in [0, 1]; floats as they are."""
    return pixels.float().div_(255) if pixels.dtype == torch.uint8 else pixels


def _reason(error: Exception, path: Path) -> str:
    return str(error).replace(f" {str(path)!r}", "").strip() or type(error).__name__
