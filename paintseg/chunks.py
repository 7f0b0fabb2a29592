"""Running a model over a batch in pieces, smaller ones when memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def in_chunks(run: Callable[[slice], Sequence[Tensor]], count: int, device: torch.device) -> list[Tensor]:
    """Call `run` on slices of range(count) and concatenate each of its results along the first dimension.

    On the CPU every item goes alone: convolutions and matrix products gain nothing from a batch there, and
    an item's result is then the same to the bit whatever else is asked for. Elsewhere all go at once, and in
    halves, quarters and so on for as long as the device runs out of memory.
    """
    size = 1 if device.type == "cpu" else count
    while True:
        try:
            pieces = [run(slice(start, min(start + size, count))) for start in range(0, count, size)]
            return [torch.cat(parts) for parts in zip(*pieces, strict=True)]
        except torch.cuda.OutOfMemoryError:
            if size == 1:
                raise
            size = -(-size // 2)
