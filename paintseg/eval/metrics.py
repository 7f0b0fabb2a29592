"""Metrics of masks."""

from __future__ import annotations

import numpy as np

IGNORED = 128


def intersection_over_union(mask: np.ndarray, truth: np.ndarray) -> float:
    """Intersection over union of a mask with a human one, pixels marked 128 not counted.

    Args:
        mask: H x W bool. truth: H x W uint8, 255 object, 0 background, 128 not counted.

    Returns:
        0..1; 1 when both are empty.
    """
    counted, wanted = truth != IGNORED, truth == 255
    union = int(((mask | wanted) & counted).sum())
    return float((mask & wanted & counted).sum() / union) if union else 1.0
