"""Part, object or whole: the three masks a point may mean, best first.

A click on a wheel may mean the wheel, the car, or the car with its trailer. What `segment` takes for the object is one
candidate; the middle ones of the distinctly smaller and of the distinctly larger regions of locate/readings.py are the
others, or, failing these, any that differs. All go through the method, and the label-free score of eq. 6 (score.py)
ranks what comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from ..amcp import loop as amcp
from ..amcp.score import Score, score
from ..config import Config, preset
from ..encoders import Encoder
from ..errors import InputError
from ..locate.readings import ALIKE, readings_of
from ..ops.images import check_image
from ..ops.memory import says_shortage
from ..ops.overlap import intersection_over_union
from ..painters import Painter
from ..prompts import Prompt
from ..segmentation import Result, segment
from ..views.frames import photo_frame
from ..views.looks import Looks

MOST = 3
"""Candidates at most."""

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
    """Segment what a point or a stroke may mean; arguments as in `segmentation.segment`.

    Returns 1 to `MOST` candidates, best first; fewer where the photo leaves no doubt. One of them is `plain`.

    Raises InputError as `segment` does, and for prompts that say how large the object is.
    """
    if prompt.kind not in ("point", "scribble"):
        raise InputError(f"candidates are for points and scribbles; a {prompt.kind} says how large the object is")
    check_image(image)
    config = preset("balanced") if config is None else config
    outpainter = painter if outpainter is None else outpainter
    found: list[Candidate] = []
    as_read = replace(config, locate_rounds=0)  # the readings are regrown; once more, and they would become one
    for own in [prompt, *readings(image, prompt, encoder, config)[: _TRIES - 1]]:
        if len(found) == MOST:
            break
        try:
            result = segment(image, own, painter, encoder, as_read if found else config, seed, outpainter, progress)
        except InputError:
            if not found:
                raise  # the user's own prompt
            continue
        if not any(intersection_over_union(result.mask, other.result.mask) >= ALIKE for other in found):
            judged = score(result.mask, result.states[-1], painter, outpainter, encoder)
            found.append(Candidate(result, judged, plain=not found))
    return ranked(found)


def ranked(found: Sequence[Candidate]) -> list[Candidate]:
    """Highest score first. The plain one's counts `_CLEAR` times: with a small painter eq. 6 is a weak judge, and the
    method's own reading of a point is right more often than any other (BENCHMARKS.md)."""
    return sorted(found, key=lambda one: one.score.total * (_CLEAR if one.plain else 1), reverse=True)


def readings(image: Tensor, prompt: Prompt, encoder: Encoder, config: Config) -> list[Prompt]:
    """A prompt of points or strokes with coarse masks of what else it may mean (`locate.readings`): something smaller,
    something larger. `image` is 3 x H x W in [0, 1]."""
    frame = photo_frame(Looks(image, encoder), replace(config, start="affinity"))
    return [replace(prompt, mask=mask, seen_answer=None) for mask in readings_of(prompt, frame, config)]
