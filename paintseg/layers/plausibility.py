"""How plausible a painting is, judged without labels: what was painted should look like something around it."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from ..encoders import Encoder
from ..encoders.base import check_features
from ..ops.boxes import PixelBox, box_around, grow_box
from ..ops.images import resize, size_of
from ..views.frames import MOST_WALKED, encoder_input

SIZE = 448
"""Longer side in pixels of what the encoder sees."""

AROUND = 2.0
"""Side of what it sees over the hole's, along either axis."""


def strangeness(plate: Tensor, hole: Tensor, encoder: Encoder) -> float:
    """Mean over the patches of the hole of their distance to the nearest patch around it, 1 - cosine of features.

    A hallucinated thing is like nothing around it. On holes in plain background, where the truth is known,
    this ranks paintings much as their distance to the truth does (BENCHMARKS.md).

    Args:
        plate: 3 x H x W in [0, 1]. hole: H x W bool, where it was painted.

    Returns 0 to 2, lower is better; 0 when no patch lies in the hole, or none outside.
    """
    inside, around = patches(plate, hole, encoder)
    if not inside.shape[1] or not around.shape[1]:
        return 0.0
    return float((1 - (inside.T @ around).amax(1)).mean())


def patches(plate: Tensor, hole: Tensor, encoder: Encoder) -> tuple[Tensor, Tensor]:
    """Features C x n and C x m, of unit length, of the patches in the hole and of those around it that it leaves alone.

    Where the encoder has more than `MOST_WALKED` patches, they are means of several. Arguments as of `strangeness`.
    """
    x0, y0, x1, y1 = frame_of(hole)
    size = encoder_input((y1 - y0, x1 - x0), encoder, SIZE)
    shown = resize(plate[None, :, y0:y1, x0:x1], size)
    tokens = check_features(encoder, shown, encoder.encode(shown))
    rows, columns = size_of(tokens)
    coarser = max(1.0, (rows * columns / MOST_WALKED) ** 0.5)  # all are compared with all
    grid = max(1, int(rows / coarser)), max(1, int(columns / coarser))
    tokens = F.normalize(F.adaptive_avg_pool2d(tokens, grid), dim=1)[0].flatten(1)
    covered = F.adaptive_avg_pool2d(hole[None, None, y0:y1, x0:x1].float(), grid).flatten().to(tokens.device)
    return tokens[:, covered > 0.5], tokens[:, covered == 0]


def frame_of(hole: Tensor) -> PixelBox:
    """What the encoder sees: (x0, y0, x1, y1) in pixels of the hole H x W bool."""
    return grow_box(box_around(hole[None, None], "hole"), AROUND, size_of(hole))
