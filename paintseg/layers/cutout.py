"""Cut-out: the object alone, with the background's colour taken out of its edge."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..scene import check_image
from .removal import check_mask


def cut_out(image: Tensor, soft: Tensor) -> Tensor:
    """The object as a layer.

    Args:
        image: 3 x H x W in [0, 1].
        soft: H x W in [0, 1] or bool, the matte.

    Returns:
        4 x H x W, straight (not premultiplied) colour and alpha. Opaque pixels keep the photo's colour bit
        for bit.

    Raises:
        InputError: no photo, or a matte of another size, empty or with NaN.
    """
    check_image(image)
    alpha = check_mask(soft, tuple(image.shape[1:]), "matte")
    return torch.cat([foreground(image.float().clamp(0, 1), alpha), alpha[None]])


def foreground(image: Tensor, alpha: Tensor) -> Tensor:
    """The object's own colour at every pixel: blur fusion, twice (Forte 2021, "Approximate Fast Foreground
    Colour Estimation", arXiv 2106.10734).

    A pixel of the edge is image = alpha F + (1 - alpha) B. F and B are guessed as local means weighted by
    alpha and 1 - alpha, then corrected by what of the pixel they leave unexplained; first over a wide, then
    over a narrow window.

    Args:
        image: 3 x H x W in [0, 1]. alpha: H x W in [0, 1].

    Returns:
        3 x H x W in [0, 1], the image's own where alpha is 1, and far from the object.
    """
    picture, matte = image[None], alpha[None, None]
    front, back = picture, picture
    for radius in (max(2, min(alpha.shape) // 12), 3):
        front, back = _fuse(picture, matte, front, back, radius)
    return torch.where(alpha >= 1, image, front[0])


def _fuse(image: Tensor, alpha: Tensor, front: Tensor, back: Tensor, radius: int) -> tuple[Tensor, Tensor]:
    near_front, near_back = _mean(front, alpha, radius), _mean(back, 1 - alpha, radius)
    left = image - alpha * near_front - (1 - alpha) * near_back
    return (near_front + alpha * left).clamp(0, 1), near_back.clamp(0, 1)


def _mean(values: Tensor, weight: Tensor, radius: int) -> Tensor:
    total = _box(torch.cat([values * weight, weight], 1), radius)
    share = total[:, -1:]
    return torch.where(share > 1e-4, total[:, :-1] / share.clamp_min(1e-4), values)


def _box(values: Tensor, radius: int) -> Tensor:
    for kernel, padding in (((2 * radius + 1, 1), (radius, 0)), ((1, 2 * radius + 1), (0, radius))):
        values = F.avg_pool2d(values, kernel, stride=1, padding=padding, count_include_pad=False)
    return values
