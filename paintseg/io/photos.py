"""Which files of a folder are photos, and which are left out."""

from __future__ import annotations

import os
import stat
from collections import Counter, defaultdict
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

_LeftOut = defaultdict[tuple[str, str], Counter[str]]
"""Of each kind how many, by the file's or folder's name, or by its suffix where that tells more."""


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
    left: _LeftOut = defaultdict(Counter)
    seen, masks = set(), os.path.realpath(without) if without else None
    here: list[Path] = [folder]
    linked: list[Path] = []
    while here or linked:
        # Links come last, so that a photo has the name it has where it really is.
        place = here.pop() if here else linked.pop(0)
        real = os.path.realpath(place)
        if real in seen or real == masks:
            left[_MASKS if real == masks else _TWICE][place.name] += 1
            continue
        seen.add(real)
        try:
            entries = sorted(os.scandir(place), key=lambda entry: entry.name)
        except OSError:
            left[_LOCKED][place.name] += 1
            continue
        for entry in entries:
            _sort(entry, found, here, linked, left)
    if not found:
        raise InputError("; ".join(filter(None, [f"the folder {folder} holds no pictures", _sentence(left)])))
    return Photos(tuple(sorted(found)), _sentence(left))


def _sort(entry: os.DirEntry[str], found: list[Path], here: list[Path], linked: list[Path], left: _LeftOut) -> None:
    path, suffix = Path(entry.path), os.path.splitext(entry.name)[1].lower()
    known = suffix in suffixes()
    try:
        folder, file, hidden = entry.is_dir(), entry.is_file(), _is_hidden(entry)
    except OSError:  # links in a circle
        folder = file = hidden = False
    if folder and hidden:
        left[_HIDDEN_FOLDER][entry.name] += 1
    elif folder and entry.name == _THUMBNAILS:
        left[_SMALL][entry.name] += 1
    elif folder:
        (linked if entry.is_symlink() else here).append(path)
    elif hidden:
        if known:
            left[_HIDDEN][entry.name] += 1
    elif known and file:
        found.append(path)
    elif entry.is_symlink() and not file:
        left[_NOWHERE][entry.name] += 1
    else:
        left[_OTHER][suffix or entry.name] += 1


def _is_hidden(entry: os.DirEntry[str]) -> bool:
    """Whether a name begins with a dot, as the sidecars of macOS do, or Windows hides it."""
    if entry.name.startswith("."):
        return True
    if os.name != "nt":
        return False
    attributes = getattr(entry.stat(follow_symlinks=False), "st_file_attributes", 0)  # only Windows has them
    return bool(attributes & stat.FILE_ATTRIBUTE_HIDDEN)


def _sentence(left: _LeftOut) -> str:
    """What was left out, for a person; empty when nothing was."""
    parts = []
    for kind, names in left.items():
        count = names.total()
        shown = ", ".join(list(names)[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
        parts.append(f"{count} {kind[count > 1]} ({shown})")
    return f"left out: {'; '.join(parts)}" if parts else ""
