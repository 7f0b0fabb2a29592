"""Several objects of one photo: a mask for each, none on top of another.

Each object goes through the method by itself, as the method knows one object and its background. What they share is
painting: an I-step's hole is an object, and objects that lie apart on the same canvas are painted out together, one
painting serving them all. That is so where the view is the whole photo (preset "paper"); where every object has a view
of its own, enlarged to the painter's size, paintings of different places have nothing to share. An O-step's hole is all
but one object, so those are never shared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..amcp import loop as amcp
from ..amcp.contrast import Crop
from ..config import Config, Direction, preset
from ..encoders import Encoder
from ..errors import InputError
from ..ops.memory import says_shortage
from ..ops.morphology import dilate
from ..painters import LatentPainter, Painter
from ..prompts import Prompt
from ..segmentation import Result, begin, finish

_GAP = 32
"""Pixels at a 512-px view between objects painted out together, lest one be painted into the place of the other."""


@dataclass(frozen=True)
class Several:
    """What `segment_each` found, N objects in the order of their prompts.

    Attributes:
        masks: N x H x W bool; no pixel is in two of them.
        soft: N x H x W in [0, 1]; above 0.5 exactly where `masks` is.
        labels: H x W int64, 0 the background and n the n-th object, from 1.
        results: what was found for each by itself.
    """

    masks: Tensor
    soft: Tensor
    labels: Tensor
    results: tuple[Result, ...]


@says_shortage
def segment_each(
    image: Tensor,
    prompts: Sequence[Prompt],
    painter: Painter,
    encoder: Encoder,
    config: Config | None = None,
    seed: int = 0,
    outpainter: Painter | None = None,
    progress: Callable[[amcp.State], None] | None = None,
) -> Several:
    """Segment one object per prompt and decide who has the pixels that several claim.

    Points and strokes on one object count as negative ones for the others. Arguments as in `segmentation.segment`.

    Raises InputError as `segment` does, naming the object, and when there is no prompt.
    """
    if not prompts:
        raise InputError("there is no prompt; give one for every object")
    config = preset("balanced") if config is None else config
    outpainter = painter if outpainter is None else outpainter
    states = []
    for number, prompt in enumerate(exclude_each_other(prompts), start=1):
        try:
            states.append(begin(image, prompt, painter, encoder, config, seed, outpainter))
        except InputError as problem:
            raise InputError(f"object {number} of {len(prompts)}: {problem}") from problem
    history: list[list[amcp.State]] = [[] for _ in states]
    crops = [Crop() for _ in states]
    for index in range(config.steps):
        direction = config.direction(index)
        for group, hole in apart(states, direction):
            brush = painter if direction == "I" else outpainter
            brushes = [brush] if len(group) == 1 else shares(brush, hole, len(group))
            for number, own in zip(group, brushes, strict=True):
                states[number] = amcp.step(states[number], direction, own, encoder, crops[number])
                history[number].append(states[number])
                if progress is not None:
                    progress(states[number])
    results = []
    for steps in history:
        soft = finish(steps[-1])
        results.append(Result(mask=soft > 0.5, soft=soft, states=tuple(steps)))
    return resolve(results)


def exclude_each_other(prompts: Sequence[Prompt]) -> list[Prompt]:
    """The prompts, the points and strokes of each being negative points of all others."""
    apart = []
    for own, prompt in enumerate(prompts):
        others = [other for number, other in enumerate(prompts) if number != own]
        strokes = [one for one in (prompt.negative_scribble, *(other.scribble for other in others)) if one is not None]
        negative = torch.stack(strokes).any(0) if strokes else None
        if negative is not None and prompt.scribble is not None:
            negative &= ~prompt.scribble  # where strokes cross, each object keeps its own
        points = [point for other in others for point in other.points]
        apart.append(replace(prompt.with_points(negative=points), negative_scribble=negative))
    return apart


def resolve(results: Sequence[Result]) -> Several:
    """Give every pixel that several objects claim to the one with the highest potential there.

    The potential is the mean over the steps of how far Phi was from its cut (`State.evidence`); where it is equal, and
    where an object's own was not measured, the higher probability decides, then the earlier prompt.
    """
    soft = torch.stack([result.soft for result in results])
    claims = soft > 0.5
    potential = torch.cat([_potential(result.states[-1]) for result in results])
    best = torch.where(claims, potential, -torch.inf).amax(0)
    contenders = claims & (potential >= best)
    winner = torch.where(contenders, soft, -torch.inf).argmax(0)
    labels = torch.where(claims.any(0), winner + 1, 0)
    masks = labels == torch.arange(1, len(results) + 1, device=labels.device)[:, None, None]
    decided = torch.where(masks | ~claims, soft, 1 - soft)
    return Several(masks=masks, soft=decided, labels=labels, results=tuple(results))


def apart(states: Sequence[amcp.State], direction: Direction) -> list[tuple[list[int], Tensor]]:
    """Which states can share a painting: those with the same view and a gap between their holes.

    Returns groups, each with the places of its states and the union of their holes, 1 x 1 x h x w bool.
    """
    groups: list[tuple[list[int], Tensor]] = []
    for place, state in enumerate(states):
        hole = amcp.hole_around(amcp.repainted_region(state.mask, direction, state.scene), direction, state.scene)
        reach = dilate(hole, state.scene.config.pixels(_GAP))
        for number, (members, taken) in enumerate(groups):
            if direction == "I" and states[members[0]].scene.view == state.scene.view and not (reach & taken).any():
                groups[number] = ([*members, place], taken | hole)
                break
        else:
            groups.append(([place], hole))
    return groups


def _potential(state: amcp.State) -> Tensor:
    """1 x H x W, -inf where it was not measured."""
    view = state.scene.view
    return torch.where(view.paste(state.weight)[0] > 0, view.paste(state.evidence)[0], -torch.inf)


def shares(painter: Painter, holes: Tensor, count: int) -> list[Painter]:
    """So many painters, each for one of the holes of which 1 x 1 x h x w `holes` is the union.

    All holes are painted at once, by the first that is asked, as often as one asks for more paintings.
    """
    made: list[Tensor] = []
    return [_Share(painter, holes[0].float(), made) for _ in range(count)]


class _Share:
    """One of `shares`; `made` holds what was painted for all of them, call by call."""

    def __init__(self, painter: Painter, holes: Tensor, made: list[Tensor]) -> None:
        self._painter, self._holes, self._made, self._calls = painter, holes, made, 0
        self.name, self.multiple = painter.name, painter.multiple
        self.size, self.stochastic = painter.size, painter.stochastic

    def paint(self, image: Tensor, hole: Tensor, count: int, generator: torch.Generator | None) -> Tensor:
        """See `Painter.paint`."""
        if self._calls == len(self._made):
            self._made.append(self._painter.paint(image, self._holes, count, generator))
        self._calls += 1
        return torch.where(hole > 0.5, self._made[self._calls - 1], image)

    def round_trip(self, image: Tensor) -> Tensor | None:
        """See `painters.base.round_trip`."""
        return self._painter.round_trip(image) if isinstance(self._painter, LatentPainter) else None
