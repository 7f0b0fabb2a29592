"""The contrastive potential: how far every place is from what the painter expects there (eq. 1 and 2).

Terms stay apart, so that they can be looked at, and are brought to one scale before they are weighted.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .config import Config, Distance
from .encoders import Encoder
from .frames import Frame

_FAR = 1e6  # of the unit that terms are brought to


@dataclass(frozen=True)
class Potential:
    """The terms of eq. 1 on the canvas, each N x 1 x h x w or None, and their weighted sum.

    Attributes:
        paint: Phi_paint, the distance between the features of photo and painting.
        color: Phi_color, the probability of belonging with the repainted region by colour and place alone.
        prompt: Phi_prompt, the bumps at the prompt's points.
        affinity: ours, the affinity of the encoder's patches with the object.
        total: Phi, N x 1 x h x w.
        scope: 1 x 1 x h x w bool, where Phi is meant: the contrast box B.
    """

    paint: Tensor
    color: Tensor | None
    prompt: Tensor | None
    affinity: Tensor | None
    total: Tensor
    scope: Tensor


def paint_term(frame: Frame, paintings: Tensor, encoder: Encoder, distance: Distance) -> Tensor:
    """Phi_paint = |E(I) - E(I_paint)|^2 per location (eq. 1).

    Args:
        frame: with the photo's features.
        paintings: N x 3 x h x w on the canvas.
        distance: "squared" Euclidean, or "cosine": 1 - cos.

    Returns:
        N x 1 x h x w on the canvas, 0 where nothing differs.
    """
    painted = encoder.encode(frame.render(paintings, frame.image))
    photo = frame.features.expand_as(painted)
    if distance == "squared":
        term = ((photo - painted) ** 2).sum(1, keepdim=True)
    else:
        term = 1 - F.cosine_similarity(photo, painted, dim=1)[:, None]
    return frame.to_canvas(term, tuple(paintings.shape[-2:]))


def prompt_term(
    points: tuple[tuple[float, float], ...],
    negative: tuple[tuple[float, float], ...],
    box: tuple[int, int, int, int],
    canvas: tuple[int, int],
    sigma: float,
    device: torch.device | None = None,
) -> Tensor | None:
    """Phi_prompt, eq. 2: the highest of the points' Gaussian bumps, less the highest of the not-object points'.

    The paper prints the exponent without its minus sign; a bump needs it.

    Args:
        points, negative: canvas points (x, y).
        box: the object's bounding box; s_x and s_y are `sigma` times its sides.

    Returns:
        1 x 1 x h x w in [-1, 1], or None without points.
    """
    if not points and not negative:
        return None
    s_x, s_y = max(sigma * (box[2] - box[0]), 1.0), max(sigma * (box[3] - box[1]), 1.0)
    ys, xs = (torch.arange(side, device=device) + 0.5 for side in canvas)
    ys = ys[:, None]

    def bumps(centres: tuple[tuple[float, float], ...]) -> Tensor:
        highest = torch.zeros(canvas, device=device)
        for x, y in centres:
            highest = torch.maximum(highest, torch.exp(-((xs - x) ** 2 / s_x**2 + (ys - y) ** 2 / s_y**2)))
        return highest

    return (bumps(points) - bumps(negative))[None, None]


def combine(
    paint: Tensor,
    color: Tensor | None,
    prompt: Tensor | None,
    affinity: Tensor | None,
    scope: Tensor,
    sign: float,
    config: Config,
) -> Potential:
    """Eq. 1: bring the terms to one scale over the scope and add them up.

    Args:
        paint: N x 1 x h x w; the others 1 x 1 x h x w or None.
        scope: 1 x 1 x h x w bool, the contrast box.
        sign: +1 in I-steps, where high means object; -1 in O-steps, where high means background. What speaks for
            the object (prompt, affinity) enters with it (section 5.2).
    """
    total = config.l_paint * normalise(paint, scope, config)
    weighted = (
        (color, config.l_color),
        (prompt, sign * config.l_prompt),
        (affinity, sign * config.l_affinity),
    )
    for term, weight in weighted:
        if term is not None and weight:
            total = total + weight * normalise(term, scope, config)
    return Potential(paint, color, prompt, affinity, total, scope)


def normalise(term: Tensor, scope: Tensor, config: Config) -> Tensor:
    """A term N x 1 x h x w with minimum 0 and maximum 1, or mean 0 and deviation 1, over the scope; flat: 0."""
    values = term[:, scope[0]]
    if not values.numel():
        return torch.zeros_like(term)
    if config.normalise == "range":
        low, high = values.min(), values.max()
        moved, span = term - low, high - low
    else:
        moved, span = term - values.mean(), values.std(correction=0)
    # Next to nothing in the scope must not make infinity of what is outside it.
    return (moved / span).clamp(-_FAR, _FAR) if span > torch.finfo(span.dtype).tiny else torch.zeros_like(term)
