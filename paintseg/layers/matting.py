"""Matte: how much of every pixel at an object's edge is the object, where hair, fur and blur mix it with what is there.

Closed-form matting (Levin, Lischinski & Weiss 2008, https://doi.org/10.1109/TPAMI.2007.1177): in every small window
the matte is a linear function of the colours, and of all mattes with the known pixels' values the smoothest in that
sense is taken. The matrix of that quadratic form is never built: He, Sun & Tang 2010 ("Fast matting using large kernel
matting Laplacian matrices", https://doi.org/10.1109/CVPR.2010.5539896) multiply with it by local means alone. The
segmenter's own probability has a small say, which decides where colours do not. Photos finer than `SIDE` are solved
smaller, and the local linear functions applied to the photo's own pixels (He & Sun 2015, "Fast guided filter").
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..errors import InputError
from ..ops.boxes import bounding_box
from ..ops.images import resize, resize_mask, size_of
from ..ops.memory import says_shortage
from ..ops.morphology import dilate, erode
from .local import local_count, local_mean
from .removal import check_mask
from .transparency import split_alpha
from .window import nearby

SIDE = 1024
"""Longest side in pixels of what is solved."""

BAND = 0.02
"""Width of the band around the mask's edge in which pixels may be mixed, over the longer side of the object's box."""

_EPSILON = 1e-5  # of eq. 12: against windows of one colour
_RADIUS = 2  # of the windows; the paper's 1 needs many more iterations to carry values through a wide band
_PRIOR = 0.003  # weight of the probability against a window of disagreement: less lets faint hair fade into grey walls
_ITERATIONS, _ENOUGH = 200, 1e-4
_GUIDED = 1e-4  # the same as _EPSILON, for carrying the matte to a finer photo


@says_shortage
def matte(image: Tensor, soft: Tensor, band: float = BAND) -> Tensor:
    """The object's share of every pixel.

    Args:
        image: 3 x H x W in [0, 1]; a fourth channel, its alpha, has no say.
        soft: H x W in [0, 1] or bool, the object; its edge is where it crosses 0.5.
        band: how far from that edge pixels may be mixed, over the longer side of the object's box; 0 to 0.5.

    Returns H x W in [0, 1]: exactly 1 and 0 farther inside and outside than the band reaches.

    Raises InputError for no photo, a mask of another size or with NaN, or a width that means nothing.
    """
    image, _ = split_alpha(image)
    if not 0 <= band <= 0.5:
        raise InputError(f"the band of a matte is 0 to 0.5 of the object's side, not {band!r}")
    chance = check_mask(soft, size_of(image), "mask").to(image.device)
    hard = chance > 0.5
    box = bounding_box(hard[None, None])
    if box is None or hard.all() or not band:
        return hard.float()
    reach = max(2, round(band * max(box[2] - box[0], box[3] - box[1])))
    rows, columns = nearby(hard, 2 * reach + 2 * _RADIUS)
    picture, inside, guess = image.float()[:, rows, columns], hard[rows, columns], chance[rows, columns]
    ratio = min(1.0, SIDE / max(inside.shape))
    height, width = (max(2, round(side * ratio)) for side in inside.shape)
    small = height, width
    close = max(1, round(reach * ratio))
    if ratio < 1:
        shown, coarse = resize(picture[None], small)[0], resize_mask(inside, small) > 0.5
        alpha = solve(shown, coarse, resize(guess[None, None], small)[0, 0], close)
        alpha = carry(alpha, shown, picture, max(_RADIUS, close // 4))
    else:
        alpha = solve(picture, inside, guess, close)
    mixed = _band(inside, reach)
    result = hard.float()
    result[rows, columns] = torch.where(mixed, alpha.clamp(0, 1), inside.float())
    return result


def solve(image: Tensor, inside: Tensor, guess: Tensor, reach: int) -> Tensor:
    """The closed-form matte in the band around a mask's edge, by conjugate gradients.

    Args:
        image: 3 x h x w in [0, 1]. inside: h x w bool. guess: h x w in [0, 1], what is thought beforehand.
        reach: pixels from the edge in which the matte is unknown.

    Returns h x w, not clamped to [0, 1].
    """
    product = laplacian(image.double(), _RADIUS)
    unknown = _band(inside, reach)
    known = torch.where(unknown, torch.zeros((), dtype=torch.float64), inside.double())
    weight = local_count(size_of(inside), _RADIUS)[0].to(image.device) * _PRIOR
    target = (weight * guess.double() - product(known)) * unknown
    alpha = torch.where(unknown, guess.double(), torch.zeros((), dtype=torch.float64))

    def system(values: Tensor) -> Tensor:
        return (product(values) + weight * values) * unknown

    rest = target - system(alpha)
    direction, energy = rest, (rest * rest).sum()
    least = _ENOUGH**2 * (target * target).sum()
    for _ in range(_ITERATIONS):
        if energy <= least:
            break
        pushed = system(direction)
        step = energy / (direction * pushed).sum()
        alpha, rest = alpha + step * direction, rest - step * pushed
        before, energy = energy, (rest * rest).sum()
        direction = rest + energy / before * direction
    return (alpha + known).float()


def laplacian(image: Tensor, radius: int) -> Callable[[Tensor], Tensor]:
    """Multiplication by the matting Laplacian (eq. 12 of Levin et al.) of an image 3 x h x w: h x w to h x w."""
    mean = local_mean(image, radius)
    count = local_count(size_of(image), radius).to(image.device)
    inverse = _inverse(image, mean, radius, _EPSILON / count[0])

    def product(values: Tensor) -> Tensor:
        lines = _lines(image, mean, inverse, values, radius)
        return count[0] * (values - (lines[:3] * image).sum(0) - lines[3])

    return product


def carry(values: Tensor, image: Tensor, finer: Tensor, radius: int) -> Tensor:
    """Values of a small image brought to a finer one along its colours (the fast guided filter).

    Args:
        values: h x w. image: 3 x h x w. finer: 3 x H x W. radius: of the windows in pixels of the small image.

    Returns H x W.
    """
    mean = local_mean(image, radius)
    inverse = _inverse(image, mean, radius, torch.full_like(mean[0], _GUIDED))
    lines = resize(_lines(image, mean, inverse, values, radius)[None], size_of(finer), clamp=False)[0]
    return (lines[:3] * finer).sum(0) + lines[3]


def _inverse(image: Tensor, mean: Tensor, radius: int, damping: Tensor) -> Tensor:
    """Inverse of every window's covariance of colours, damped, h x w x 3 x 3."""
    pairs = local_mean((image[:, None] * image[None]).flatten(0, 1), radius).unflatten(0, (3, 3))
    covariance = (pairs - mean[:, None] * mean[None]).permute(2, 3, 0, 1)
    identity = torch.eye(3, dtype=image.dtype, device=image.device)
    return torch.linalg.inv(covariance + damping[..., None, None] * identity)


def _lines(image: Tensor, mean: Tensor, inverse: Tensor, values: Tensor, radius: int) -> Tensor:
    """The windows' best linear functions from colours to values: three slopes and an offset, 4 x h x w, of every pixel
    the means over the windows that it is in."""
    both = local_mean(torch.cat([image * values, values[None]]), radius)
    shared = (both[:3] - mean * both[3]).permute(1, 2, 0)
    slope = (inverse @ shared[..., None])[..., 0].permute(2, 0, 1)
    return local_mean(torch.cat([slope, (both[3] - (slope * mean).sum(0))[None]]), radius)


def _band(inside: Tensor, reach: int) -> Tensor:
    """h x w bool: within `reach` pixels of the edge of a mask h x w bool."""
    mask = inside[None, None]
    return (dilate(mask, reach, "disc") & ~erode(mask, reach, "disc"))[0, 0]
