"""Clocks, memory and waits, on a card or on the processor."""

from __future__ import annotations

import statistics
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile, record_function

from paintseg.encoders.dino import DINOEncoder
from paintseg.painters import Painter

from ..stand_in import lend

WAITS = ("cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaEventSynchronize")
COPIES = ("Memcpy DtoH", "Memcpy HtoD")
PARTS = ("work", "painter", "encoder")
TIMED = ("paint", "round_trip", "encode", "features")
_WARNED = "called a synchronizing CUDA operation"


@dataclass(frozen=True)
class Meter:
    """Measures on one device.

    Attributes:
        device: as torch names it. quick: whether figures do not matter and once is enough.
    """

    device: str
    quick: bool = False

    @property
    def on_card(self) -> bool:
        """Whether there is a CUDA card to measure."""
        return self.device.startswith("cuda") and torch.cuda.is_available()

    def wait(self) -> None:
        """Until the device has done what was asked for."""
        if self.on_card:
            torch.cuda.synchronize()

    def held(self) -> float | None:
        """MiB that tensors hold on the card; None without one."""
        return torch.cuda.memory_allocated() / 2**20 if self.on_card else None

    def seconds(self, work: Callable[[], object], repeat: int = 5, warm_up: int = 1) -> dict[str, float | None]:
        """The median of some calls in seconds, and the most MiB the card held in one beyond what it held before."""
        repeat, warm_up = (1, 0) if self.quick else (repeat, warm_up)
        for _ in range(warm_up):
            work()
        before = self.held()
        if self.on_card:
            torch.cuda.reset_peak_memory_stats()
        taken = []
        for _ in range(repeat):
            self.wait()
            started = time.perf_counter()
            work()
            self.wait()
            taken.append(time.perf_counter() - started)
        most = torch.cuda.max_memory_allocated() / 2**20 - before if before is not None else None
        return {"seconds": statistics.median(taken), "mb": most}


@dataclass(eq=False)  # known by itself: features are kept by who made them
class Apart:
    """A painter or an encoder whose share is told apart: its seconds, and in a profile its calls.

    Attributes:
        model: which. part: "painter" or "encoder". meter: whose device is waited for at either end of a call.
        waits: whether it is; a profile of waits must not make any.
    """

    model: Any
    part: str
    meter: Meter
    waits: bool = True
    seconds: float = 0.0

    def __post_init__(self) -> None:
        for name in TIMED:
            if hasattr(self.model, name):
                setattr(self, name, self._timed(getattr(self.model, name)))
        lend(self, self.model)

    def _timed(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*given: Any, **named: Any) -> Any:
            if self.waits:
                self.meter.wait()
            started = time.perf_counter()
            with record_function(self.part):
                answer = call(*given, **named)
            if self.waits:
                self.meter.wait()
            self.seconds += time.perf_counter() - started
            return answer

        return timed


def apart(painter: Painter, encoder: DINOEncoder, meter: Meter, waits: bool = True) -> tuple[Apart, Apart]:
    """Both models, told apart."""
    return Apart(painter, "painter", meter, waits), Apart(encoder, "encoder", meter, waits)


@dataclass
class Counts:
    """What a stretch of work had to wait for and to copy.

    Attributes:
        loop, models: waits and copies by the profiler's names, outside the painter and the encoder and inside them.
        places: lines of the library that waited, with how often, as torch's own watch saw them.
    """

    loop: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)

    @property
    def waits(self) -> int:
        """Of the loop alone."""
        return sum(self.loop[name] for name in WAITS)


def count(meter: Meter, work: Callable[[], object]) -> Counts | None:
    """Waits and copies of some work whose models are `Apart` without waits; None without a card."""
    if not meter.on_card:
        return None
    counts = Counts()
    meter.wait()
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as seen:
        with record_function("work"):
            work()
        meter.wait()  # outside of the work, as the profiler's own waits are
    events = seen.events() or []
    ranges = [event for event in events if event.name in PARTS]
    for event in events:
        copied = event.name.startswith(COPIES)
        if event.name not in WAITS and not copied:
            continue
        # The card runs behind the processor: each is held against ranges of its own time.
        around = {
            one.name
            for one in ranges
            if one.device_type == event.device_type
            and one.time_range.start <= event.time_range.start <= one.time_range.end
        }
        if copied or "work" in around:
            (counts.models if around & {"painter", "encoder"} else counts.loop)[event.name] += 1
    meter.wait()
    with _watched() as warned:
        work()
    for one in warned:
        if _WARNED in str(one.message):
            counts.places[f"{one.filename.rpartition('paintseg/')[2]}:{one.lineno}"] += 1
    return counts


@contextmanager
def _watched() -> Iterator[list[warnings.WarningMessage]]:
    """Torch's own watch for calls that wait."""
    before = torch.cuda.get_sync_debug_mode()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            yield caught
        finally:
            torch.cuda.set_sync_debug_mode(before)
