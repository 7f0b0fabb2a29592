"""Cut-out: the object alone, with the background's colour taken out of its edge."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..errors import InputError
from ..ops.images import size_of
from ..ops.memory import says_shortage
from .compose import blur
from .local import local_mean
from .removal import check_mask
from .transparency import split_alpha
from .window import nearby

LEVELS = (0.05, 0.95)
"""Soft values taken as wholly outside and wholly inside: a segmenter is never quite sure, an object is opaque."""


SURE = 4
"""Power of the weights of the local means: on blurred edges of known colour it leaves a tenth of the error of 1."""

_LEAST_SPAN = 1e-6  # between the levels; less is 0 in single precision


@says_shortage
def cut_out(image: Tensor, soft: Tensor, soften: float = 0.0, levels: tuple[float, float] = LEVELS) -> Tensor:
    """The object as a layer.

    Args:
        image: 3 x H x W in [0, 1], or 4 x H x W with its alpha.
        soft: H x W in [0, 1] or bool, the object.
        soften: width in pixels (standard deviation) by which the edge is softened first; for masks of 0 and 1.
        levels: the values of `soft` that become alpha 0 and alpha 1.

    Returns:
        4 x H x W, straight (not premultiplied) colour and alpha. Opaque pixels keep the photo's colour bit
        for bit. Of a transparent photo the alpha is the object's times the photo's.

    Raises InputError: no photo, a mask of another size, empty or with NaN, or levels and widths that mean nothing.
    """
    photo, own = split_alpha(image)
    low, high = levels
    if not 0 <= low < high <= 1:
        raise InputError(f"the levels must be two numbers with 0 <= low < high <= 1, not {levels!r}")
    if not 0 <= soften <= 100:
        raise InputError(f"the edge can be softened by 0 to 100 pixels, not {soften!r}")
    alpha = check_mask(soft, size_of(image))
    if soften:
        place = nearby(alpha > 0, math.ceil(3 * soften) + 1)
        alpha[place] = blur(alpha[place][None, None], soften)[0, 0]
    alpha = alpha.sub_(low).div_(max(high - low, _LEAST_SPAN)).clamp_(0, 1)
    layer = torch.cat([photo, alpha[None]])
    _clear_edge(layer[:3], alpha)
    if own is not None:
        layer[3] *= own
    return layer


def _clear_edge(image: Tensor, alpha: Tensor) -> None:
    """Put the object's own colour at every pixel of its edge: blur fusion (Forte 2021, "Approximate Fast Foreground
    Colour Estimation", arXiv 2106.10734).

    A pixel of the edge is image = alpha F + (1 - alpha) B. F and B are guessed as local means weighted by
    alpha and 1 - alpha, then corrected by what of the pixel they leave unexplained; over a wide window first,
    over narrower ones then. Ours are three passes instead of two, and weights raised to the power `SURE`, so
    that mixed pixels have little say in what the unmixed colours are.

    Args:
        image: 3 x H x W in [0, 1]; stays as it is where alpha is 0 or 1. alpha: H x W in [0, 1].
    """
    edge = (alpha > 0) & (alpha < 1)
    if not edge.any():
        return
    wide = max(2, min(90, min(alpha.shape) // 12))
    rows, columns = nearby(edge, wide)
    picture, matte = image[None, :, rows, columns], alpha[None, None, rows, columns]
    front, back = picture, picture
    for radius in (wide, 8, 3):
        front, back = _fuse(picture, matte, front, back, radius)
    image[:, rows, columns] = torch.where(edge[rows, columns], front[0], picture[0])


def _fuse(image: Tensor, alpha: Tensor, front: Tensor, back: Tensor, radius: int) -> tuple[Tensor, Tensor]:
    near_front, near_back = _mean(front, alpha**SURE, radius), _mean(back, (1 - alpha) ** SURE, radius)
    left = image - alpha * near_front - (1 - alpha) * near_back
    return (near_front + alpha * left).clamp(0, 1), near_back.clamp(0, 1)


def _mean(values: Tensor, weight: Tensor, radius: int) -> Tensor:
    total = local_mean(torch.cat([values * weight, weight], 1), radius)
    share = total[:, -1:]
    return torch.where(share > 1e-8, total[:, :-1] / share.clamp_min(1e-8), values)
