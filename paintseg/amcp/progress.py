"""Progress of work within work: one share from 0 to 1, and what there is to see of it."""

from __future__ import annotations

from collections.abc import Callable

from ..painters import Painter, ReportingPainter
from .loop import State

Progress = Callable[[float, object], None]
"""Told the share of the work that is done, 0 to 1, and what there is to see of it: the `State` after a step, a picture
3 x H x W in [0, 1] that is good for the moment only, what a painter shows while it paints, or None. What it raises ends
the work."""


def part(progress: Progress | None, start: float, end: float) -> Progress | None:
    """What a part of the work tells its progress, the part that takes the whole from share `start` to `end`."""
    if progress is None:
        return None
    return lambda share, seen: progress(start + share * (end - start), seen)


def watched(painter: Painter, progress: Progress | None) -> Painter:
    """The painter, telling how far each of its calls is, if it is a `ReportingPainter`."""
    return painter.reporting(progress) if progress is not None and isinstance(painter, ReportingPainter) else painter


class Steps:
    """What `segment` tells its progress: called with the state after every step; `within` is for its painters."""

    def __init__(self, progress: Progress, count: int) -> None:
        self._progress, self._count, self._done = progress, count, 0

    def __call__(self, state: State) -> None:
        """Count a step."""
        self._done = min(self._done + 1, self._count)
        self._progress(self._done / self._count, state)

    def within(self, share: float, seen: object = None) -> None:
        """Tell how far the step under way is."""
        self._progress(min(self._done + share, self._count) / self._count, seen)
