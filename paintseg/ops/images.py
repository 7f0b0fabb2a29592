"""Images as tensors: resizing, filling gaps, and refusing what is no photo."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import InputError
from .morphology import dilate


def size_of(image: Tensor) -> tuple[int, int]:
    """(H, W) of a tensor whose last two axes they are: an image, a mask, a batch of either, a grid of features."""
    height, width = image.shape[-2:]
    return height, width


def rounded_up(size: tuple[int, int], multiple: int) -> tuple[int, int]:
    """(H, W) with either side at the next multiple."""
    height, width = (-(-side // multiple) * multiple for side in size)
    return height, width


def padded(values: Tensor, size: tuple[int, int], mode: str = "constant") -> Tensor:
    """... x h x w extended to the right and below to `size` (H, W); `mode` as of torch's `pad`."""
    room = (0, size[1] - values.shape[-1], 0, size[0] - values.shape[-2])
    return F.pad(values, room, mode=mode) if any(room) else values


def resize(values: Tensor, size: tuple[int, int], clamp: bool = True) -> Tensor:
    """B x C x H x W to `size` (H, W), float32: antialiased bicubic when shrinking, bilinear when enlarging.

    `clamp` keeps images, which bicubic overshoots, in [0, 1].
    """
    if tuple(values.shape[-2:]) == tuple(size):
        return values.float()
    shrinking = size[0] < values.shape[-2] or size[1] < values.shape[-1]
    if values.is_cuda:
        # The antialiased kernel there holds all its taps in shared memory: 47-fold is the most it can shrink.
        height, width = size_of(values)
        values = F.adaptive_avg_pool2d(values.float(), (min(height, 16 * size[0]), min(width, 16 * size[1])))
    scaled = F.interpolate(
        values.float(), size, mode="bicubic" if shrinking else "bilinear", align_corners=False, antialias=shrinking
    )
    return scaled.clamp(0, 1) if clamp else scaled


def resize_mask(mask: Tensor, size: tuple[int, int]) -> Tensor:
    """A mask H x W, bool or in [0, 1], scaled to `size` (H, W), float32, for a threshold of 0.5.

    Shrinking takes the mean of what falls into a pixel. A part too thin to be half of any pixel, a wire say, would be
    below 0.5 in all of them; there the greatest value is taken, so that it stays a line.
    """
    scaled = resize(mask[None, None], size)[0, 0]
    if size[0] >= mask.shape[0] and size[1] >= mask.shape[1]:
        return scaled
    most = F.adaptive_max_pool2d(mask[None].float(), size)[0].clamp(0, 1)
    touched, kept = most > 0.5, scaled > 0.5
    lost = touched & ~dilate(kept, 1)  # an edge is touched beside what is kept of its object; a thin part is not
    joined = lost | (touched & dilate(lost, 1))  # and hangs together with what it grows from
    return torch.where(joined & ~kept, most, scaled)


def pull_push(total: Tensor, weight: Tensor) -> Tensor:
    """Fill the gaps of B x C x h x w values smoothly (pull and push; Gortler et al., "The Lumigraph", SIGGRAPH 1996).

    Args:
        total: values times their weight. weight: B x 1 x h x w, 0 where nothing is known.

    Returns B x C x h x w: weighted means where the weight is large, coarser and coarser means in the gaps.
    """
    mean = total / weight.clamp_min(1e-6)
    if max(total.shape[-2:]) == 1:
        return torch.where(weight > 0, mean, torch.zeros_like(mean))
    share = (weight * 4).clamp(max=1)
    pooled = F.avg_pool2d(torch.cat([mean * share, share], 1), 2, ceil_mode=True, count_include_pad=False)
    below = pull_push(pooled[:, :-1], pooled[:, -1:])
    wide = F.interpolate(below, total.shape[-2:], mode="bilinear", align_corners=False)
    return share * mean + (1 - share) * wide


def check_size(given: Tensor, size: tuple[int, int], name: str, rest: int = 0) -> None:
    """Refuse what is not of an image's `size` (H, W) behind its first `rest` axes. Raises InputError, naming `name`."""
    if given.ndim != 2 + rest or tuple(given.shape[rest:]) != tuple(size):
        found = " x ".join(str(side) for side in reversed(given.shape[rest:])) or "a single number"
        raise InputError(f"the {name} must have the image's size {size[1]} x {size[0]}, not {found}")


def check_image(image: Tensor, name: str = "image") -> tuple[float, float]:
    """Refuse what is no photo. Returns its least and its greatest value. Raises InputError, naming `name`."""
    if image.ndim != 3 or image.shape[0] != 3 or not image.numel():
        grey = "; give a grey one three times" if image.ndim == 3 and image.shape[0] == 1 else ""
        raise InputError(f"the {name} must be 3 x H x W, not {tuple(image.shape)}{grey}")
    if not image.is_floating_point():
        raise InputError(f"the {name} must hold floating point values in [0, 1], not {image.dtype}")
    low, high = float(image.amin()), float(image.amax())  # aminmax would copy the photo as ComfyUI hands it over
    if not math.isfinite(low) or not math.isfinite(high):  # NaN comes through both
        raise InputError(f"the {name} holds NaN or infinite pixels")
    if low < -0.5 or high > 1.5:  # resampling may overshoot a little; prepare() clamps that
        raise InputError(f"the {name} must hold values in [0, 1], not from {low:g} to {high:g}")
    return low, high
