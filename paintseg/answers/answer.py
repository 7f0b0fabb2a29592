"""What is meant by a prompt, told without painting, on a photo that was looked at before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from ..amcp.outcome import answered
from ..amcp.scene import check_size, prepare
from ..config import PRESETS, Config
from ..io.inputs import fit_strokes
from ..locate.readings import ALIKE, readings_of
from ..locate.region import locate
from ..ops.boxes import PixelBox
from ..ops.coordinates import Point
from ..ops.images import resize, resize_mask
from ..ops.overlap import intersection_over_union
from ..prompts import Prompt
from ..views.frames import Frame, photo_frame, photo_side
from ..views.view import View, fit_view
from ..views.windows import Windows, window_around
from .glance import glance

WINDOW = 392
"""Longer side in pixels at which the encoder is shown a part of the photo."""

MOST = 3
"""Readings of a prompt at most, the likeliest among them."""

_MULTIPLE = 8  # of which the canvas' sides are multiples


@dataclass(frozen=True)
class Answer:
    """What is meant, as far as it can be told without painting.

    Attributes:
        size: (H, W) of the photo.
        box: (x0, y0, x1, y1) of the window that was looked at, in pixels of the photo; the object lies in it.
        found: h x w in [0, 1], the probability of the object in that window.
        score: 0 to 1, how clearly the object stands out.
        candidate: which reading of the prompt it is, 0 for the likeliest.
        readings: coarse masks h x w bool of the whole photo: the other readings, a part of the object or something
            larger.
        prompt: what was answered, for the whole method; with the reading chosen, if that was not the likeliest.
        note: what the user should know, a sentence a line; mostly empty.
    """

    size: tuple[int, int]
    box: PixelBox
    found: Tensor
    score: float
    candidate: int
    readings: tuple[Tensor, ...]
    prompt: Prompt
    note: str = ""

    def at(self, size: tuple[int, int]) -> Tensor:
        """The probability of the object at another size (H, W) of the photo, H x W in [0, 1]."""
        to_y, to_x = (new / old for new, old in zip(size, self.size, strict=True))
        x0, y0 = round(self.box[0] * to_x), round(self.box[1] * to_y)
        x1, y1 = max(x0 + 1, round(self.box[2] * to_x)), max(y0 + 1, round(self.box[3] * to_y))
        soft = torch.zeros(size)
        soft[y0:y1, x0:x1] = _at_size(self.found, (y1 - y0, x1 - x0))[: size[0] - y0, : size[1] - x0]
        return soft

    @cached_property
    def soft(self) -> Tensor:
        """H x W in [0, 1], the probability of the object at the photo's resolution."""
        return self.at(self.size)

    @cached_property
    def mask(self) -> Tensor:
        """H x W bool, where `soft` exceeds 0.5."""
        return self.soft > 0.5

    @cached_property
    def candidates(self) -> tuple[Tensor, ...]:
        """Masks of all readings, H x W bool, of which the answer's own is exact and the others are coarse."""
        others = [_at_size(one, self.size) > 0.5 for one in self.readings]
        others.insert(self.candidate, self.mask)
        return tuple(others)


def answer(
    windows: Windows, prompt: Prompt, config: Config, candidate: int = 0, check: Callable[[], None] | None = None
) -> Answer:
    """What is meant.

    Args:
        windows: of the photo.
        prompt: for the photo in full.
        config: the parameters, of which those count that need no painting.
        candidate: which reading of the prompt is wanted: 0 the likeliest, 1 or 2 another extent of what the prompt
            began with.
        check: called between the stages; an exception it raises ends the work.

    Raises InputError as `prepare` does.
    """
    check_size(prompt, windows.full.size)
    check = check or (lambda: None)
    config, own = without_painting(config), scaled(prompt, windows.size)
    first = first_said(own)
    check()
    readings = _readings(windows, first, config) if candidate or own is first else ()
    chosen = min(candidate, len(readings))
    if chosen:
        own = replace(own, mask=readings[chosen - 1].float())
        config = replace(config, locate_rounds=0)  # the readings are settled; once more, and they would become one
    began = None if own is first or chosen else _began(windows, first, config)
    check()
    scene = prepare(
        windows.photo[0],
        own,
        windows.encoder,
        config,
        _MULTIPLE,
        windows,
        lambda view: window_around(view, _MULTIPLE, began),
        painted=False,
    )
    check()
    state = glance(scene)
    found = answered(state, windows.finish_of(scene.view.box, state.evidence.device))
    return Answer(
        size=windows.full.size,
        box=windows.in_full(scene.view.box),
        found=found,
        score=clarity(found),
        candidate=chosen,
        readings=readings,
        prompt=prompt if not chosen else replace(prompt, mask=_at_size(readings[chosen - 1], windows.full.size)),
        note=state.note,
    )


def without_painting(config: Config) -> Config:
    """What of the parameters answers are made with: affinity, or there would be nothing to tell anything by; a box
    where it is drawn, since the user sees what becomes of it; and windows looked at no closer than is quick."""
    config = config if config.l_affinity and config.finish == "appearance" else PRESETS["balanced"]
    contexts = tuple(one for one in config.contexts if one != "closer") or ("view",)
    return replace(config.in_place(), contexts=contexts, photo_size=photo_side(config), encoder_size=WINDOW)


def first_said(prompt: Prompt) -> Prompt:
    """What a conversation began with, as far as a prompt tells: the first point, if there are several things said."""
    if prompt.kind != "point" or (len(prompt.points) == 1 and not len(prompt.negative_anchors())):
        return prompt
    return prompt.first_said()


def clarity(found: Tensor) -> float:
    """How clearly the object stands out, 0 to 1."""
    inside = found > 0.5
    return float(found[inside].mean()) if bool(inside.any()) else 0.0


def _whole(windows: Windows, config: Config) -> Frame:
    return photo_frame(windows, config, photo_side(config))


def _readings(windows: Windows, first: Prompt, config: Config) -> tuple[Tensor, ...]:
    """Coarse masks, h x w bool at the size of the reduced photo, of what else the first thing said may mean."""
    if first.kind not in ("point", "scribble"):
        return ()
    kept: list[Tensor] = []
    for mask in readings_of(first, _whole(windows, config), config):
        if len(kept) < MOST - 1 and all(intersection_over_union(mask > 0.5, one) < ALIKE for one in kept):
            kept.append(mask > 0.5)
    return tuple(kept)


def _began(windows: Windows, first: Prompt, config: Config) -> View | None:
    """The window that a conversation which began with this was first looked at in."""
    if first.kind != "point":
        return None
    key = first.points, config
    if key not in windows.began:
        valid = locate(first, _whole(windows, config), config).valid
        view = fit_view(first.size, valid, config.view_context, config.size, _MULTIPLE)
        windows.began = {key: window_around(view, _MULTIPLE)}  # of one conversation at a time
    return windows.began[key]


def scaled(prompt: Prompt, size: tuple[int, int]) -> Prompt:
    """The prompt on the same photo of another size (H, W); nothing in it becomes too small to be seen."""
    if tuple(prompt.size) == size:
        return prompt
    to_y, to_x = (new / old for new, old in zip(size, prompt.size, strict=True))

    def moved(points: tuple[Point, ...]) -> tuple[Point, ...]:
        return tuple((min(x * to_x, size[1] - 0.01), min(y * to_y, size[0] - 0.01)) for x, y in points)

    box = prompt.box
    if box is not None:
        (x0, x1), (y0, y1) = _side(box[0] * to_x, box[2] * to_x, size[1]), _side(box[1] * to_y, box[3] * to_y, size[0])
        box = x0, y0, x1, y1
    strokes: dict[str, Any] = {
        name: None if drawn is None else fit_strokes(drawn, size)
        for name, drawn in (("scribble", prompt.scribble), ("negative_scribble", prompt.negative_scribble))
    }
    mask = None if prompt.mask is None else resize_mask(prompt.mask, size)
    return Prompt(
        size, box, moved(prompt.points), moved(prompt.negative_points), **strokes, mask=mask, order=prompt.order
    )


def _side(start: float, end: float, limit: int) -> tuple[float, float]:
    """A side of a box, at least a pixel long and inside the photo."""
    lack = max(0.0, 1 - (end - start)) / 2
    start = min(max(0.0, start - lack), limit - 1.0)
    return start, max(end + lack, start + 1)


def _at_size(values: Tensor, size: tuple[int, int]) -> Tensor:
    return resize(values[None, None].float(), size)[0, 0]
