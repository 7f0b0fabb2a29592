"""Transparent photos: their colours are worked on like any other's, and their alpha comes back with the result."""

from __future__ import annotations

import torch
from scipy import ndimage
from torch import Tensor

from ..errors import InputError
from ..ops.images import check_image


def split_alpha(image: Tensor, name: str = "image") -> tuple[Tensor, Tensor | None]:
    """A photo 3 or 4 x H x W as its colours 3 x H x W and its alpha H x W, None without one; both are float in [0, 1],
    and the photo's own memory where they are that already.

    Raises InputError, naming `name`, for what is no photo, and for NaN.
    """
    transparent = image.ndim == 3 and image.shape[0] == 4
    colours = image[:3] if transparent else image
    low, high = check_image(colours, name)
    colours = colours.float() if low >= 0 and high <= 1 else colours.float().clamp(0, 1)
    if not transparent:
        return colours, None
    if not torch.isfinite(image[3]).all():
        raise InputError(f"the {name}'s alpha holds NaN or infinite values")
    return colours, image[3].float().clamp(0, 1)


def plate_with(plate: Tensor, alpha: Tensor | None, hole: Tensor) -> Tensor:
    """The plate of a photo with alpha; without one it is the plate itself.

    How transparent it was behind an object nobody knows: every pixel of the hole is as the nearest one outside is.

    Args:
        plate: 3 x H x W. alpha: the photo's, H x W. hole: H x W bool, what was painted; not all.

    Returns 4 x H x W, or `plate`; outside the hole the alpha is the photo's bit for bit.
    """
    if alpha is None:
        return plate
    if bool((alpha == alpha[0, 0]).all()):  # an opaque photo's, say
        return torch.cat([plate, alpha[None]])
    rows, columns = ndimage.distance_transform_edt(hole.cpu().numpy(), return_distances=False, return_indices=True)
    return torch.cat([plate, alpha[torch.from_numpy(rows), torch.from_numpy(columns)][None]])
