"""From the loop's evidence to the answer: the object at the photo's resolution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from ..finish.pieces import tidied
from ..finish.refine import Finish, finish_size
from ..finish.seen import as_seen
from ..locate.correction import Sight, corrected
from ..ops.boxes import PixelBox
from ..ops.coordinates import Point
from ..ops.images import resize, size_of
from ..ops.memory import says_shortage
from ..ops.morphology import dilate
from ..views.frames import encoder_input
from ..views.view import View
from .loop import State
from .scene import NEGATIVE_RADIUS, Scene

CLOSER_LOOK = 280
"""Longer side in pixels at which the encoder is shown what a further click is about, where that is small."""
LEAST_SHOWN = 16
"""Pixels of the photo a side below which there is nothing to look at closer."""


@dataclass(frozen=True)
class Result:
    """What `segment` found.

    Attributes:
        mask: H x W bool, on the CPU.
        soft: H x W in [0, 1], the probability of the object; `mask` is where it exceeds 0.5.
        states: the state after every step.
    """

    mask: Tensor
    soft: Tensor
    states: tuple[State, ...]

    @property
    def note(self) -> str:
        """What the loop had to say, a sentence a line."""
        return "\n".join(state.note for state in self.states if state.note)


@says_shortage
def finish(state: State) -> Tensor:
    """Probability of the object at the photo's resolution, H x W in [0, 1], from any state of the loop.

    Without a finish (`Config.finish` "none") it is the loop's mask, its edge interpolated. Either is corrected by the
    clicks of the scene, and keeps the parts of an answer that was seen (`Prompt.seen_answer`).
    """
    soft, seen = _found(state), state.scene.prompt.seen_answer
    return soft if seen is None or state.scene.config.clicks != "corrections" else as_seen(soft, seen)


def _found(state: State) -> Tensor:
    """`finish`, whatever was seen before."""
    scene, config = state.scene, state.scene.config
    view = scene.view
    x0, y0, x1, y1 = view.box
    refiner = cache(lambda: finish_of(scene, state.evidence.device))
    refines = config.finish != "none" and bool(state.weight.any())
    if refines:
        soft = torch.zeros(view.photo)
        soft[y0:y1, x0:x1] = resize(refined(state, refiner())[None, None], (y1 - y0, x1 - x0))[0, 0]
    else:
        soft = view.paste(state.mask.float())[0, 0].clamp(0, 1)
    soft[y0:y1, x0:x1] = supported(soft[y0:y1, x0:x1], state)
    if refines:
        reach = 2 + round(NEGATIVE_RADIUS / 512 * max(x1 - x0, y1 - y0))
        soft = without_pieces(soft, scene.prompt.anchors(), scene.prompt.negative_anchors(), reach)
    soft = without(soft, scene.prompt.negative_anchors())  # a view finer than the photo may hold a part of a pixel
    if agrees(soft, scene.clicks):
        return soft
    before = resize(soft[None, None, y0:y1, x0:x1], refiner().size)[0, 0]
    after = corrected_in_view(before, scene, refiner())
    changed = resize((after != before)[None, None].float(), (y1 - y0, x1 - x0))[0, 0] > 0
    part = soft[y0:y1, x0:x1]
    soft[y0:y1, x0:x1] = torch.where(changed, resize(after[None, None], (y1 - y0, x1 - x0))[0, 0], part)
    for (x, y), side in scene.clicks:  # to the very pixel of the photo
        soft[int(y), int(x)] = soft[int(y), int(x)].clamp_min(0.51) if side else 0.0
    return soft


def finish_of(scene: Scene, device: torch.device) -> Finish:
    """What refines masks in a scene's view."""
    x0, y0, x1, y1 = scene.view.box
    return Finish(resize(scene.photo[..., y0:y1, x0:x1], finish_size((y1 - y0, x1 - x0)))[0].to(device))


def agrees(soft: Tensor, clicks: Sequence[tuple[Point, bool]]) -> bool:
    """Whether an answer H x W is the object at the clicks that say so, and is not at the others."""
    return all(bool(soft[int(y), int(x)] > 0.5) == side for (x, y), side in clicks)


def corrected_in_view(soft: Tensor, scene: Scene, finish: Finish) -> Tensor:
    """An answer h x w for a scene's view, at the size of the finish's image, corrected by the scene's clicks."""
    frame = next((frame.walked() for frame in scene.frames if "view" in frame.serves), None)
    sight = Sight(None if frame is None else frame.need_keys().cpu(), finish, partial(keys_in, scene, finish.size))
    placed = [(in_view(torch.tensor([point]), scene.view, finish.size), side) for point, side in scene.clicks]
    clicks = [((float(one[0, 0]), float(one[0, 1])), side) for one, side in placed if len(one)]
    return corrected(soft, sight, clicks)


def keys_in(scene: Scene, size: tuple[int, int], box: PixelBox) -> Tensor | None:
    """The keys that the encoder has of a box of the view's image h x w, 1 x C x h' x w' on the CPU; None for a box of
    fewer than `LEAST_SHOWN` pixels of the photo a side."""
    (x0, y0, x1, y1), (height, width) = scene.view.box, size
    left, right = (round(x0 + x * (x1 - x0) / width) for x in box[::2])
    top, bottom = (round(y0 + y * (y1 - y0) / height) for y in box[1::2])
    if min(right - left, bottom - top) < LEAST_SHOWN:
        return None
    shown = encoder_input((bottom - top, right - left), scene.looks.encoder, CLOSER_LOOK)
    keys = scene.looks.at((left, top, right, bottom), shown, keyed=True, tokens=False).keys
    return None if keys is None else keys.cpu()


def in_view(points: Tensor, view: View, size: tuple[int, int]) -> Tensor:
    """Points (x, y) of the photo, n x 2, in an image h x w of the view; those beyond it left out."""
    x0, y0, x1, y1 = view.box
    placed = (points - torch.tensor([x0, y0])) * torch.tensor([size[1] / (x1 - x0), size[0] / (y1 - y0)])
    return placed[((placed >= 0) & (placed < torch.tensor([size[1], size[0]]))).all(1)]


def refined(state: State, finish: Finish) -> Tensor:
    """Probability of the object in the view, at the size h x w of the finish's image; on the CPU, like the photo."""
    height, width = state.scene.view.content
    evidence = resize(state.evidence[..., :height, :width], finish.size, clamp=False)[0, 0]
    known = (state.scene.allowed & (state.weight > 0))[..., :height, :width]
    return finish(evidence, resize(known.float(), finish.size)[0, 0] > 0.5, state.scene.config).cpu()


def supported(soft: Tensor, state: State, final: bool = True) -> Tensor:
    """Probabilities h x w of the view, without what neither the prompt nor the evidence supports (finish/pieces.py)."""
    scene, size = state.scene, size_of(soft)
    which = scene.config.pieces
    if which == "all" or (which == "supported" and not state.weight.any()):
        return soft
    height, width = scene.view.content
    evidence = resize(state.evidence[..., :height, :width].cpu(), size, clamp=False)[0, 0]
    anchors = scene.prompt.anchors(), scene.prompt.negative_anchors()
    held, refused = (_pixels_at(in_view(points, scene.view, size), size) for points in anchors)
    return tidied(soft, evidence, which, held, refused, final)


def answered(state: State, finish: Finish) -> Tensor:
    """`refined`, and corrected by what the prompt says is not the object and by the clicks, as `finish` does it."""
    soft, scene = supported(refined(state, finish), state, final=False), state.scene
    anchors = scene.prompt.anchors(), scene.prompt.negative_anchors()
    on, off = (in_view(points, scene.view, finish.size) for points in anchors)
    reach = 2 + round(NEGATIVE_RADIUS / 512 * max(finish.size))
    return corrected_in_view(without(without_pieces(soft, on, off, reach), off), scene, finish)


def without(soft: Tensor, off: Tensor) -> Tensor:
    """H x W without the pixels that points (x, y) of m x 2 fall into."""
    refused = _pixels_at(off, size_of(soft))
    return soft.masked_fill(refused, 0.0) if refused.any() else soft


def without_pieces(soft: Tensor, on: Tensor, off: Tensor, reach: int) -> Tensor:
    """Take out the pieces that a negative point lies on, unless an object point lies on them too.

    Args:
        soft: H x W in [0, 1]; pieces are what is connected above 0.5.
        on, off: n x 2 and m x 2, points (x, y) on the object and on what is not.
        reach: pixels around a negative point that count as lying on it: the disc kept clear around it must not hide
            which piece it was cut from.

    Returns:
        H x W; `soft` itself when that would leave nothing.
    """
    said_not = _pixels_at(off, size_of(soft))
    if not said_not.any():
        return soft
    labels, _ = ndimage.label((soft > 0.5).numpy())
    kept = labels[_pixels_at(on, size_of(soft)).numpy()]
    refused = np.setdiff1d(labels[dilate(said_not, reach).numpy()], np.append(kept, 0))
    remaining = soft * torch.from_numpy(~np.isin(labels, refused))
    return remaining if (remaining > 0.5).any() else soft


def _pixels_at(points: Tensor, size: tuple[int, int]) -> Tensor:
    """H x W bool: the pixels that points (x, y) of n x 2 fall into."""
    hit = torch.zeros(size, dtype=torch.bool)
    hit[points[:, 1].long(), points[:, 0].long()] = True
    return hit
