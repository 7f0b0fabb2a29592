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

from .affinity import Walk, log_survival, log_visits, walk_over
from .clustering import kmeans1d
from .config import Config
from .frames import Frame
from .morphology import Box, bounding_box, box_mask, grow_box
from .prompts import Prompt
from .view import resize


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
    inside = patches_at(prompt.anchors(), prompt.size, frame.grid)
    outside = patches_at(prompt.negative_anchors(), prompt.size, frame.grid) & ~inside
    if prompt.kind == "mask":
        cover = F.interpolate(prompt.mask[None, None].float(), frame.grid, mode="area")[0, 0]
        prior = (2 * cover - 1).flatten()
        region = cover > 0.5 if (cover > 0.5).any() else cover >= cover.max()
    else:
        visits = log_visits(walk, inside, config.locate_restart)
        prior = standardise(visits)
        region = pieces_at(prior.view(height, width) > 0, inside.view(height, width))
        if (region.flatten() & outside).any():
            # A not-object point lies on the piece found: what walks from there visit more is taken off it. Elsewhere
            # the point has nothing to say, least of all about a twin of what it lies on.
            lead = visits - log_visits(walk, outside, config.locate_restart)
            prior = standardise(torch.minimum(visits, visits.mean() + lead))
            region = pieces_at((prior > 0).view(height, width), inside.view(height, width))
        if not region.any():  # all patches alike, as on a blank wall
            region = inside.view(height, width)

    region = settle_region(walk, region, prior, inside, outside, config, rough=prompt.kind == "mask")
    sharp = resize(region[None, None].float(), prompt.size)[0, 0] > 0.5
    if not sharp.any():  # a photo of fewer pixels than patches: what was found fell between them
        sharp = prompt.start_region() if prompt.kind == "mask" else _pixels(prompt)
    valid = grow_box(bounding_box(sharp[None, None]), config.locate_grow, prompt.size)
    return Located(region=sharp, prior=prior.view(1, 1, height, width), valid=valid)


def settle_region(
    walk: Walk, region: Tensor, prior: Tensor, inside: Tensor, outside: Tensor, config: Config, rough: bool = False
) -> Tensor:
    """What belongs to a region by walks inside its box, found anew `Config.locate_rounds` times.

    Args:
        walk: over hw patches.
        region: h x w bool, not empty.
        prior: hw, what is known beforehand, in deviations, above 0 for the object.
        inside, outside: hw bool, patches known to be the object and known not to be it.
        rough: whether the region is a coarse mask, any piece of which may be the object; else only the pieces that
            hold patches of `inside` are kept.

    Returns:
        h x w bool, not empty.
    """
    grid = tuple(region.shape)
    for _ in range(config.locate_rounds):
        free = _box_region(region, config.locate_grow) & ~outside.view(grid)
        chosen = free.flatten()
        survival = log_survival(walk, chosen, config.affinity_source)
        evidence = torch.full_like(survival, -3.0)
        evidence[chosen] = standardise(survival[chosen]) + config.locate_prior * prior[chosen]
        found = pieces_at(evidence.view(grid) > 0, inside.view(grid) | (region & free & rough))
        if not found.any():
            break
        region = found
    return region


def settle_box(box: Box, frame: Frame, config: Config, size: tuple[int, int]) -> Box:
    """Move a box that was drawn beside its object.

    A box that fits has the object at all four sides. Where what is found in it leaves a gap at one side and is cut
    off by the other, the box is widened beyond that other side by the gap, twice at most.

    Args:
        box: (x0, y0, x1, y1) in photo pixels.
        frame: the whole photo as the encoder sees it.
        size: (H, W) of the photo.

    Returns:
        The widened box; the box itself when it fits.
    """
    height, width = frame.grid
    to_x, to_y = size[1] / width, size[0] / height
    walk = walk_over(frame.keys, config.affinity_beta)
    for _ in range(config.settle_rounds):
        free = _cells_in(box, frame.grid, size)
        if free.sum() < 6 or free.all():
            return box
        survival = log_survival(walk, free.flatten(), config.affinity_source)[free.flatten()]
        found = torch.zeros_like(free)
        found[free] = standardise(survival) > 0
        inner = bounding_box(found[None, None])
        if inner is None:
            return box
        x0, y0, x1, y1 = box
        left, top = inner[0] * to_x - x0, inner[1] * to_y - y0
        right, bottom = x1 - inner[2] * to_x, y1 - inner[3] * to_y
        across, down = config.settle_gap * (x1 - x0), config.settle_gap * (y1 - y0)
        moved = (
            max(0, round(x0 - right)) if right > across and left < to_x else x0,
            max(0, round(y0 - bottom)) if bottom > down and top < to_y else y0,
            min(size[1], round(x1 + left)) if left > across and right < to_x else x1,
            min(size[0], round(y1 + top)) if top > down and bottom < to_y else y1,
        )
        if moved == box:
            break
        box = moved
    return box


def standardise(values: Tensor) -> Tensor:
    """Values moved so that 0 is their two-means cut, in units of their deviation; all 0 when they are all alike."""
    deviation = values.std(correction=0)
    if len(values) < 2 or not deviation > 1e-6:
        return torch.zeros_like(values)
    return (values - kmeans1d(values, 2).thresholds[0]) / deviation


def _pixels(prompt: Prompt) -> Tensor:
    """H x W bool: the pixels of the prompt's anchors."""
    hit = torch.zeros(prompt.size, dtype=torch.bool)
    for x, y in prompt.anchors():
        hit[int(y), int(x)] = True
    return hit


def patches_at(points: tuple[tuple[float, float], ...], size: tuple[int, int], grid: tuple[int, int]) -> Tensor:
    """hw bool: the 3 x 3 patches around every point, since an object's own patch may be half background."""
    hit = torch.zeros(1, 1, *grid)
    for x, y in points:
        hit[0, 0, min(int(y / size[0] * grid[0]), grid[0] - 1), min(int(x / size[1] * grid[1]), grid[1] - 1)] = 1
    return F.max_pool2d(hit, 3, 1, 1).flatten() > 0


def _cells_in(box: Box, grid: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """h x w bool: the grid cells whose centre lies in a photo box."""
    xs = (torch.arange(grid[1]) + 0.5) * size[1] / grid[1]
    ys = (torch.arange(grid[0]) + 0.5) * size[0] / grid[0]
    return ((ys >= box[1]) & (ys < box[3]))[:, None] & ((xs >= box[0]) & (xs < box[2]))[None]


def pieces_at(region: Tensor, anchors: Tensor) -> Tensor:
    """The connected pieces of a region that hold anchors (all pieces when none does), holes filled, h x w bool."""
    labels, _ = ndimage.label(region.numpy())
    wanted = set(labels[anchors.numpy()].tolist()) - {0}
    kept = torch.from_numpy(ndimage.binary_fill_holes(sum((labels == label for label in wanted), labels < 0)))
    return kept | (anchors & region) if wanted else region


def _box_region(region: Tensor, rate: float) -> Tensor:
    """The region's bounding box grown by `rate`, h x w bool; if that is everything, all but the rim of the grid."""
    free = box_mask(grow_box(bounding_box(region), rate, tuple(region.shape)), tuple(region.shape))
    if free.all() and min(free.shape) > 2:
        rim = torch.ones_like(free)
        rim[1:-1, 1:-1] = False
        free &= ~rim | region
        if free.all():
            free = ~rim
    return free
