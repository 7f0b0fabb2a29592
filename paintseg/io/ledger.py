"""What every mask of a folder was made of, so that the next run knows which are still right.

A line of JSON per mask: the prompt, and of the photo and every other file its size, time and sha256. Names of paths do
not count, so a folder may be moved, or named another way.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import InputError, reason
from ..weights import sha256_of
from .listing import FILES, Piece
from .pictures import naming

Stamp = tuple[int, int, str]
"""A file's size in bytes, its time in nanoseconds, its sha256."""


def stamps(piece: Piece) -> dict[str, Stamp]:
    """A stamp of the photo and every other file of a piece. Raises InputError when one is not there."""
    return {name: stamp(Path(path)) for name, path in _files(piece).items()}


def stamp(path: Path) -> Stamp:
    """What tells whether a file is the same. Raises InputError when it cannot be read."""
    try:
        found = path.stat()  # before it is read: what is replaced meanwhile counts as another
        return found.st_size, found.st_mtime_ns, _digest(path, found.st_size, found.st_mtime_ns)
    except OSError as problem:
        if not path.exists():
            raise InputError(f"there is no file {path}") from problem
        raise InputError(f"{path} cannot be read: {reason(problem)}") from problem


@lru_cache(maxsize=16)  # a mask that goes with every photo is read once
def _digest(path: Path, size: int, time: int) -> str:
    return sha256_of(path)


class Ledger:
    """The lines of a folder of masks.

    Args:
        path: of the file; what an interruption cut short in it is dropped.
        target: the folder of the masks, which the lines name relative to it.

    Raises InputError when the file cannot be read.
    """

    def __init__(self, path: Path, target: Path) -> None:
        self._path, self._target = path, os.path.abspath(target)
        self._made: dict[str, dict[str, Any]] = {}
        self._whole = True
        if not path.exists():
            return
        try:
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        except (OSError, UnicodeDecodeError) as problem:
            raise InputError(f"{path} is not what an earlier run left there: {problem}") from problem
        for line in lines:
            with suppress(ValueError, TypeError, KeyError):
                entry = json.loads(line)
                self._made[entry["output"]] = entry
        self._whole = not lines or lines[-1].endswith("\n")

    def knows(self, piece: Piece) -> bool:
        """Whether some run has made this piece's mask, be it of another prompt or photo."""
        return self._name(piece) in self._made

    def holds(self, piece: Piece) -> bool:
        """Whether the mask that is there is of this very prompt and of these very files.

        Cheap: a file is read only where its time has changed and its size has not.
        """
        entry = self._made.get(self._name(piece))
        if entry is None or not os.path.isfile(piece.output):
            return False
        files = _files(piece)
        if entry.get("prompt") != _prompt(piece) or set(entry.get("files", ())) != set(files):
            return False
        return all(_is_same(path, entry["files"][name]) for name, path in files.items())

    def add(self, piece: Piece, made_of: Mapping[str, Iterable[Any]]) -> None:
        """Note a mask that was made; it is in the file when this returns.

        Args:
            made_of: from `stamps`, taken before the files were read.

        Raises StorageError when it cannot be written.
        """
        name = self._name(piece)
        entry = {
            "output": name,
            "prompt": _prompt(piece),
            "files": {kind: list(one) for kind, one in made_of.items()},
        }
        self._made[name] = entry
        with naming(self._path), self._path.open("a", encoding="utf-8") as opened:
            opened.write(("" if self._whole else "\n") + json.dumps(entry) + "\n")
        self._whole = True

    def _name(self, piece: Piece) -> str:
        return os.path.relpath(os.path.abspath(piece.output), self._target).replace(os.sep, "/")


def _prompt(piece: Piece) -> dict[str, Any]:
    """What a piece says without files, as JSON has it."""
    plain = {name: value for name, value in asdict(piece).items() if value and name not in ("output", *FILES)}
    return json.loads(json.dumps(plain))


def _files(piece: Piece) -> dict[str, str]:
    return {name: path for name in FILES if (path := getattr(piece, name))}


def _is_same(path: str, then: list[Any]) -> bool:
    try:
        size, time, digest = then
        now = os.stat(path)
        return now.st_size == size and (now.st_mtime_ns == time or sha256_of(Path(path)) == digest)
    except (OSError, ValueError, TypeError):
        return False
