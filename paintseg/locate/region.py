"""Where the object may be, before the first step: points, strokes and coarse masks grown to the encoder's idea of it.

Starting from the whole photo, as the paper does for points, the first I-step erases everything and leaves the painter
nothing to go by. Here a point first gathers the patches that walks from it visit most (a personalised PageRank over
the encoder's keys, Page et al. 1999), two-means cuts them, and the piece at the point is the start region; walks
inside its box, absorbed by what is outside, then decide what belongs to it. A coarse mask goes through the second part.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import Tensor

from ..config import Config
from ..ops.boxes import PixelBox, box_around, box_mask, grow_box
from ..ops.images import resize, size_of
from ..ops.kmeans import kmeans1d
from ..ops.morphology import dilate
from ..prompts import Prompt
from ..views.frames import Frame
from .walks import Walk, joints, log_survival, log_visits, walk_over

RESTART = 0.05
"""Chance that a walk from a clicked patch starts anew at each step."""
PRIOR = 0.5
"""Weight of the prompt's own say against the walks inside the box."""

SURROUNDED = 0.6
"""Share of the patches around a negative point from which it lies on the object found. Strokes along its edge have
about half."""

_GROW = 1.2
"""Box looked in, over the sides of the region found so far."""
_BARELY_MORE = 0.5
"""Share of seeds in what a cut found from which it did no more than tell the seeds from the rest."""
_AS_CLEARLY = 0.05
"""How much less of the spread a second cut may explain."""


@dataclass(frozen=True)
class Located:
    """A first idea of the object, in the photo.

    Attributes:
        region: H x W bool, the start region M_0.
        prior: 1 x 1 x h x w on the grid of the photo's frame, in deviations, above 0 for the object.
        valid: (x0, y0, x1, y1) in photo pixels, the box the object is looked for in.
        refused: H x W bool, what negative points on the object found claim of it; None when none lies there.
    """

    region: Tensor
    prior: Tensor
    valid: PixelBox
    refused: Tensor | None = None


def locate(prompt: Prompt, frame: Frame, config: Config) -> Located:
    """Find the start region of a point, scribble or mask prompt.

    Args:
        prompt: without a box.
        frame: the whole photo as the encoder sees it, with keys; its `area` is not used.
    """
    frame = frame.walked()
    height, width = frame.grid
    keys = frame.need_keys().cpu()  # many small decisions, each of which would wait for a GPU
    walk = walk_over(keys)
    inside = patches_at(prompt.anchors(), prompt.size, frame.grid)
    outside = patches_at(prompt.negative_anchors(), prompt.size, frame.grid) & ~inside
    refused = None
    if prompt.mask is not None:
        cover = F.interpolate(prompt.mask[None, None].float(), frame.grid, mode="area")[0, 0]
        prior = (2 * cover - 1).flatten()
        region = cover > 0.5 if (cover > 0.5).any() else cover >= cover.max()
    else:
        visits = log_visits(walk, inside, RESTART)
        prior = prior_of(visits, inside)
        region = pieces_at(prior.view(height, width) > 0, inside.view(height, width))
        if (region.flatten() & outside).any():
            # A negative point lies on the piece found: what walks from there visit more is taken off it. Elsewhere
            # the point has nothing to say, least of all about a twin of what it lies on.
            # Nothing is added: the second cut may tell the negative strokes from all the rest of the photo.
            lead = visits - log_visits(walk, outside, RESTART)
            prior = torch.minimum(prior, standardise(torch.minimum(visits, visits.mean() + lead)))
            region = pieces_at((prior > 0).view(height, width), inside.view(height, width))
        if not region.any():  # all patches alike, as on a blank wall
            region = inside.view(height, width)

    region = regrow(walk, region, prior, inside, outside, config, rough=prompt.kind == "mask")
    within = surrounded(prompt.negative_anchors(), region, prompt.size) & ~inside
    if inside.any() and within.any():
        # Still on the object after all that: it is a twin, or as good as one.
        rival = first_met(keys, region | within.view(height, width), inside, within) < 0.5
        refused = resize(rival[None, None].float(), prompt.size)[0, 0] > 0.5
        outside = outside | rival.flatten()
        region = pieces_at(region & ~rival, inside.view(height, width))
        region = region if region.any() else inside.view(height, width)
        region = regrow(walk, region, prior, inside, outside, config)
    sharp = resize(region[None, None].float(), prompt.size)[0, 0] > 0.5
    if not sharp.any():  # a photo of fewer pixels than patches: what was found fell between them
        sharp = (
            prompt.start_region() if prompt.kind == "mask" else _cells_at(prompt.anchors(), prompt.size, prompt.size)
        )
    valid = grow_box(box_around(sharp[None, None]), _GROW, prompt.size)
    return Located(region=sharp, prior=prior.view(1, 1, height, width), valid=valid, refused=refused)


def regrow(
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

    Returns h x w bool, not empty.
    """
    grid = size_of(region)
    for _ in range(config.locate_rounds):
        free = _box_region(region, _GROW) & ~outside.view(grid)
        chosen = free.flatten()
        survival = log_survival(walk, chosen)
        evidence = torch.full_like(survival, -3.0)
        evidence[chosen] = standardise(survival[chosen]) + PRIOR * prior[chosen]
        found = pieces_at(evidence.view(grid) > 0, inside.view(grid) | (region & free & rough))
        if not found.any():
            break
        region = found
    return region


def surrounded(points: Tensor, region: Tensor, size: tuple[int, int]) -> Tensor:
    """hw bool: the 3 x 3 patches around those points that a region h x w holds most of the patches around.

    Around the 3 x 3 patches, that is: in the ring of 16 patches, fewer at the photo's edge. `points` is n x 2.
    """
    held, there = (_ring_sum(plane) for plane in (region, torch.ones_like(region)))
    return _three_by_three(_cells_at(points, size, size_of(region)) & (held > SURROUNDED * there))


def first_met(keys: Tensor, piece: Tensor, inside: Tensor, outside: Tensor) -> Tensor:
    """Whether walks from neighbour to neighbour meet the object's points before the others (Grady 2006).

    Twins look alike from afar, so that only the way there can tell them apart: steps are short, and the harder the
    more the keys change under them.

    Args:
        keys: 1 x C x h x w.
        piece: h x w bool, what is walked on.
        inside, outside: hw bool, patches known to be the object and known not to be it.

    Returns h x w, the share of walks that meet `inside` first; 1 off the piece.
    """
    height, width = piece.shape
    seeded = (inside | outside) & piece.flatten()
    free = piece.flatten() & ~seeded
    result = torch.ones(height * width)
    result[seeded & outside] = 0
    if not free.any():
        return result.view(height, width)
    vectors = F.normalize(keys[0].flatten(1).T.double(), dim=1)
    ys, xs = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    near = ((ys.reshape(-1, 1) - ys.reshape(1, -1)).abs() <= 1) & ((xs.reshape(-1, 1) - xs.reshape(1, -1)).abs() <= 1)
    weights = joints(vectors, vectors) * (near & piece.flatten() & piece.reshape(-1, 1))
    weights.fill_diagonal_(0)
    # A piece that no seed lies on belongs to nobody in particular: a little of every walk ends as the object's.
    degree = weights.sum(1) + 1e-9
    known = weights[free] @ (seeded & inside).double() + 1e-9
    system = torch.diag(degree[free]) - weights[free][:, free]
    result[free] = torch.linalg.solve(system, known).clamp(0, 1).float()
    return result.view(height, width)


def standardise(values: Tensor) -> Tensor:
    """Values moved so that 0 is their two-means cut, in units of their deviation; all 0 when they are all alike."""
    if len(values) < 2 or not (deviation := values.std(correction=0)) > 1e-6:
        return torch.zeros_like(values)
    return (values - kmeans1d(values, 2).thresholds[0]) / deviation


def prior_of(visits: Tensor, seeds: Tensor) -> Tensor:
    """Visits as `standardise` has them, but never a cut between the seeds and everything else.

    Walks from a point or stroke on an object's edge stay around the seeds, and these stand out from object and
    background alike. The other patches are then cut by themselves, if they fall apart about as clearly.

    Args:
        visits: n, from `log_visits`.
        seeds: n bool, at least one.
    """
    prior, rest = standardise(visits), visits[~seeds]
    found = prior > 0
    if (found & seeds).sum() <= _BARELY_MORE * found.sum() or not standardise(rest).any():
        return prior
    cut = kmeans1d(rest, 2).thresholds[0]
    if _explained(rest, cut) < _explained(visits, kmeans1d(visits, 2).thresholds[0]) - _AS_CLEARLY:
        return prior
    return (visits - cut) / visits.std(correction=0)


def _explained(values: Tensor, cut: Tensor) -> float:
    """Share of the values' variance that lies between the two sides of a cut, neither of them empty."""
    sides = [values[values > cut], values[values <= cut]]
    within = sum(len(side) * side.var(correction=0) for side in sides)
    return 1 - float(within / (len(values) * values.var(correction=0)))


def patches_at(points: Tensor, size: tuple[int, int], grid: tuple[int, int]) -> Tensor:
    """hw bool: the 3 x 3 patches around every point (x, y) of n x 2, since an object's own may be half background."""
    return _three_by_three(_cells_at(points, size, grid))


def _cells_at(points: Tensor, size: tuple[int, int], grid: tuple[int, int]) -> Tensor:
    """h x w bool: the cells of a grid over a photo of `size` (H, W) that hold a point (x, y) of n x 2."""
    hit = torch.zeros(grid, dtype=torch.bool)
    columns, rows = (
        (points[:, axis].double() / size[1 - axis] * grid[1 - axis]).long().clamp(max=grid[1 - axis] - 1)
        for axis in (0, 1)
    )
    hit[rows, columns] = True
    return hit


def _three_by_three(cells: Tensor) -> Tensor:
    """hw bool: the cells of h x w bool and their eight neighbours."""
    return dilate(cells, 1).flatten()


def _ring_sum(plane: Tensor) -> Tensor:
    """h x w: how many of the 16 cells around the 3 x 3 around each cell are True."""
    wide, near = (F.avg_pool2d(plane[None].float(), side, 1, side // 2, divisor_override=1)[0] for side in (5, 3))
    return wide - near


def pieces_at(region: Tensor, anchors: Tensor) -> Tensor:
    """The connected pieces of a region that hold anchors (all pieces when none does), holes filled, h x w bool."""
    labels, _ = ndimage.label(region.numpy())
    wanted = set(labels[anchors.numpy()].tolist()) - {0}
    kept = torch.from_numpy(ndimage.binary_fill_holes(sum((labels == label for label in wanted), labels < 0)))
    return kept | (anchors & region) if wanted else region


def _box_region(region: Tensor, rate: float) -> Tensor:
    """The region's bounding box grown by `rate`, h x w bool; if that is everything, all but the rim of the grid."""
    free = box_mask(grow_box(box_around(region), rate, size_of(region)), size_of(region))
    if free.all() and min(free.shape) > 2:
        rim = torch.ones_like(free)
        rim[1:-1, 1:-1] = False
        free &= ~rim | region
        if free.all():
            free = ~rim
    return free
