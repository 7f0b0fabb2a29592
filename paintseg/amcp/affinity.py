"""The affinity term of the potential (ours): how hard patches are to confuse with what is outside the prompt."""

from __future__ import annotations

import torch
from torch import Tensor

from ..config import Config
from ..locate.region import PRIOR, Located, standardise
from ..locate.walks import log_survival, walk_over
from ..ops.boxes import PixelBox
from ..ops.images import size_of
from ..views.frames import Frame, photo_area, spread
from ..views.view import View

LEAK_DEPTH = 0.08
"""Depth in a box, over its sides, at which `Config.box_leak` has fallen to 1/e."""
_ALIKE = 1e-6  # deviation of keys below which patches do not differ


def affinity_term(
    frames: tuple[Frame, ...],
    allowed: Tensor,
    view: View,
    config: Config,
    located: Located | None,
    drawn: PixelBox | None = None,
) -> Tensor | None:
    """The mean over the frames of the standardised log survival of walks inside `allowed` (walks.py).

    Coarse frames count less than fine ones. What the prompt itself said of the object, if it was located by it, is
    added with its weight. Along the sides of a box that was drawn, (x0, y0, x1, y1) in the photo, walks may end too:
    most of what lies there is background, above all in a loose box.
    """
    if not config.l_affinity:
        return None
    maps, weights, canvas = [], [], size_of(allowed)
    for frame in (each.walked() for each in frames):
        free = frame.coverage(allowed) > 0.5
        if not free.any():
            continue
        chosen = free.flatten()
        keys, leak = frame.need_keys(), None
        # Where all patches are alike, what the sides say is no evidence of the photo's.
        if drawn is not None and config.box_leak and bool(keys.flatten(2).std(-1).max() > _ALIKE):
            leak = config.box_leak * torch.exp(-_depth(frame, view, drawn) / LEAK_DEPTH).flatten()
        survival = log_survival(walk_over(keys), chosen, leak=leak)
        survival[chosen] = standardise(survival[chosen])
        survival[~chosen] = survival[chosen].min()
        weights.append(_weight(frame, frames))
        maps.append(weights[-1] * frame.to_canvas(survival.view(1, 1, *frame.grid), canvas))
    if not maps:
        return None
    term = sum(maps[1:], maps[0]) / sum(weights)
    if located is None:
        return term
    return term + PRIOR * spread(located.prior.to(term.device), photo_area(view), canvas)


def _weight(frame: Frame, frames: tuple[Frame, ...]) -> float:
    """What a frame counts among others: in inverse proportion to the side of its patches.

    Where the photo is much larger than the view, its patches are too coarse to tell an object's feet from the ground
    (docs/experiments/views.md). A closer look counts no more than the view; looks at one area share what one counts.
    """
    view = next((other.patch for other in frames if "view" in other.serves), 0.0)
    looks = sum(other.area == frame.area for other in frames)
    return 1 / (max(frame.patch, view) * looks)


def _depth(frame: Frame, view: View, box: PixelBox) -> Tensor:
    """h x w: how deep the frame's patches lie in a box of the photo, over its sides; 0 outside."""
    (left, top), (right, bottom) = view.to_canvas(box[:2]), view.to_canvas(box[2:])
    (x0, y0, x1, y1), (rows, columns), home = frame.area, frame.grid, frame.image.device
    xs = x0 + (torch.arange(columns, device=home) + 0.5) * (x1 - x0) / columns
    ys = y0 + (torch.arange(rows, device=home) + 0.5) * (y1 - y0) / rows
    across = torch.minimum(xs - left, right - xs) / (right - left)
    down = torch.minimum(ys - top, bottom - ys) / (bottom - top)
    return torch.minimum(across[None], down[:, None]).clamp_min(0)
