"""Photos and masks as files that are written whole or not at all; how they are read is in reading.py and masks.py."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import lru_cache
from pathlib import Path

from PIL import Image
from torch import Tensor

from ..errors import InputError, StorageError, reason
from .formats import LOSSLESS, LOSSY, WITH_ALPHA, encoded, to_image

LEFT_SECONDS = 3600.0
"""How long an unfinished file lies untouched before it counts as left behind by a process that was killed."""


def write_image(path: Path, image: Image.Image) -> None:
    """Write one picture, whole or not at all; an existing file is replaced."""
    write_images({path: image})


def write_mask(path: Path | str, mask: Tensor) -> None:
    """Write a mask H x W, bool or in [0, 1], as 8 bits of grey, whole or not at all."""
    write_image(Path(path), to_image(mask))


def write_images(images: Mapping[Path, Image.Image], texts: Mapping[str, str] | None = None) -> None:
    """Write several pictures: all are written under other names first, then all take their names.

    `texts` go into those that are PNGs, by name.

    Raises StorageError when a folder cannot be written or the disk is full; no file has changed then.
    """
    with ExitStack() as names:
        for path, image in images.items():
            names.enter_context(written(path)).write_bytes(encoded(path, image, texts))


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


def write_json(path: Path, document: object) -> None:
    """Write plain values as JSON, whole or not at all. Raises StorageError."""
    with written(path) as temporary:
        temporary.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


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
    known = WITH_ALPHA if alpha else LOSSLESS if lossless else (*LOSSLESS, *LOSSY)
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


def _beside(path: Path) -> Path:
    """A hidden name in the same folder, so that taking the true one is a single step on its disk."""
    _sweep(path.parent)
    stem = path.stem.encode(errors="ignore")[:80].decode(errors="ignore")  # file systems count bytes, mostly up to 255
    return path.with_name(f".{stem}.unfinished-{secrets.token_hex(4)}{path.suffix}")


@lru_cache(maxsize=256)  # once per folder and process: listing a large folder for every picture would cost
def _sweep(folder: Path) -> None:
    """Remove what a killed process left; a file that another one is writing now is young and stays."""
    with suppress(OSError):
        for left in folder.glob(".*.unfinished-????????*"):
            if time.time() - left.stat().st_mtime > LEFT_SECONDS:
                left.unlink()
