"""Part, object or whole: the three masks a point may mean, best first.

A click on a wheel may mean the wheel, the car, or the car with its trailer. How often walks from the click visit a
patch (affinity.py) is cut at several heights, which gives regions one inside the other; each is settled as `locate`
settles a point's region. What `segment` takes for the object is one candidate; the middle ones of the distinctly
smaller and of the distinctly larger regions are the others, or, failing these, any that differs. All go through the
method, and the label-free score of eq. 6 (score.py) ranks what comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from . import amcp
from .affinity import log_visits, walk_over
from .chunks import says_shortage
from .clustering import kmeans1d
from .config import Config, preset
from .encoders import Encoder
from .errors import InputError
from .frames import photo_frame
from .locate import locate, patches_at, pieces_at, settle_region
from .painters import Painter
from .prompts import Prompt
from .scene import check_image
from .score import Score, score
from .segment import Result, segment
from .view import resize

MOST = 3
"""Candidates at most."""

_CUTS = (3, 4, 5)  # numbers of classes of visits whose borders are cut at
_ALIKE = 0.9  # IoU from which two masks are one candidate
_TRIES = 4  # runs of the method at most
_CLEAR = 1.25  # another reading must score by so much more than the plain one to come before it


@dataclass(frozen=True)
class Candidate:
    """One mask a point may mean.

    Attributes:
        result: what the method found.
        score: eq. 6 of its mask.
        plain: whether it is what `segment` finds for the prompt.
    """

    result: Result
    score: Score
    plain: bool


@says_shortage
def candidates(
    image: Tensor,
    prompt: Prompt,
    painter: Painter,
    encoder: Encoder,
    config: Config | None = None,
    seed: int = 0,
    outpainter: Painter | None = None,
    progress: Callable[[amcp.State], None] | None = None,
) -> list[Candidate]:
    """Segment what a point or a stroke may mean; arguments as in `segment.segment`.

    Returns:
        1 to `MOST` candidates, best first; fewer where the photo leaves no doubt. One of them is `plain`.

    Raises InputError as `segment` does, and for prompts that say how large the object is.
    """
    if prompt.kind not in ("point", "scribble"):
        raise InputError(f"candidates are for points and scribbles; a {prompt.kind} says how large the object is")
    check_image(image)
    config = preset("balanced") if config is None else config
    outpainter = painter if outpainter is None else outpainter
    found: list[Candidate] = []
    settled = replace(config, locate_rounds=0)  # the readings are; once more, and they would become one
    for own in [prompt, *readings(image, prompt, encoder, config)[: _TRIES - 1]]:
        if len(found) == MOST:
            break
        try:
            result = segment(
                image, own, painter, encoder, settled if found else config, seed, outpainter, progress
            )
        except InputError:
            if not found:
                raise  # the user's own prompt
            continue
        if not any(_alike(result.mask, other.result.mask) for other in found):
            judged = score(result, painter, outpainter, encoder)
            found.append(Candidate(result, judged, plain=not found))
    return ranked(found)


def ranked(found: Sequence[Candidate]) -> list[Candidate]:
    """Highest score first. The plain one's counts `_CLEAR` times: with a small painter eq. 6 is a weak judge, and the
    method's own reading of a point is right more often than any other (BENCHMARKS.md)."""
    return sorted(found, key=lambda one: one.score.total * (_CLEAR if one.plain else 1), reverse=True)


def readings(image: Tensor, prompt: Prompt, encoder: Encoder, config: Config) -> list[Prompt]:
    """The prompt with coarse masks of what else it may mean: something smaller, something larger.

    Args:
        image: 3 x H x W in [0, 1].
        prompt: points or strokes.
        encoder: the projector E.
        config: the parameters.

    Returns:
        Prompts, most of them different: first one that is smaller and one that is larger, where there are such, then
        the others by size. None where walks from the points visit all the photo alike.
    """
    frame = photo_frame(image[None].cpu().float().clamp(0, 1), encoder, replace(config, start="affinity"))
    usual = locate(prompt, frame, config).region
    nested = sorted(_nested(prompt, frame.keys.cpu(), config), key=lambda region: int(region.sum()))
    masks = [_to_photo(region, prompt.size) for region in nested]
    masks = [mask for mask in masks if (mask > 0.5).any() and not _alike(mask > 0.5, usual)]
    size = int(usual.sum())
    smaller = [mask for mask in masks if int((mask > 0.5).sum()) < size]
    larger = [mask for mask in masks if int((mask > 0.5).sum()) >= size]
    chosen = [group[len(group) // 2] for group in (smaller, larger) if group]
    for mask in masks:
        if not any(_alike(mask > 0.5, other > 0.5) for other in chosen):
            chosen.append(mask)
    return [replace(prompt, mask=mask) for mask in chosen]


def _nested(prompt: Prompt, keys: Tensor, config: Config) -> Iterator[Tensor]:
    """Regions around the anchors, h x w bool on the grid of the keys 1 x C x h x w, of visits cut at every height."""
    grid = tuple(keys.shape[-2:])
    inside = patches_at(prompt.anchors(), prompt.size, grid)
    outside = patches_at(prompt.negative_anchors(), prompt.size, grid) & ~inside
    walk = walk_over(keys, config.affinity_beta)
    visits = log_visits(walk, inside, config.locate_restart)
    for classes in _CUTS:
        try:
            cuts = kmeans1d(visits, classes).thresholds.tolist()
        except InputError:  # fewer kinds of patches than that
            continue
        for cut in cuts:
            region = pieces_at((visits > cut).view(grid) & ~outside.view(grid), inside.view(grid))
            if region.any():
                prior = 2 * region.flatten().float() - 1
                yield settle_region(walk, region, prior, inside, outside, config)


def _to_photo(region: Tensor, size: tuple[int, int]) -> Tensor:
    """h x w bool at the photo's size, H x W in [0, 1]."""
    return resize(region[None, None].float(), size)[0, 0]


def _alike(first: Tensor, second: Tensor) -> bool:
    union = int((first | second).sum())
    return not union or int((first & second).sum()) / union >= _ALIKE
