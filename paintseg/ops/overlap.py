"""How far two masks agree."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from torch import Tensor

Mask = TypeVar("Mask", Tensor, np.ndarray)


def intersection_over_union(first: Mask, second: Mask) -> float:
    """Intersection over union of two bool masks of one shape, 0 to 1; 1 when both are empty."""
    union = int((first | second).sum())
    return int((first & second).sum()) / union if union else 1.0
