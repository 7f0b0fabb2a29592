"""Conversations by clicks, as the field measures them (Sofiiuk et al. 2021, "RITM"), and their figures.

Nothing is found at first. Every click is where an error is deepest: the pixel that is farthest from the edge of what
is missed or of what is wrong, whichever lies deeper. The photo's border counts as an edge, and so does what has no
right answer (128 in the human mask). No pixel is clicked twice.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from ..errors import InputError
from ..ops.images import size_of
from ..ops.morphology import depth
from ..prompts import Point, Prompt
from .metrics import IGNORED, Marks, marks
from .task import Method

AFTER = (1, 2, 3, 5, 10)
"""Clicks after which means are given."""

LEVELS = (80, 85, 90)
"""IoU in percent of "number of clicks"."""

FALLS = (2, 20)
"""Points of IoU; a click after which IoU has fallen by more is counted."""


@dataclass(frozen=True)
class Turn:
    """One click and the answer to it.

    Attributes:
        row, column: the clicked pixel.
        positive: whether it is on the object.
        mask: the answer, H x W bool.
        marks: of the mask.
        seconds: the method took.
        note: why there is no mask (then it is empty), else empty.
    """

    row: int
    column: int
    positive: bool
    mask: np.ndarray
    marks: Marks
    seconds: float
    note: str = ""

    @property
    def point(self) -> tuple[float, float]:
        """The pixel's centre, (x, y)."""
        return self.column + 0.5, self.row + 0.5


def converse(image: Tensor, truth: np.ndarray, method: Method, most: int = 20, stop: float = 100.0) -> Iterator[Turn]:
    """Click by click, until IoU has reached `stop` percent, `most` clicks are made or nothing is left to click on.

    Args:
        image: 3 x H x W in [0, 1].
        truth: H x W uint8, 255 object, 0 background, 128 not counted; some of it object.
        method: asked with the prompt of all clicks so far; one that refuses answers with an empty mask.
    """
    mask = np.zeros(truth.shape, bool)
    turns: list[Turn] = []
    while len(turns) < most:
        found = next_click(mask, truth, [(turn.row, turn.column) for turn in turns])
        if found is None:
            return
        clicks = [*((turn.point, turn.positive) for turn in turns), ((found[1] + 0.5, found[0] + 0.5), found[2])]
        started, note = time.perf_counter(), ""
        try:
            mask = method(image, prompt_of(clicks, size_of(image)))
        except InputError as error:
            mask, note = np.zeros(truth.shape, bool), str(error)
        seconds = time.perf_counter() - started
        turns.append(Turn(*found, mask, marks(mask, truth), seconds, note))
        yield turns[-1]
        if 100 * turns[-1].marks.iou >= stop:
            return


def prompt_of(clicks: Sequence[tuple[Point, bool]], size: tuple[int, int]) -> Prompt:
    """The prompt of clicks (x, y), each on the object or not, in their order; for a photo of (H, W)."""
    on, off = (tuple(point for point, positive in clicks if positive is wanted) for wanted in (True, False))
    return Prompt(size, points=on, negative_points=off, order=tuple(positive for _, positive in clicks))


def next_click(
    mask: np.ndarray, truth: np.ndarray, clicked: Collection[tuple[int, int]] = ()
) -> tuple[int, int, bool] | None:
    """Where the field's protocol clicks next.

    Args:
        mask: H x W bool, the answer so far.
        truth: H x W uint8, 255 object, 0 background, 128 not counted.
        clicked: (row, column) of the clicks before, which are not clicked again.

    Returns:
        (row, column, whether it is on the object), of equal pixels the first from the top and the left; None when
        every wrong pixel was clicked.
    """
    counted, wanted = truth != IGNORED, truth == 255
    depths = []
    for error in (wanted & ~mask & counted, mask & ~wanted & counted):
        deep = depth(error)
        for place in clicked:
            deep[place] = 0.0
        depths.append(deep)
    missed, wrong = depths
    positive = bool(missed.max() > wrong.max())
    error = missed if positive else wrong
    if not error.max() > 0:
        return None
    row, column = np.unravel_index(int(np.argmax(error)), error.shape)
    return int(row), int(column), positive


def clicks_needed(ious: Sequence[float], level: float) -> int | None:
    """The first click, from 1, after which IoU is at least `level`; None when there is none."""
    return next((number for number, iou in enumerate(ious, start=1) if iou >= level), None)


@dataclass(frozen=True)
class Figures:
    """What the conversations about several objects come to.

    Attributes:
        conversations: IoU in 0..1 after every click, an object each.
        most: the clicks allowed.
    """

    conversations: tuple[tuple[float, ...], ...]
    most: int

    @property
    def after(self) -> dict[int, float]:
        """Means after 1, 2, 3, 5, 10 and the last of `most` clicks; a conversation that ended keeps its last value."""
        numbers = sorted({number for number in AFTER if number <= self.most} | {self.most})
        return {
            number: float(np.mean([one[min(number, len(one)) - 1] for one in self.conversations])) for number in numbers
        }

    def noc(self, level: int) -> float:
        """Mean number of clicks to an IoU of `level` percent; never reaching it counts as all clicks allowed."""
        return float(np.mean([clicks_needed(one, level / 100) or self.most for one in self.conversations]))

    def never(self, level: int) -> float:
        """Share of the objects that never reach an IoU of `level` percent."""
        return float(np.mean([clicks_needed(one, level / 100) is None for one in self.conversations]))

    @property
    def further(self) -> int:
        """How many clicks were made after the first ones."""
        return sum(len(one) - 1 for one in self.conversations)

    def fell(self, points: float) -> float:
        """Share of the further clicks after which IoU was more than that many points lower than before."""
        count = sum(
            round(100 * (before - now), 4) > points
            for one in self.conversations
            for before, now in zip(one, one[1:], strict=False)
        )
        return count / self.further if self.further else 0.0
