"""Which object of which photo: the pieces of a run over many photos, from a folder or from a file that lists them."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from .errors import InputError, excerpt

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif")
_FIELDS = ("photo", "output", "box", "points", "negative_points", "scribble", "negative_scribble", "mask", "auto")


@dataclass(frozen=True)
class Piece:
    """One object of one photo, as plain values.

    Attributes:
        photo: file.
        output: file of the mask.
        box: x0, y0, x1, y1 in pixels; None without one.
        points, negative_points: x, y on the object, and on what is not.
        scribble, negative_scribble, mask: files, as the command's arguments of those names.
        auto: whether the most salient object is meant, found as a coarse mask (inside the box if there is one).
    """

    photo: str
    output: str
    box: tuple[float, ...] | None = None
    points: tuple[tuple[float, float], ...] = ()
    negative_points: tuple[tuple[float, float], ...] = ()
    scribble: str | None = None
    negative_scribble: str | None = None
    mask: str | None = None
    auto: bool = False


def photos_in(folder: Path) -> list[Path]:
    """The pictures in a folder and the folders below it, sorted. Raises InputError when there are none."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not found:
        raise InputError(f"the folder {folder} holds no pictures ({', '.join(SUFFIXES)})")
    return found


def alike(folder: Path, target: Path, **prompt: Any) -> list[Piece]:
    """A piece for every picture of a folder, all with the same prompt; see `Piece`.

    Masks go below `target` under the photo's name, with the suffix .png. Raises InputError for two pictures whose
    masks would have one name.
    """
    return _apart([Piece(photo=str(path), output=str(_mask_of(path.relative_to(folder), target)), **prompt)
                   for path in photos_in(folder)])


def read_pieces(listing: Path, folder: Path, target: Path) -> list[Piece]:
    """The pieces of a JSON or CSV file.

    JSON: a list of objects with the attributes of `Piece`, or one per line. CSV: a header of those names; a box is
    "x0 y0 x1 y1", points are "x y x y ...". Photos and pictures are named relative to `folder`, outputs to `target`;
    without an output the mask takes the photo's name, so a second object of a photo needs one.

    Raises InputError for what cannot be read so.
    """
    try:
        text = listing.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the prompts {listing} cannot be read: {error}") from error
    if listing.suffix.lower() == ".csv":
        try:
            rows: list[Any] = list(csv.DictReader(text.splitlines()))
        except csv.Error as error:
            raise InputError(f"{listing} is no CSV: {error}") from error
    else:
        try:
            rows = json.loads(text) if text.lstrip().startswith("[") else [
                json.loads(line) for line in text.splitlines() if line.strip()]
        except (ValueError, RecursionError) as error:
            raise InputError(f"{listing} is no JSON: {error}") from error
    if not rows:
        raise InputError(f"the prompts {listing} list no photo")
    return _apart([_piece(row, f"entry {number} of {listing}", folder, target)
                   for number, row in enumerate(rows, start=1)])


def _piece(row: Any, where: str, folder: Path, target: Path) -> Piece:
    if not isinstance(row, dict) or not row.get("photo"):
        raise InputError(f"{where} names no photo")
    row = {name: value for name, value in row.items() if value is not None and value != ""}
    if None in row:  # where csv puts what has no name
        raise InputError(f"{where} has more columns than the first line names")
    if unknown := sorted(set(row) - set(_FIELDS)):
        raise InputError(f"{where} has {unknown[0]!r}; known are {', '.join(_FIELDS)}")
    named = {name: _name(row[name], f"the {name} of {where}")
             for name in ("photo", "output", "scribble", "negative_scribble", "mask") if name in row}
    photo = folder / named["photo"]
    output = target / named["output"] if "output" in named else _mask_of(Path(named["photo"]), target)
    if output.suffix.lower() != ".png" or not _is_below(output, target):
        raise InputError(f"{where} has the output {named.get('output', str(output))!r}; "
                         "it must be a .png file below the folder for masks")
    files = {name: str(folder / named[name]) for name in ("scribble", "negative_scribble", "mask") if name in named}
    auto = row.get("auto") in (True, 1, "1", "true", "True", "yes")
    box = _numbers(row.get("box", ()), f"the box of {where}")
    points = {name: _pairs(_numbers(row.get(name, ()), f"the {name} of {where}"), f"the {name} of {where}")
              for name in ("points", "negative_points")}
    if len(box) not in (0, 4):
        raise InputError(f"the box of {where} is x0, y0, x1, y1, not {len(box)} numbers")
    if not (auto or box or points["points"] or "scribble" in files or "mask" in files):
        raise InputError(f"{where} has nothing that points at an object: box, points, scribble, mask or auto")
    return Piece(photo=str(photo), output=str(output), box=box or None, auto=auto, **points, **files)


def _name(value: Any, what: str) -> str:
    """A file's name, relative or not, that the system can take."""
    if not isinstance(value, str):
        raise InputError(f"{what} must be the name of a file, not {excerpt(value)!r}")
    try:
        known = "\0" not in value and bool(os.fsencode(value)) and bool(Path(value).name)
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can hold
        known = False
    if not known:
        raise InputError(f"{what} is no name of a file: {value!r}")
    return value


def _is_below(path: Path, folder: Path) -> bool:
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # links that lead in a circle
        return False


def _numbers(value: Any, what: str) -> tuple[float, ...]:
    """Numbers of a list, a list of lists, or a text."""
    try:
        if isinstance(value, str):
            return tuple(float(part) for part in value.replace(",", " ").replace(";", " ").split())
        return tuple(torch.as_tensor(value, dtype=torch.float64).flatten().tolist())
    except (ValueError, TypeError, RuntimeError, OverflowError) as error:
        raise InputError(f"{what} must be numbers, not {excerpt(value)!r}") from error


def _pairs(numbers: tuple[float, ...], what: str) -> tuple[tuple[float, float], ...]:
    if len(numbers) % 2:
        raise InputError(f"{what} must be pairs x, y; there are {len(numbers)} numbers")
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def _mask_of(photo: Path, target: Path) -> Path:
    return target / photo.with_suffix(".png")


def _apart(pieces: list[Piece]) -> list[Piece]:
    taken: dict[str, str] = {}
    for piece in pieces:
        if piece.output in taken:
            raise InputError(f"the masks of {taken[piece.output]} and {piece.photo} would both be {piece.output}; "
                             "give one of them another name (output in --prompts)")
        taken[piece.output] = piece.photo
    return pieces
