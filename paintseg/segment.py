"""The whole method in one call: a photo and a prompt in, masks at the photo's resolution out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import lcm

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from . import amcp
from .appearance import refine
from .chunks import says_shortage
from .config import Config, preset
from .encoders import Encoder
from .painters import Painter
from .prompts import Prompt
from .scene import NEGATIVE_RADIUS, prepare
from .view import resize


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
    states: tuple[amcp.State, ...]

    @property
    def note(self) -> str:
        """What the loop had to say, a sentence a line."""
        return "\n".join(state.note for state in self.states if state.note)


@says_shortage
def segment(
    image: Tensor,
    prompt: Prompt,
    painter: Painter,
    encoder: Encoder,
    config: Config | None = None,
    seed: int = 0,
    outpainter: Painter | None = None,
    progress: Callable[[amcp.State], None] | None = None,
) -> Result:
    """Segment the prompted object.

    Args:
        image: 3 x H x W in [0, 1].
        prompt: for an image of that size.
        painter: phi, the I-step's painter; psi too unless `outpainter` is given.
        encoder: the projector E.
        config: the parameters, by default the preset "balanced".
        seed: same seed, same result: to the bit on one machine with one number of threads, which decides in what
            order numbers are summed up.
        progress: called with the state after every step; an exception it raises ends the loop.

    Raises InputError for an image or a prompt that cannot be used, PainterError when the painter fails.
    """
    config = preset("balanced") if config is None else config
    outpainter = painter if outpainter is None else outpainter
    states = []
    first = begin(image, prompt, painter, encoder, config, seed, outpainter)
    for state in amcp.run(first, painter, outpainter, encoder):
        states.append(state)
        if progress is not None:
            progress(state)
    soft = finish(states[-1])
    return Result(mask=soft > 0.5, soft=soft, states=tuple(states))


@says_shortage
def begin(
    image: Tensor,
    prompt: Prompt,
    painter: Painter,
    encoder: Encoder,
    config: Config,
    seed: int = 0,
    outpainter: Painter | None = None,
) -> amcp.State:
    """The state before the first step, on a canvas both painters can paint; arguments as in `segment`."""
    multiple = lcm(painter.multiple, (outpainter or painter).multiple)
    return amcp.start(prepare(image, prompt, encoder, config, multiple), seed)


@says_shortage
def finish(state: amcp.State) -> Tensor:
    """Probability of the object at the photo's resolution, H x W in [0, 1], from any state of the loop.

    Without a finish (`Config.finish` "none") it is the loop's mask, its edge interpolated.
    """
    scene, config = state.scene, state.scene.config
    view = scene.view
    if config.finish == "none" or not state.weight.any():
        return keep_off(view.paste(state.mask.float())[0, 0].clamp(0, 1), scene.prompt)
    x0, y0, x1, y1 = view.box
    ratio = min(1.0, config.finish_size / max(x1 - x0, y1 - y0))
    size = max(1, round((y1 - y0) * ratio)), max(1, round((x1 - x0) * ratio))
    height, width = view.content
    image = resize(scene.photo[..., y0:y1, x0:x1], size)[0].to(state.evidence.device)
    evidence = resize(state.evidence[..., :height, :width], size, clamp=False)[0, 0]
    allowed = resize((scene.allowed & (state.weight > 0))[..., :height, :width].float(), size)[0, 0] > 0.5
    probability = refine(image, evidence, allowed, config)
    soft = torch.zeros(view.photo)
    soft[y0:y1, x0:x1] = resize(probability.cpu()[None, None], (y1 - y0, x1 - x0))[0, 0]
    reach = 2 + round(NEGATIVE_RADIUS / 512 * max(x1 - x0, y1 - y0))
    return keep_off(drop_refused(soft, scene.prompt, reach), scene.prompt)


def keep_off(soft: Tensor, prompt: Prompt) -> Tensor:
    """H x W without the very pixels said not to be the object; a view finer than the photo may hold a part of one."""
    refused = torch.zeros(soft.shape, dtype=torch.bool)
    if prompt.negative_scribble is not None:
        refused |= prompt.negative_scribble
    for x, y in prompt.negative_points:
        refused[int(y), int(x)] = True
    return soft.masked_fill(refused, 0.0) if refused.any() else soft


def drop_refused(soft: Tensor, prompt: Prompt, reach: int) -> Tensor:
    """Take out the pieces that a not-object point lies on, unless an object point lies on them too.

    Args:
        soft: H x W in [0, 1]; pieces are what is connected above 0.5.
        reach: pixels around a not-object point that count as lying on it: the disc kept clear around it must not hide
            which piece it was cut from.

    Returns:
        H x W; `soft` itself when that would leave nothing.
    """
    negative = prompt.negative_anchors()
    if not negative:
        return soft
    labels, _ = ndimage.label((soft > 0.5).numpy())
    kept = {int(labels[int(y), int(x)]) for x, y in prompt.anchors()}
    refused = {label for x, y in negative for label in _labels_near(labels, x, y, reach)} - kept - {0}
    remaining = soft * torch.from_numpy(~np.isin(labels, sorted(refused)))
    return remaining if (remaining > 0.5).any() else soft


def _labels_near(labels: np.ndarray, x: float, y: float, reach: int) -> set[int]:
    column, row = int(x), int(y)
    window = labels[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1]
    return set(np.unique(window).tolist())
