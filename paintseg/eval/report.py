"""Rows made into a table and into JSON."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..files import written
from .records import Row
from .task import Task


@dataclass(frozen=True)
class Summary:
    """A task on one set.

    Attributes:
        task, dataset: which.
        rows: of its instances.
    """

    task: Task
    dataset: str
    rows: tuple[Row, ...]

    @property
    def mean_iou(self) -> float:
        """Mean over the instances, 0..1."""
        return statistics.fmean(row.iou for row in self.rows)

    @property
    def standard_error(self) -> float:
        """Of the mean; 0 for one instance."""
        if len(self.rows) < 2:
            return 0.0
        return statistics.stdev(row.iou for row in self.rows) / len(self.rows) ** 0.5

    @property
    def seconds(self) -> float:
        """Mean per instance."""
        return statistics.fmean(row.seconds for row in self.rows)

    @property
    def failures(self) -> int:
        """Instances the method gave no mask for; they count with the IoU of an empty one."""
        return sum(bool(row.note) for row in self.rows)

    def as_json(self, machine: Mapping[str, Any]) -> dict[str, Any]:
        """The object of this summary in the JSON file."""
        task = self.task
        return {"set": self.dataset, "method": task.method, "prompt": task.prompt, "preset": task.preset,
                "variant": task.variant, "noise": task.noise, "n": len(self.rows),
                "mean_iou": round(self.mean_iou, 6), "standard_error": round(self.standard_error, 6),
                "seconds_per_image": round(self.seconds, 3), "failures": self.failures,
                "settings": {**task.settings, **machine}}


def summarise(work: Sequence[tuple[Task, Any]], rows: Sequence[Row]) -> list[Summary]:
    """Rows gathered by task and set, in the order of the work."""
    groups: dict[tuple[Task, str], list[Row]] = {}
    for (task, _), row in zip(work, rows, strict=True):
        groups.setdefault((task, row.dataset), []).append(row)
    return [Summary(task, dataset, tuple(members)) for (task, dataset), members in groups.items()]


def table(summaries: Sequence[Summary]) -> str:
    """A table for a terminal, IoU in percent."""
    lines = [("set", "method", "prompt", "preset", "variant", "noise", "n", "mean IoU", "+-", "s/image")]
    for summary in summaries:
        task = summary.task
        lines.append((summary.dataset, task.method, task.prompt, task.shown_preset or "-",
                      task.variant or "-", f"{task.noise:g}%", str(len(summary.rows)),
                      f"{100 * summary.mean_iou:.1f}", f"{100 * summary.standard_error:.1f}",
                      f"{summary.seconds:.1f}"))
    dull = {column for column in (1, 3, 4, 5) if len({line[column] for line in lines[1:]} - {"-", "0%"}) == 0}
    shown = [[cell for column, cell in enumerate(line) if column not in dull] for line in lines]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    numbers = len(shown[0]) - 4
    text = "\n".join("  ".join(cell.rjust(width) if column >= numbers else cell.ljust(width)
                               for column, (cell, width) in enumerate(zip(line, widths, strict=True)))
                     for line in shown)
    failed = sum(summary.failures for summary in summaries)
    return f"{text}\n{failed} without a mask, counted as an empty one; see the CSV" if failed else text


def write_json(path: Path, summaries: Sequence[Summary], machine: Mapping[str, Any]) -> None:
    """The list of summaries as JSON, whole or not at all. Raises OSError."""
    text = json.dumps([summary.as_json(machine) for summary in summaries], indent=2)
    with written(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
