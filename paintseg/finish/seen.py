"""A result that says the same as the answer its user has clicked on.

The loop looks at a view of its own, with patches of its own. A part that was clicked away in the editor may therefore
come out as the object, or the reverse. Nobody would understand that, so the parts are as they were seen, and the edges
as the loop found them.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from ..ops.boxes import bounding_box
from ..ops.morphology import depth

EDGE = 1 / 100
"""Depth, over the photo's longer side, up to which what differs is an edge that was found elsewhere, and not a part."""


def as_seen(soft: Tensor, seen: Tensor) -> Tensor:
    """A result, with those parts as they were seen that came out the other way.

    Args:
        soft: H x W in [0, 1], the result.
        seen: H x W in [0, 1], the answer.

    Returns H x W in [0, 1]; `soft` itself where the two differ at edges alone.
    """
    contrary = (soft > 0.5) ^ (seen > 0.5)
    box = bounding_box(contrary[None, None])
    if box is None:
        return soft
    x0, y0, x1, y1 = box  # of a large photo mostly a small part
    differs = contrary[y0:y1, x0:x1].numpy()
    labels, count = ndimage.label(differs)
    deep = np.append(False, ndimage.maximum(depth(differs), labels, range(1, count + 1)) > EDGE * max(soft.shape))
    if not deep.any():
        return soft
    result, part = soft.clone(), torch.from_numpy(deep[labels])
    result[y0:y1, x0:x1] = torch.where(part, seen[y0:y1, x0:x1], soft[y0:y1, x0:x1])
    return result
