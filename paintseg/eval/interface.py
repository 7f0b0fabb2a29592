"""What the evaluation asks of a method: an answer to one prompt, or to every click of a conversation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from torch import Tensor

from ..prompts import Point, Prompt

Method = Callable[[Tensor, Prompt], np.ndarray]
"""(photo 3 x H x W in [0, 1], prompt) -> H x W, bool, or float in [0, 1] whose object is what exceeds 0.5.

Raises InputError when it finds nothing."""

ClickMethod = Callable[[Tensor, Sequence[Point], Sequence[bool], "np.ndarray | None"], np.ndarray]
"""(photo, the clicks so far, which of them are on the object, the previous answer) -> an answer as of `Method`.

The previous answer is what the method itself gave after the click before, None at the first; it is handed back as it
was, so a soft one comes back soft."""


def by_prompt(method: Method) -> ClickMethod:
    """A method that takes all clicks together, as a prompt, and has forgotten what it answered before."""

    def answer(
        image: Tensor, points: Sequence[Point], labels: Sequence[bool], previous: np.ndarray | None
    ) -> np.ndarray:
        on, off = (
            tuple(point for point, label in zip(points, labels, strict=True) if label is wanted)
            for wanted in (True, False)
        )
        height, width = image.shape[1:]
        return method(image, Prompt(size=(height, width), points=on, negative_points=off, order=tuple(labels)))

    return answer


def hard(answer: np.ndarray) -> np.ndarray:
    """The mask H x W bool of an answer."""
    return answer if answer.dtype == bool else answer > 0.5
