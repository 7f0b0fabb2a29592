"""What the evaluation asks of a method: an answer to one prompt."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from torch import Tensor

from ..prompts import Prompt

Method = Callable[[Tensor, Prompt], np.ndarray]
"""(photo 3 x H x W in [0, 1], prompt) -> H x W, bool, or float in [0, 1] whose object is what exceeds 0.5.

Raises InputError when it finds nothing."""


def hard(answer: np.ndarray) -> np.ndarray:
    """The mask H x W bool of an answer."""
    return answer if answer.dtype == bool else answer > 0.5
