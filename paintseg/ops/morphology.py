"""Mathematical morphology on masks: rings, clean-up, boxes, connected components.

Masks are tensors `... x H x W` (usually B x 1 x H x W), bool, uint8 or floating point in [0, 1]; every mask
of a batch is treated by itself. Distances are pixels, coordinates (x, y), boxes (x0, y0, x1, y1)
end-exclusive. Results keep the dtype and the device of the input.

The border: outside the image there is neither object nor background. Dilation takes nothing from there and
erosion loses nothing to it, so an object cut by the photo's edge is not eaten along that edge. (With this
choice dilation and erosion stay adjoint on the image, hence opening and closing stay idempotent.)

Dilation and erosion take any radius at nearly the price of a small one: the running maximum over a window of
2^n pixels is the maximum of two windows of 2^(n-1), and any other length is the maximum of two overlapping
ones. A disc is a stack of such runs, one per row.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import Tensor

from ..errors import InputError

# (labels H x W, areas n + 1) -> which labels 1..n to keep, n + 1 bools; entry 0, the background, is ignored
_Choice = Callable[[np.ndarray, np.ndarray], np.ndarray]

_SHAPES = ("square", "disc")


def dilate(mask: Tensor, radius: int, shape: str = "square") -> Tensor:
    """Largest value within reach of every pixel (grey-scale dilation with a flat structuring element).

    Args:
        mask: ... x H x W, bool, uint8 or float.
        radius: pixels; 0 changes nothing. The paper's kernel of 5 is radius 2, shape "square".
        shape: "square", the (2 radius + 1)^2 pixels around a pixel, or "disc", those with dx^2 + dy^2 <= radius^2.

    Returns ... x H x W, the mask's dtype.

    Raises InputError: no H x W mask, negative or fractional radius, unknown shape.
    """
    check_mask(mask)
    if isinstance(radius, bool) or not isinstance(radius, int) or radius < 0:
        raise InputError(f"radius must be a whole number of pixels, 0 or more; got {radius!r}")
    if shape not in _SHAPES:
        raise InputError(f"shape must be one of {', '.join(_SHAPES)}; got {shape!r}")
    if radius == 0 or mask.numel() == 0:
        return mask
    # torch.maximum has vectorised kernels for bytes, not for bool
    values = mask.view(torch.uint8) if mask.dtype == torch.bool else mask
    if shape == "square":
        widened = _running_maximum(_running_maximum(values, radius, -1), radius, -2)
    else:
        widened = _disc_maximum(values, radius)
    return widened.view(torch.bool) if mask.dtype == torch.bool else widened


def erode(mask: Tensor, radius: int, shape: str = "square") -> Tensor:
    """Smallest value within reach of every pixel; arguments, result and errors as for `dilate`."""
    check_mask(mask)
    return _negative(dilate(_negative(mask), radius, shape))


def opening(mask: Tensor, radius: int, shape: str = "square") -> Tensor:
    """Erosion, then dilation: drops whatever the structuring element does not fit into. See `dilate`."""
    return dilate(erode(mask, radius, shape), radius, shape)


def closing(mask: Tensor, radius: int, shape: str = "square") -> Tensor:
    """Dilation, then erosion: fills gaps the structuring element does not fit into. See `dilate`."""
    return erode(dilate(mask, radius, shape), radius, shape)


def inner_ring(mask: Tensor, width: int, shape: str = "disc") -> Tensor:
    """The mask minus its erosion by `width` pixels: where an I-step may cut (paper, eq. 4). See `dilate`."""
    return _without(mask, erode(mask, width, shape))


def outer_ring(mask: Tensor, width: int, shape: str = "disc") -> Tensor:
    """The dilation by `width` pixels minus the mask: where an O-step may add (paper, eq. 4). See `dilate`."""
    return _without(dilate(mask, width, shape), mask)


def components(mask: Tensor) -> tuple[Tensor, list[int]]:
    """Connected components of every mask, whose pixels touch by a side or by a corner (8-connected).

    Args:
        mask: ... x H x W; pixels above 0.5 belong to the object.

    Returns:
        Labels ... x H x W, int32, 0 outside and 1..n within each mask, numbered in reading order; and the
        numbers n, one per mask. Labelling runs on the CPU wherever the mask lies.

    Raises InputError for no H x W mask.
    """
    check_mask(mask)
    labels, counts = _label(_planes(mask), 8)
    return torch.from_numpy(labels).reshape(mask.shape).to(mask.device), counts


def depth(region: np.ndarray) -> np.ndarray:
    """Distance in pixels of every pixel of a region, H x W bool, to the nearest one that is none of it; 0 there.

    Beyond the border nothing is of the region.
    """
    return ndimage.distance_transform_edt(np.pad(region, 1))[1:-1, 1:-1]


def remove_specks(mask: Tensor, min_area: int) -> Tensor:
    """Without the components of fewer than `min_area` pixels; see `components`.

    Returns ... x H x W, the mask's dtype, values 0 and 1.
    """
    return _select(mask, 8, lambda labels, areas: areas >= min_area)


def fill_holes(mask: Tensor, max_area: int | None = None) -> Tensor:
    """Fill the background regions (4-connected, the dual of 8-connected objects) the object encloses.

    A region that reaches the image's border is no hole.

    Args:
        mask: ... x H x W; pixels above 0.5 belong to the object.
        max_area: leave larger holes open, in pixels; None fills all.

    Returns ... x H x W, the mask's dtype, values 0 and 1.
    """

    def holes(labels: np.ndarray, areas: np.ndarray) -> np.ndarray:
        inside = areas > 0 if max_area is None else areas <= max_area
        for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
            inside[edge] = False
        return inside

    check_mask(mask)
    filled = _select(~as_binary(mask), 4, holes) | as_binary(mask)
    return filled.to(mask.dtype)


def _running_maximum(values: Tensor, radius: int, dim: int) -> Tensor:
    length = values.shape[dim]
    radius = min(radius, length - 1)
    window, span = _pad(values, radius, dim), 1
    while 2 * span <= 2 * radius + 1:
        window = _pairwise_maximum(window, span, dim)
        span *= 2
    return torch.maximum(window.narrow(dim, 0, length), window.narrow(dim, 2 * radius + 1 - span, length))


def _disc_maximum(values: Tensor, radius: int) -> Tensor:
    height, width = values.shape[-2:]
    reach = min(radius, width - 1)
    windows = [_pad(values, reach, -1)]  # windows[n] holds the maxima of runs of 2^n pixels
    while 2 ** len(windows) <= 2 * reach + 1:
        windows.append(_pairwise_maximum(windows[-1], 2 ** (len(windows) - 1), -1))

    def run(dy: int) -> Tensor:
        """The maxima of the disc's row that lies `dy` from its centre."""
        half = min(math.isqrt(radius * radius - dy * dy), reach)
        level = (2 * half + 1).bit_length() - 1
        first, last = reach - half, reach + half + 1 - 2**level
        return torch.maximum(windows[level].narrow(-1, first, width), windows[level].narrow(-1, last, width))

    widened = run(0)
    for dy in range(1, min(radius, height - 1) + 1):
        row = run(dy)
        above, below = widened.narrow(-2, 0, height - dy), widened.narrow(-2, dy, height - dy)
        torch.maximum(above, row.narrow(-2, dy, height - dy), out=above)
        torch.maximum(below, row.narrow(-2, 0, height - dy), out=below)
    return widened


def _pairwise_maximum(window: Tensor, span: int, dim: int) -> Tensor:
    length = window.shape[dim] - span
    return torch.maximum(window.narrow(dim, 0, length), window.narrow(dim, span, length))


def _pad(values: Tensor, amount: int, dim: int) -> Tensor:
    lowest = float("-inf") if values.is_floating_point() else 0
    sides = (amount, amount) if dim == -1 else (0, 0, amount, amount)
    return F.pad(values, sides, value=lowest)


def _negative(mask: Tensor) -> Tensor:
    if mask.is_floating_point():
        return -mask  # exact, unlike 1 - mask
    return ~mask  # for bytes 255 - mask, which reverses their order just as well


def _without(mask: Tensor, part: Tensor) -> Tensor:
    return mask & ~part if mask.dtype == torch.bool else mask - part


def _select(mask: Tensor, connectivity: int, choose: _Choice) -> Tensor:
    check_mask(mask)
    labels, counts = _label(_planes(mask), connectivity)
    kept = np.zeros(labels.shape, bool)
    for plane, count, out in zip(labels, counts, kept, strict=True):
        if count:
            chosen = choose(plane, np.bincount(plane.ravel(), minlength=count + 1))
            chosen[0] = False
            np.take(chosen, plane, out=out)
    return torch.from_numpy(kept).reshape(mask.shape).to(mask.device, mask.dtype)


def _label(planes: np.ndarray, connectivity: int) -> tuple[np.ndarray, list[int]]:
    structure = ndimage.generate_binary_structure(2, 1 if connectivity == 4 else 2)
    labels = np.empty(planes.shape, np.int32)
    counts = [ndimage.label(plane, structure, output=out) for plane, out in zip(planes, labels, strict=True)]
    return labels, counts


def _planes(mask: Tensor) -> np.ndarray:
    return as_binary(mask).detach().cpu().reshape(mask.shape[:-2].numel(), *mask.shape[-2:]).numpy()


def as_binary(mask: Tensor) -> Tensor:
    return mask if mask.dtype == torch.bool else mask > 0.5


def check_mask(mask: Tensor) -> None:
    if not isinstance(mask, Tensor) or mask.ndim < 2:
        found = tuple(mask.shape) if isinstance(mask, Tensor) else type(mask).__name__
        raise InputError(f"mask must be a tensor ... x H x W; got {found}")
