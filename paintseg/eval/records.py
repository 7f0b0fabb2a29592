"""What was measured, one line per instance in a CSV file, from which an interrupted run goes on."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from ..errors import InputError


@dataclass(frozen=True)
class Row:
    """One instance under one task.

    Attributes:
        key: of the task, see `Task.key`.
        method, prompt, preset, variant, noise, seed: of the task, for readers.
        dataset, stem: the instance.
        iou: intersection over union with the human mask, 0..1.
        seconds: from the decoded photo to the mask.
        note: why there is no mask (then `iou` is that of an empty one), else empty.
    """

    key: str
    method: str
    prompt: str
    preset: str
    variant: str
    noise: float
    seed: int
    dataset: str
    stem: str
    iou: float
    seconds: float
    note: str = ""

    @property
    def place(self) -> tuple[str, str, str]:
        """What tells rows apart."""
        return self.key, self.dataset, self.stem


NAMES = tuple(field.name for field in fields(Row))


class Records:
    """Rows that were finished, in memory and, unless `path` is None, in a CSV file that grows line by line.

    Rows of other tasks in the file stay as they are. A line that an interruption cut short is dropped.
    Raises InputError when the file is something else.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.rows: dict[tuple[str, str, str], Row] = {}
        if path is not None and path.exists() and path.stat().st_size:
            self.rows = {row.place: row for row in _read(path)}

    def find(self, place: tuple[str, str, str]) -> Row | None:
        """The row of (key, dataset, stem), if it is finished."""
        return self.rows.get(place)

    def forget(self, keys: Iterable[str]) -> None:
        """Take the rows of these tasks for unfinished; the file keeps them until new ones follow."""
        gone = set(keys)
        self.rows = {place: row for place, row in self.rows.items() if row.key not in gone}

    def add(self, row: Row) -> None:
        """Keep a finished row; it is on disk when this returns. Raises OSError."""
        self.rows[row.place] = row
        if self.path is None:
            return
        new = not self.path.exists() or not self.path.stat().st_size
        cut_short = not new and _last_byte(self.path) != b"\n"
        with self.path.open("a", newline="", encoding="utf-8") as opened:
            writer = csv.writer(opened, lineterminator="\n")
            if cut_short:
                opened.write("\n")
            if new:
                writer.writerow(NAMES)
            writer.writerow(astuple(row))


def _read(path: Path) -> list[Row]:
    rows = []
    with path.open(newline="", encoding="utf-8", errors="replace") as opened:
        reader = csv.reader(opened)
        if tuple(next(reader, ())) != NAMES:
            raise InputError(f"{path} is no table of this command; give another name to --csv")
        for values in reader:
            try:
                found = dict(zip(NAMES, values, strict=True))
                rows.append(Row(**found | {"noise": float(found["noise"]), "seed": int(found["seed"]),
                                           "iou": float(found["iou"]), "seconds": float(found["seconds"])}))
            except ValueError:
                continue  # cut short by an interruption: the instance is measured again
    return rows


def _last_byte(path: Path) -> bytes:
    with path.open("rb") as opened:
        opened.seek(-1, 2)
        return opened.read(1)
