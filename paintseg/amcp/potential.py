"""The contrastive potential: how far every place is from what the painter expects there (eq. 1 and 2).

Terms stay apart, so that they can be looked at, and are brought to one scale before they are weighted.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import Tensor

from ..config import Config, Distance
from ..encoders import Encoder
from ..ops.images import size_of
from ..ops.memory import sent
from ..views.frames import Frame

PROMPT_SIGMA = 0.1
"""s_x, s_y of eq. 2 over the sides of the object's box (section 5.2)."""
_FAR = 1e6  # of the unit that terms are brought to


@dataclass(frozen=True)
class Pointed:
    """What a prompt points at on the canvas: the prompt points of eq. 2.

    Attributes:
        points: (x, y), single points; the centre of the top left pixel is (0.5, 0.5).
        strokes: h x w bool, each of whose pixels is a point; None without any.
    """

    points: tuple[tuple[float, float], ...] = ()
    strokes: Tensor | None = None

    def __bool__(self) -> bool:
        return bool(self.points) or self.strokes is not None


@dataclass(frozen=True)
class Potential:
    """The terms of eq. 1 on the canvas, each N x 1 x h x w or None, and their weighted sum.

    Attributes:
        paint: Phi_paint, the distance between the features of photo and painting.
        color: Phi_color, the probability of belonging with the repainted region by colour and place alone.
        prompt: Phi_prompt, the bumps at the prompt's points and strokes.
        affinity: ours, the affinity of the encoder's patches with the object.
        total: Phi, N x 1 x h x w.
        scope: 1 x 1 x h x w bool, where Phi is meant: the contrast box B.
        places: M, int64, the pixels of the scope, numbered row by row; a GPU is asked for them once.
    """

    paint: Tensor
    color: Tensor | None
    prompt: Tensor | None
    affinity: Tensor | None
    total: Tensor
    scope: Tensor
    places: Tensor

    @property
    def values(self) -> Tensor:
        """N x M: Phi in the scope."""
        return values_at(self.total, self.places)


def places_in(scope: Tensor) -> Tensor:
    """The pixels of a scope 1 x 1 x h x w, numbered row by row: M, int64."""
    return scope.flatten().nonzero()[:, 0]


def values_at(term: Tensor, places: Tensor) -> Tensor:
    """N x M: a term N x 1 x h x w at `places_in` a scope."""
    return term.flatten(1).index_select(1, places)


def paint_term(frame: Frame, paintings: Tensor, canvas: Tensor, encoder: Encoder, distance: Distance) -> Tensor:
    """Phi_paint = |E(I) - E(I_paint)|^2 per location (eq. 1).

    Args:
        frame: with the photo's features.
        paintings: N x 3 x h x w on the canvas.
        canvas: 1 x 3 x h x w, the photo there; where a painting is equal to it, nothing was painted.
        distance: "squared" Euclidean, or "cosine": 1 - cos.

    Returns:
        N x 1 x h x w on the canvas, 0 where nothing differs.
    """
    painted = encoder.encode(frame.show(paintings, canvas))
    photo = frame.need_features().expand_as(painted)
    if distance == "squared":
        term = ((photo - painted) ** 2).sum(1, keepdim=True)
    else:
        term = 1 - F.cosine_similarity(photo, painted, dim=1)[:, None]
    return frame.to_canvas(term, size_of(paintings))


def prompt_term(
    on: Pointed,
    off: Pointed,
    box: tuple[int, int, int, int],
    canvas: tuple[int, int],
    sigma: float = PROMPT_SIGMA,
    device: torch.device | None = None,
) -> Tensor | None:
    """Phi_prompt, eq. 2: the highest of the points' Gaussian bumps, less the highest of the negative points'.

    The paper prints the exponent without its minus sign; a bump needs it.

    Args:
        on, off: what is said to be the object, and what is said not to be.
        box: the object's bounding box; s_x and s_y are `sigma` times its sides.

    Returns:
        1 x 1 x h x w in [-1, 1], or None where nothing is pointed at.
    """
    if not on and not off:
        return None
    sigmas = max(sigma * (box[2] - box[0]), 1.0), max(sigma * (box[3] - box[1]), 1.0)
    return (_bumps(on, sigmas, canvas, device) - _bumps(off, sigmas, canvas, device))[None, None]


def _bumps(
    pointed: Pointed, sigmas: tuple[float, float], canvas: tuple[int, int], device: torch.device | None
) -> Tensor:
    """h x w: the highest of the bumps, 1 on a stroke and at a point, 0 where nothing is pointed at.

    The highest bump is the nearest point's. For strokes that is a distance transform in units of sigma.
    """
    s_x, s_y = sigmas
    if pointed.strokes is None:
        highest = torch.zeros(canvas, device=device)
    else:
        away = ndimage.distance_transform_edt(~pointed.strokes.cpu().numpy(), sampling=(1 / s_y, 1 / s_x))
        highest = sent(torch.exp(-(torch.from_numpy(away).float() ** 2)), device)
    ys, xs = (torch.arange(side, device=device) + 0.5 for side in canvas)
    for x, y in pointed.points:
        bump = torch.exp(-((xs - x) ** 2 / s_x**2 + (ys[:, None] - y) ** 2 / s_y**2))
        highest = torch.maximum(highest, bump)
    return highest


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
    places = places_in(scope)
    total = config.l_paint * normalise(paint, places, config)
    weighted = (
        (color, config.l_color),
        (prompt, sign * config.l_prompt),
        (affinity, sign * config.l_affinity),
    )
    for term, weight in weighted:
        if term is not None and weight:
            total = total + weight * normalise(term, places, config)
    return Potential(paint, color, prompt, affinity, total, scope, places)


def normalise(term: Tensor, places: Tensor, config: Config) -> Tensor:
    """A term N x 1 x h x w with minimum 0 and maximum 1, or mean 0 and deviation 1, at `places_in` a scope; flat: 0."""
    values = values_at(term, places)
    if not values.numel():
        return torch.zeros_like(term)
    if config.normalise == "range":
        low, high = values.min(), values.max()
        moved, span = term - low, high - low
    else:
        moved, span = term - values.mean(), values.std(correction=0)
    # Next to nothing in the scope must not make infinity of what is outside it.
    return torch.where(span > torch.finfo(span.dtype).tiny, (moved / span).clamp(-_FAR, _FAR), 0.0)
