"""Where the object may be, before the first step: points, strokes and coarse masks grown to the encoder's idea of it.

Starting from the whole photo, as the paper does for points, the first I-step erases everything and leaves the painter
nothing to go by. Here a point first gathers the patches that walks from it visit most (a personalised PageRank over
the encoder's keys, Page et al. 1999), two-means cuts them, and the piece at the point is the start region; walks
inside its box, absorbed by what is outside, then settle what belongs to it. A coarse mask goes through the second part.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import Tensor

from .affinity import log_survival, log_visits, walk_over
from .clustering import kmeans1d
from .config import Config
from .errors import InputError
from .frames import Frame
from .morphology import Box, bounding_box, grow_box
from .prompts import Prompt


@dataclass(frozen=True)
class Located:
    """A first idea of the object, in the photo.

    Attributes:
        region: H x W bool, the start region M_0.
        prior: 1 x 1 x h x w on the grid of the photo's frame, in deviations, above 0 for the object.
        valid: (x0, y0, x1, y1) in photo pixels, the box the object is looked for in.
    """

    region: Tensor
    prior: Tensor
    valid: Box


def locate(prompt: Prompt, frame: Frame, config: Config) -> Located:
    """Find the start region of a point, scribble or mask prompt.

    Args:
        prompt: without a box.
        frame: the whole photo as the encoder sees it, with keys; its `area` is not used.
        config: the parameters.
    """
    height, width = frame.grid
    walk = walk_over(frame.keys, config.affinity_beta)
    inside = _patches(prompt.anchors(), prompt.size, frame.grid)
    outside = _patches(prompt.negative_anchors(), prompt.size, frame.grid) & ~inside
    if prompt.kind == "mask":
        cover = F.interpolate(prompt.mask[None, None].float(), frame.grid, mode="area")[0, 0]
        prior = (2 * cover - 1).flatten()
        region = cover > 0.5 if (cover > 0.5).any() else cover >= cover.max()
    else:
        visits = log_visits(walk, inside, config.locate_restart)
        if outside.any():
            # What is visited more from the not-object points is theirs: the lead decides, scaled like the visits.
            visits = torch.minimum(visits, visits.mean() + visits - log_visits(walk, outside, config.locate_restart))
        prior = standardise(visits)
        region = _pieces(prior.view(height, width) > 0, inside.view(height, width))

    for _ in range(config.locate_rounds):
        free = _box_region(region, config.locate_grow) & ~outside.view(height, width)
        chosen = free.flatten()
        survival = log_survival(walk, chosen, config.affinity_source)
        evidence = torch.full_like(survival, -3.0)
        evidence[chosen] = standardise(survival[chosen]) + config.locate_prior * prior[chosen]
        found = _pieces(evidence.view(height, width) > 0, inside.view(height, width) | (region & free & _is_mask(prompt)))
        if not found.any():
            break
        region = found
    sharp = F.interpolate(region[None, None].float(), prompt.size, mode="bilinear")[0, 0] > 0.5
    if not sharp.any():
        raise InputError("no object was found at the prompt; give a box or more points")
    valid = grow_box(bounding_box(sharp[None, None]), config.locate_grow, prompt.size)
    return Located(region=sharp, prior=prior.view(1, 1, height, width), valid=valid)


def standardise(values: Tensor) -> Tensor:
    """Values moved so that 0 is their two-means cut, in units of their deviation; all 0 when they are all alike."""
    deviation = values.std(correction=0)
    if len(values) < 2 or not deviation > 1e-6:
        return torch.zeros_like(values)
    return (values - kmeans1d(values, 2).thresholds[0]) / deviation


def _is_mask(prompt: Prompt) -> bool:
    return prompt.kind == "mask"


def _patches(points: tuple[tuple[float, float], ...], size: tuple[int, int], grid: tuple[int, int]) -> Tensor:
    """hw bool: the 3 x 3 patches around every point, since an object's own patch may be half background."""
    hit = torch.zeros(1, 1, *grid)
    for x, y in points:
        hit[0, 0, min(int(y / size[0] * grid[0]), grid[0] - 1), min(int(x / size[1] * grid[1]), grid[1] - 1)] = 1
    return F.max_pool2d(hit, 3, 1, 1).flatten() > 0


def _pieces(region: Tensor, anchors: Tensor) -> Tensor:
    """The connected pieces of a region that hold anchors (all pieces when none does), holes filled, h x w bool."""
    labels, _ = ndimage.label(region.numpy())
    wanted = set(labels[anchors.numpy()].tolist()) - {0}
    kept = torch.from_numpy(ndimage.binary_fill_holes(sum((labels == label for label in wanted), labels < 0)))
    return kept | (anchors & region) if wanted else region


def _box_region(region: Tensor, rate: float) -> Tensor:
    """The region's bounding box grown by `rate`, h x w bool; if that is everything, all but the rim of the grid."""
    x0, y0, x1, y1 = grow_box(bounding_box(region[None, None]), rate, tuple(region.shape))
    free = torch.zeros_like(region)
    free[y0:y1, x0:x1] = True
    if free.all() and min(free.shape) > 2:
        rim = torch.ones_like(free)
        rim[1:-1, 1:-1] = False
        free &= ~rim | region
        if free.all():
            free = ~rim
    return free
