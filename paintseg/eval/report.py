"""Rows made into tables and into JSON."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .clicks import FALLS, LEVELS, Figures
from .records import Row
from .task import CLICKS, Task

_WORDS = {"set", "method", "prompt", "preset", "variant", "left out"}
_DULL = {"method", "preset", "variant", "noise"}
"""Columns left out when all their lines say nothing."""


@dataclass(frozen=True)
class Summary:
    """A task on one set.

    Attributes:
        task, dataset: which.
        found: the rows of its instances, one each or one per click.
    """

    task: Task
    dataset: str
    found: tuple[tuple[Row, ...], ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        """The last row of every instance."""
        return tuple(rows[-1] for rows in self.found)

    def mean(self, mark: str) -> float:
        """Mean of "iou", "boundary_iou" or "pieces" over the instances; see `metrics.Marks`."""
        return statistics.fmean(getattr(row, mark) for row in self.rows)

    @property
    def standard_error(self) -> float:
        """Of the mean IoU; 0 for one instance."""
        if len(self.rows) < 2:
            return 0.0
        return statistics.stdev(row.iou for row in self.rows) / len(self.rows) ** 0.5

    @property
    def seconds(self) -> float:
        """Mean per instance, or per click."""
        return statistics.fmean(row.seconds for rows in self.found for row in rows)

    @property
    def failures(self) -> int:
        """Answers without a mask; they count as an empty one."""
        return sum(bool(row.note) for rows in self.found for row in rows)

    def figures(self, mark: str = "iou") -> Figures:
        """Those of conversations by "iou" or "boundary_iou"."""
        return Figures(tuple(tuple(getattr(row, mark) for row in rows) for rows in self.found), self.task.clicks)

    def as_json(self, machine: Mapping[str, Any]) -> dict[str, Any]:
        """The object of this summary in the JSON file."""
        task = self.task
        return {
            "set": self.dataset,
            "method": task.method,
            "prompt": task.prompt,
            "mosaic": task.mosaic,
            "preset": task.preset,
            "variant": task.variant,
            "noise": task.noise,
            "n": len(self.found),
            "mean_iou": round(self.mean("iou"), 6),
            "standard_error": round(self.standard_error, 6),
            "mean_boundary_iou": round(self.mean("boundary_iou"), 6),
            "mean_pieces": round(self.mean("pieces"), 3),
            **(self._clicks() if task.prompt == CLICKS else {"seconds_per_image": round(self.seconds, 3)}),
            "failures": self.failures,
            "settings": {**task.settings, **machine},
        }

    def _clicks(self) -> dict[str, Any]:
        figures, boundaries = self.figures(), self.figures("boundary_iou")
        return {
            "mean_iou_after": {str(number): round(value, 6) for number, value in figures.after.items()},
            "mean_boundary_iou_after": {str(number): round(value, 6) for number, value in boundaries.after.items()},
            "noc": {str(level): round(figures.noc(level), 4) for level in LEVELS},
            "never": {str(level): round(figures.never(level), 6) for level in LEVELS},
            "fell": {str(points): round(figures.fell(points), 6) for points in FALLS},
            "further_clicks": figures.further,
            "seconds_per_click": round(self.seconds, 3),
        }


def summarise(work: Sequence[tuple[Task, Any]], found: Sequence[tuple[Row, ...]]) -> list[Summary]:
    """Rows gathered by task and set, in the order of the work."""
    groups: dict[tuple[Task, str], list[tuple[Row, ...]]] = {}
    for (task, _), rows in zip(work, found, strict=True):
        groups.setdefault((task, rows[0].dataset), []).append(rows)
    return [Summary(task, dataset, tuple(members)) for (task, dataset), members in groups.items()]


def table(summaries: Sequence[Summary]) -> str:
    """A table for a terminal, shares in percent, and one of conversations."""
    single = [one for one in summaries if one.task.prompt != CLICKS]
    talked = [one for one in summaries if one.task.prompt == CLICKS]
    parts = [aligned([{**_head(one), **_cells(one)} for one in single])] if single else []
    # the clicks allowed decide which columns there are
    for most in dict.fromkeys(one.task.clicks for one in talked):
        parts.append(aligned([{**_head(one), **_click_cells(one)} for one in talked if one.task.clicks == most]))
    if talked:
        parts.append(
            "after: mean IoU after that many clicks. NoC: clicks to that IoU, all allowed where it is never "
            "reached. fell: share of the further clicks that cost more points of IoU than that."
        )
    if failed := sum(summary.failures for summary in summaries):
        parts.append(f"{failed} without a mask, counted as an empty one; see the CSV")
    return "\n".join(parts)


def aligned(lines: Sequence[Mapping[str, str]]) -> str:
    """Lines of cells by column under a header; names to the left, what is numbers to the right."""
    columns = [name for name in lines[0] if name not in _DULL or {line[name] for line in lines} - {"-", "0%"}]
    widths = {name: max(len(name), *(len(line[name]) for line in lines)) for name in columns}
    words = {name for name in columns if name in _WORDS}

    def shown(cells: Iterable[tuple[str, str]]) -> str:
        return "  ".join(
            cell.ljust(widths[name]) if name in words else cell.rjust(widths[name]) for name, cell in cells
        ).rstrip()

    return "\n".join(
        [shown((name, name) for name in columns), *(shown((name, line[name]) for name in columns) for line in lines)]
    )


def _head(summary: Summary) -> dict[str, str]:
    task = summary.task
    return {
        "set": summary.dataset,
        "method": task.method,
        "prompt": task.shown_prompt,
        "preset": task.shown_preset or "-",
        "variant": task.variant or "-",
        "noise": f"{task.noise:g}%",
        "n": str(len(summary.found)),
    }


def _cells(summary: Summary) -> dict[str, str]:
    return {
        "mean IoU": percent(summary.mean("iou")),
        "+-": percent(summary.standard_error),
        "boundary IoU": percent(summary.mean("boundary_iou")),
        "pieces": f"{summary.mean('pieces'):.1f}",
        "s/image": f"{summary.seconds:.1f}",
    }


def _click_cells(summary: Summary) -> dict[str, str]:
    figures = summary.figures()
    return {
        **{f"after {number}": percent(iou) for number, iou in figures.after.items()},
        "boundary IoU": percent(summary.mean("boundary_iou")),
        "pieces": f"{summary.mean('pieces'):.1f}",
        **{f"NoC{level}": f"{figures.noc(level):.2f}" for level in LEVELS},
        **{f"never {level}": f"{100 * figures.never(level):.0f}%" for level in LEVELS},
        **{f"fell {points}": f"{100 * figures.fell(points):.1f}%" for points in FALLS},
        "s/click": f"{summary.seconds:.1f}",
    }


def percent(share: float) -> str:
    """A share in percent."""
    return f"{100 * share:.1f}"
