"""Running a model over a batch in pieces, smaller ones when memory runs out, and a sentence when nothing helps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from inspect import isgeneratorfunction
from typing import ParamSpec, TypeVar, cast

import torch
from torch import Tensor

SHORTAGE = "out of memory: there is not enough for this photo; take the preset fast, a smaller photo, or free some"

_SIGNS = (
    "out of memory",  # of CUDA and MPS
    "can't allocate memory",  # of Linux
    "not enough memory",  # of Windows
    "_status_alloc_failed",  # of cuBLAS, cuDNN and their kin
    "_allocation_failed",  # of cuDNN since 9, which says whose memory before it
)

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def in_chunks(run: Callable[[slice], Sequence[Tensor]], count: int, device: torch.device) -> list[Tensor]:
    """Call `run` on slices of range(count) and concatenate each of its results along the first dimension.

    On the CPU every item goes alone: convolutions and matrix products gain nothing from a batch there, and
    an item's result is then the same, bit by bit, whatever else is asked for. Elsewhere all go at once, and in
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


def sent(values: Tensor, device: torch.device | str | None) -> Tensor:
    """Values of the CPU on a device, None for where they are, without a wait of the processor for a GPU.

    What lies in pageable memory CUDA copies to and fro before it lets go; from pinned memory it copies later.
    """
    target = values.device if device is None else torch.device(device)
    if target.type != "cuda" or values.device.type != "cpu":
        return values.to(target)
    return values.pin_memory().to(target, non_blocking=True)


def is_shortage(error: BaseException) -> bool:
    """Whether an exception says that memory ran out, on any device."""
    return isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)) or (
        isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in _SIGNS)
    )


def says_shortage(work: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """Make a function say in one sentence when memory runs out in it.

    On a GPU the exception stays torch's own, which ComfyUI knows to answer by unloading models; elsewhere it is a
    MemoryError. Of a generator function it holds for every item.
    """

    @wraps(work)
    def guarded(*args: Arguments.args, **options: Arguments.kwargs) -> Answer:
        with _one_sentence():
            return work(*args, **options)

    if not isgeneratorfunction(work):
        return guarded
    items = cast(Callable[Arguments, Iterator[object]], work)

    @wraps(work)
    def guarded_items(*args: Arguments.args, **options: Arguments.kwargs) -> Iterator[object]:
        with _one_sentence():  # called, a generator function has not begun
            yield from items(*args, **options)

    return cast(Callable[Arguments, Answer], guarded_items)


@contextmanager
def _one_sentence() -> Iterator[None]:
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_shortage(error) or str(error) == SHORTAGE:
            raise
        kind = torch.cuda.OutOfMemoryError if isinstance(error, torch.cuda.OutOfMemoryError) else MemoryError
        raise kind(SHORTAGE) from error
