"""How plausible a painting is, judged without labels: what was painted should look like something around
it."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from ..encoders import Encoder
from ..encoders.base import check_features
from ..morphology import bounding_box, grow_box
from ..view import resize

SIZE = 448
"""Longer side in pixels of what the encoder sees."""

AROUND = 2.0
"""Side of what it sees over the hole's, along either axis."""


def strangeness(plate: Tensor, hole: Tensor, encoder: Encoder) -> float:
    """Mean over the patches of the hole of their distance to the nearest patch around it, 1 - cosine of
    features.

    A hallucinated thing is like nothing around it. On holes in plain background, where the truth is known,
    this ranks paintings much as their distance to the truth does (BENCHMARKS.md).

    Args:
        plate: 3 x H x W in [0, 1]. hole: H x W bool, where it was painted.
        encoder: the projector E.

    Returns:
        0 to 2, lower is better; 0 when no patch lies in the hole, or none outside.
    """
    x0, y0, x1, y1 = grow_box(bounding_box(hole[None, None]), AROUND, tuple(hole.shape))
    ratio = SIZE / max(x1 - x0, y1 - y0)
    stride = encoder.stride
    size = tuple(max(1, round(side * ratio / stride)) * stride for side in (y1 - y0, x1 - x0))
    shown = resize(plate[None, :, y0:y1, x0:x1], size)
    tokens = F.normalize(check_features(encoder, shown, encoder.encode(shown)), dim=1)[0].flatten(1)
    covered = F.adaptive_avg_pool2d(hole[None, None, y0:y1, x0:x1].float(),
                                    (size[0] // stride, size[1] // stride)).flatten().to(tokens.device)
    inside, around = tokens[:, covered > 0.5], tokens[:, covered == 0]
    if not inside.shape[1] or not around.shape[1]:
        return 0.0
    return float((1 - (inside.T @ around).amax(1)).mean())
