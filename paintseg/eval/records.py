"""What was measured, one line per instance or click in a CSV file, from which an interrupted run goes on."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass, fields
from io import StringIO
from pathlib import Path
from typing import get_type_hints

from ..errors import InputError

Place = tuple[str, str, str]
"""(key of a task, set, stem): what a piece of work is about."""


@dataclass(frozen=True)
class Row:
    """One answer about one instance under one task.

    Attributes:
        key: of the task and of what it was measured on, see `Task.key`.
        method, prompt, mosaic, preset, variant, noise, seed: of the task, for readers.
        dataset, stem: the instance.
        iou, boundary_iou, pieces: see `metrics.Marks`.
        seconds: from the decoded photo to the mask; of a click, from it to the answer.
        note: why there is no mask (then the marks are those of an empty one), else empty.
        click: which click of a conversation was answered, from 1; 0 with other prompts.
        clicks: how many there were; 0 with other prompts.
        clicked: "+ x y" on the object or "- x y" off it, the pixel's centre; empty with other prompts.
    """

    key: str
    method: str
    prompt: str
    mosaic: int
    preset: str
    variant: str
    noise: float
    seed: int
    dataset: str
    stem: str
    iou: float
    boundary_iou: float
    pieces: int
    seconds: float
    note: str = ""
    click: int = 0
    clicks: int = 0
    clicked: str = ""

    @property
    def place(self) -> Place:
        """What tells instances of tasks apart."""
        return self.key, self.dataset, self.stem


NAMES = tuple(field.name for field in fields(Row))
_NUMBERS = {name: kind for name, kind in get_type_hints(Row).items() if kind in (int, float)}


class Records:
    """Rows that were finished, in memory and, unless `path` is None, in a CSV file that grows line by line.

    `rows` has them by place, one for an instance or one per click. Rows of other tasks in the file stay as they are.
    What an interruption cut short is dropped: half a line, and conversations without their last click. Raises
    InputError when the file is something else.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        text = path.read_text(encoding="utf-8", errors="replace") if path is not None and path.exists() else ""
        self.rows: dict[Place, tuple[Row, ...]] = _whole(_read(text, path)) if text else {}
        self._before = "" if text.endswith("\n") else "\n" if text else f"{','.join(NAMES)}\n"

    def add(self, rows: Sequence[Row]) -> None:
        """Keep all rows of a finished instance; they are on disk when this returns. Raises OSError."""
        self.rows[rows[0].place] = tuple(rows)
        if self.path is None:
            return
        with self.path.open("a", newline="", encoding="utf-8") as opened:
            opened.write(self._before)
            csv.writer(opened, lineterminator="\n").writerows(astuple(row) for row in rows)
        self._before = ""


def _read(text: str, path: Path | None) -> Iterator[Row]:
    reader = csv.reader(StringIO(text))
    if tuple(next(reader, ())) != NAMES:
        raise InputError(f"{path} is no table of this command, or an older version's; give another name to --csv")
    for values in reader:
        with suppress(ValueError):  # cut short by an interruption: the instance is measured again
            found = dict(zip(NAMES, values, strict=True))
            yield Row(**found | {name: kind(found[name]) for name, kind in _NUMBERS.items()})


def _whole(rows: Iterable[Row]) -> dict[Place, tuple[Row, ...]]:
    """The rows of every instance, the latest of several times; instances that lack a click are left out."""
    found: dict[Place, dict[int, Row]] = {}
    for row in rows:
        if row.click <= 1:
            found[row.place] = {}
        found.setdefault(row.place, {})[row.click] = row
    return {place: tuple(turns.values()) for place, turns in found.items() if _is_whole(tuple(turns.values()))}


def _is_whole(rows: Sequence[Row]) -> bool:
    last = rows[-1].clicks
    return [row.click for row in rows] == list(range(min(last, 1), last + 1))
