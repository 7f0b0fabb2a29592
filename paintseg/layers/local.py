"""Means over squares around every pixel, at the same price for any square."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def local_mean(values: Tensor, radius: int) -> Tensor:
    """Means over squares of 2 radius + 1 pixels, cut at the border; ... x H x W of any floating point type."""
    for dim in (-1, -2):
        length = values.shape[dim]
        sums = F.pad(values.double().cumsum(dim), (1, 0) if dim == -1 else (0, 0, 1, 0))
        places = torch.arange(length, device=values.device)
        low, high = (places - radius).clamp(min=0), (places + radius + 1).clamp(max=length)
        counts = (high - low).view((-1,) if dim == -1 else (-1, 1))
        values = ((sums.index_select(dim, high) - sums.index_select(dim, low)) / counts).to(values.dtype)
    return values


def local_count(size: tuple[int, int], radius: int) -> Tensor:
    """Pixels in the square around every pixel of an image of `size` (H, W), 1 x H x W float64."""
    spans = []
    for length in size:
        places = torch.arange(length)
        spans.append(((places + radius + 1).clamp(max=length) - (places - radius).clamp(min=0)).double())
    return (spans[0][:, None] * spans[1][None])[None]
