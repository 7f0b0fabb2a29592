"""Running a model over a batch in pieces, smaller ones when memory runs out, and a sentence when nothing helps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import ParamSpec, TypeVar

import torch
from torch import Tensor

SHORTAGE = "out of memory: there is not enough for this photo; take the preset fast, a smaller photo, or free some"

_SIGNS = ("out of memory", "can't allocate memory", "not enough memory")  # of CUDA and MPS, of Linux, of Windows

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


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
        except RuntimeError as error:
            if size == 1 or not is_shortage(error):
                raise
            size = -(-size // 2)


def is_shortage(error: BaseException) -> bool:
    """Whether an exception says that memory ran out, on any device."""
    return isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)) or (
        isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in _SIGNS)
    )


def says_shortage(work: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """Make a function say in one sentence when memory runs out in it.

    On a GPU the exception stays torch's own, which ComfyUI knows to answer by unloading models; elsewhere it is a
    MemoryError.
    """

    @wraps(work)
    def guarded(*args: Arguments.args, **options: Arguments.kwargs) -> Answer:
        try:
            return work(*args, **options)
        except (RuntimeError, MemoryError) as error:
            if not is_shortage(error) or str(error) == SHORTAGE:
                raise
            kind = torch.cuda.OutOfMemoryError if isinstance(error, torch.cuda.OutOfMemoryError) else MemoryError
            raise kind(SHORTAGE) from error

    return guarded
