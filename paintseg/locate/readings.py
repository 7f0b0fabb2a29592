"""What else a point may mean: a part of the object, or something that the object is a part of.

How often walks from the click visit a patch (walks.py) is cut at several heights, which gives regions one inside the
other; each is regrown as `locate` regrows a point's region.
"""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from ..config import Config
from ..errors import InputError
from ..ops.images import resize, size_of
from ..ops.kmeans import kmeans1d
from ..ops.overlap import intersection_over_union
from ..prompts import Prompt
from ..views.frames import Frame
from .region import RESTART, locate, patches_at, pieces_at, regrow
from .walks import log_visits, walk_over

ALIKE = 0.9
"""IoU from which two masks are one reading."""

_CUTS = (3, 4, 5)  # numbers of classes of visits whose borders are cut at


def readings_of(prompt: Prompt, frame: Frame, config: Config) -> list[Tensor]:
    """Coarse masks of what else a prompt may mean than what `locate` takes for the object.

    Args:
        prompt: points or strokes.
        frame: the whole photo as the encoder sees it, with keys.

    Returns:
        H x W in [0, 1] at the photo's size, most of them different: first one that is smaller and one that is larger,
        where there are such, then the others by size. None where walks from the points visit all the photo alike.
    """
    frame = frame.walked()
    usual = locate(prompt, frame, config).region
    nested = sorted(_nested(prompt, frame.need_keys().cpu(), config), key=lambda region: int(region.sum()))
    masks = [resize(region[None, None].float(), prompt.size)[0, 0] for region in nested]
    masks = [mask for mask in masks if (mask > 0.5).any() and not intersection_over_union(mask > 0.5, usual) >= ALIKE]
    size = int(usual.sum())
    smaller = [mask for mask in masks if int((mask > 0.5).sum()) < size]
    larger = [mask for mask in masks if int((mask > 0.5).sum()) >= size]
    chosen = [group[len(group) // 2] for group in (smaller, larger) if group]
    for mask in masks:
        if not any(intersection_over_union(mask > 0.5, other > 0.5) >= ALIKE for other in chosen):
            chosen.append(mask)
    return chosen


def _nested(prompt: Prompt, keys: Tensor, config: Config) -> Iterator[Tensor]:
    """Regions around the anchors, h x w bool on the grid of the keys 1 x C x h x w, of visits cut at every height."""
    grid = size_of(keys)
    inside = patches_at(prompt.anchors(), prompt.size, grid)
    outside = patches_at(prompt.negative_anchors(), prompt.size, grid) & ~inside
    walk = walk_over(keys)
    visits = log_visits(walk, inside, RESTART)
    for classes in _CUTS:
        try:
            cuts = kmeans1d(visits, classes).thresholds.tolist()
        except InputError:  # fewer kinds of patches than that
            continue
        for cut in cuts:
            region = pieces_at((visits > cut).view(grid) & ~outside.view(grid), inside.view(grid))
            if region.any():
                prior = 2 * region.flatten().float() - 1
                yield regrow(walk, region, prior, inside, outside, config)
