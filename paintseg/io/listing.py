"""Which object of which photo: the pieces of a run over many photos, from a folder or from a file that lists them."""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ..errors import InputError, excerpt
from ..ops.coordinates import Box, Point, are_numbers, box_of, from_text, plain, point_of, points_of, says_nothing
from ..prompts import MAPS

FILES = ("photo", *MAPS)
"""What of a piece is read from files."""


@dataclass(frozen=True)
class Piece:
    """One object of one photo, as plain values.

    Attributes:
        box: x0, y0, x1, y1 in pixels; None without one.
        points, negative_points: x, y on the object, and on what is not.
        scribble, negative_scribble, mask: files, as the command's arguments of those names.
        auto: whether the most salient object is meant, found as a coarse mask (inside the box if there is one).
        invert: whether those files mean the opposite (`masks.read_mask`).
    """

    photo: str
    output: str
    box: Box | None = None
    points: tuple[tuple[float, float], ...] = ()
    negative_points: tuple[tuple[float, float], ...] = ()
    scribble: str | None = None
    negative_scribble: str | None = None
    mask: str | None = None
    auto: bool = False
    invert: bool = False


_FIELDS = tuple(field.name for field in fields(Piece))


def alike(folder: Path, target: Path, photos: Sequence[Path], **prompt: Any) -> list[Piece]:
    """A piece for every photo of a folder, all with the same prompt; see `Piece`.

    Masks go below `target` under the photo's name, with the suffix .png; those of photos that differ in the suffix
    alone keep it, as in `a.webp.png`.
    """
    if prompt.get("box") is not None:
        prompt["box"] = box_of(prompt["box"])
    for name in ("points", "negative_points"):
        prompt[name] = tuple(point_of(one, name) for one in plain(prompt.get(name, ())))
    masks = Counter(_mask_of(path.relative_to(folder), target) for path in photos)
    pieces = []
    for path in photos:
        below = path.relative_to(folder)
        mask = _mask_of(below, target)
        if masks[mask] > 1:
            mask = target / below.with_name(f"{below.name}.png")
        pieces.append(Piece(photo=str(path), output=str(mask), **prompt))
    return _apart(pieces)


def read_pieces(listing: Path, folder: Path, target: Path) -> list[Piece]:
    """The pieces of a JSON or CSV file.

    JSON: a list of objects with the attributes of `Piece`, or one per line. CSV: a header of those names; a box is
    "x0 y0 x1 y1", points are "x y x y ...". Both may be what detectors and point editors write. Photos
    and pictures are named relative to `folder`, outputs to `target`; without an output the mask takes the photo's name,
    so a second object of a photo needs one.

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
            rows = (
                json.loads(text)
                if text.lstrip().startswith("[")
                else [json.loads(line) for line in text.splitlines() if line.strip()]
            )
        except (ValueError, RecursionError) as error:
            raise InputError(f"{listing} is no JSON: {error}") from error
    if not rows:
        raise InputError(f"the prompts {listing} list no photo")
    return _apart(
        [_piece(row, f"entry {number} of {listing}", folder, target) for number, row in enumerate(rows, start=1)]
    )


def _piece(row: Any, where: str, folder: Path, target: Path) -> Piece:
    if not isinstance(row, dict) or not row.get("photo"):
        raise InputError(f"{where} names no photo")
    row = {name: value for name, value in row.items() if value is not None and value != ""}
    if None in row:  # where csv puts what has no name
        raise InputError(f"{where} has more columns than the first line names")
    if unknown := sorted(set(row) - set(_FIELDS)):
        raise InputError(f"{where} has {unknown[0]!r}; known are {', '.join(_FIELDS)}")
    named = {name: _name(row[name], f"the {name} of {where}") for name in ("output", *FILES) if name in row}
    photo = folder / named["photo"]
    output = target / named["output"] if "output" in named else _mask_of(Path(named["photo"]), target)
    if output.suffix.lower() != ".png" or not _is_below(output, target):
        raise InputError(
            f"{where} has the output {named.get('output', str(output))!r}; "
            "it must be a .png file below the folder for masks"
        )
    files = {name: str(folder / named[name]) for name in MAPS if name in named}
    auto, invert = (row.get(name) in (True, 1, "1", "true", "True", "yes") for name in ("auto", "invert"))
    box = _box(row.get("box"), f"box of {where}")
    points, off = _points(row.get("points"), f"points of {where}")
    others, more = _points(row.get("negative_points"), f"negative points of {where}")
    if not (auto or box or points or "scribble" in files or "mask" in files or says_nothing(_read(row.get("points")))):
        raise InputError(f"{where} has nothing that points at an object: box, points, scribble, mask or auto")
    return Piece(
        photo=str(photo),
        output=str(output),
        box=box,
        auto=auto,
        invert=invert,
        points=points,
        negative_points=off + others + more,
        **files,
    )


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


def _read(value: Any) -> Any:
    """A field as plain values: numbers with blanks, commas or semicolons, or what JSON holds in a text."""
    if not isinstance(value, str):
        return plain(value)
    try:
        return (
            from_text(value)
            if value.lstrip()[:1] in "[{("
            else [float(part) for part in value.replace(",", " ").replace(";", " ").split()]
        )
    except (ValueError, RecursionError):
        return value


def _box(value: Any, what: str) -> Box | None:
    found = _read(value)
    if isinstance(found, str):
        raise InputError(f"the {what} must be numbers, not {excerpt(value)!r}")
    return None if found is None or found == [] else box_of(found, what)


def _points(value: Any, what: str) -> tuple[tuple[Point, ...], tuple[Point, ...]]:
    """Points on the object, and those labelled as not on it. Nothing where it says that nothing was found."""
    found = _read(value)
    if found is None or says_nothing(found):
        return (), ()
    if isinstance(found, list) and are_numbers(found, len(found)):
        if len(found) % 2:
            raise InputError(f"the {what} must be pairs x, y; there are {len(found)} numbers")
        found = [found[at : at + 2] for at in range(0, len(found), 2)]
    if isinstance(found, list) and len(found) == 1 and isinstance(found[0], list) and not are_numbers(found[0], 2):
        found = found[0]
    if not isinstance(found, (list, dict)):
        raise InputError(f"the {what} must be numbers, not {excerpt(value)!r}")
    return points_of(found, what)


def _mask_of(photo: Path, target: Path) -> Path:
    return target / photo.with_suffix(".png")


def _apart(pieces: list[Piece]) -> list[Piece]:
    taken: dict[str, str] = {}
    for piece in pieces:
        if piece.output in taken:
            raise InputError(
                f"the masks of {taken[piece.output]} and {piece.photo} would both be {piece.output}; "
                "give one of them another name (output in --prompts)"
            )
        taken[piece.output] = piece.photo
    return pieces
