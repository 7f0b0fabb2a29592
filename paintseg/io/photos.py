"""Which files of a folder are photos, and which are left out."""

from __future__ import annotations

import os
import stat
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image

from ..errors import InputError

# Formats of which Pillow reads no more than the size, or which it hands to another program.
_NO_PICTURES = {"BUFR", "EPS", "GRIB", "HDF5", "IPTC", "MPEG", "WMF"}
_THUMBNAILS = "@eaDir"  # where storage servers keep theirs, beside the photos
_NAMED = 5
# What is left out, one and several.
_MASKS = "folder of the masks", "folders of the masks"
_TWICE = "linked folder seen already", "linked folders seen already"
_LOCKED = "folder that cannot be read", "folders that cannot be read"
_HIDDEN_FOLDER = "hidden folder", "hidden folders"
_SMALL = "folder of thumbnails", "folders of thumbnails"
_HIDDEN = "hidden file", "hidden files"
_NOWHERE = "link that leads nowhere", "links that lead nowhere"
_OTHER = "file of another kind", "files of other kinds"


@dataclass(frozen=True)
class Photos:
    """What a folder holds.

    Attributes:
        paths: the photos, sorted.
        left_out: what was not taken for one and why, one sentence; empty when there is no such thing.
    """

    paths: tuple[Path, ...]
    left_out: str = ""


@lru_cache(maxsize=1)
def suffixes() -> frozenset[str]:
    """The suffixes of all formats that Pillow reads here, with the dot, in lower case."""
    Image.init()
    readable = (set(Image.OPEN) | {"MPO"}) - _NO_PICTURES
    return frozenset(suffix for suffix, kind in Image.registered_extensions().items() if kind in readable)


def look_into(folder: Path, without: Path | None = None) -> Photos:
    """The photos of a folder and the folders below it, linked ones as well, each folder once.

    Left out, and counted: hidden files and folders, thumbnails of storage servers, files of other suffixes, links that
    lead nowhere or to what was seen already, folders that cannot be read, and the folder `without`.

    Raises InputError when there are no photos.
    """
    found: list[Path] = []
    left = _LeftOut()
    seen, masks = set(), os.path.realpath(without) if without else None
    here: list[Path] = [folder]
    linked: list[Path] = []
    while here or linked:
        # Links come last, so that a photo has the name it has where it really is.
        place = here.pop() if here else linked.pop(0)
        real = os.path.realpath(place)
        if real in seen or real == masks:
            left.add(_MASKS if real == masks else _TWICE, place.name)
            continue
        seen.add(real)
        try:
            entries = sorted(os.scandir(place), key=lambda entry: entry.name)
        except OSError:
            left.add(_LOCKED, place.name)
            continue
        for entry in entries:
            _sort(entry, found, here, linked, left)
    if not found:
        raise InputError("; ".join(filter(None, [f"the folder {folder} holds no pictures", left.sentence()])))
    return Photos(tuple(sorted(found)), left.sentence())


def photos_in(folder: Path) -> list[Path]:
    """The photos of a folder, see `look_into`. Raises InputError when there are none."""
    return list(look_into(folder).paths)


def _sort(entry: os.DirEntry[str], found: list[Path], here: list[Path], linked: list[Path], left: _LeftOut) -> None:
    path, suffix = Path(entry.path), os.path.splitext(entry.name)[1].lower()
    known = suffix in suffixes()
    try:
        folder, file, hidden = entry.is_dir(), entry.is_file(), _is_hidden(entry)
    except OSError:  # links in a circle
        folder = file = hidden = False
    if folder and hidden:
        left.add(_HIDDEN_FOLDER, entry.name)
    elif folder and entry.name == _THUMBNAILS:
        left.add(_SMALL, entry.name)
    elif folder:
        (linked if entry.is_symlink() else here).append(path)
    elif hidden:
        if known:
            left.add(_HIDDEN, entry.name)
    elif known and file:
        found.append(path)
    elif entry.is_symlink() and not file:
        left.add(_NOWHERE, entry.name)
    else:
        left.add(_OTHER, suffix or entry.name)


def _is_hidden(entry: os.DirEntry[str]) -> bool:
    """Whether a name begins with a dot, as the sidecars of macOS do, or Windows hides it."""
    if entry.name.startswith("."):
        return True
    if os.name != "nt":
        return False
    attributes = getattr(entry.stat(follow_symlinks=False), "st_file_attributes", 0)  # only Windows has them
    return bool(attributes & stat.FILE_ATTRIBUTE_HIDDEN)


class _LeftOut:
    """How many of each kind, and the names of some."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str], Counter[str]] = {}

    def add(self, kind: tuple[str, str], name: str) -> None:
        """Count one more of a kind: a file's or folder's name, or its suffix where that tells more."""
        self._kinds.setdefault(kind, Counter())[name] += 1

    def sentence(self) -> str:
        """What was left out, for a person; empty when nothing was."""
        parts = []
        for kind, names in self._kinds.items():
            count = sum(names.values())
            shown = ", ".join(list(names)[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
            parts.append(f"{count} {kind[count > 1]} ({shown})")
        return f"left out: {'; '.join(parts)}" if parts else ""
