"""Where the time and the memory of the method go, stage by stage, told apart by the module that is at work.

The library knows nothing of it: while a `StageClock` is on, Python reports every call, and the clock books
the time between entering and leaving a stage's module on that stage.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType

STAGES = ("paint", "encode", "crf", "cluster", "morphology", "copies", "other")

_PACKAGE = Path(__file__).resolve().parents[1]
_STAGE_OF = {
    "painters": "paint",
    "encoders": "encode",
    "finish/crf.py": "crf",
    "finish/lattice.py": "crf",
    "finish/lattice_tables.py": "crf",
    "ops/kmeans.py": "cluster",
    "ops/morphology.py": "morphology",
}
_COPIES = ("to", "cpu", "cuda", "copy_")  # methods of tensors that move them, or leave them where they are
_SAMPLING = 0.005


class StageClock:
    """Times the stages of what this thread does while it is entered with `with`.

    What a stage calls belongs to it: a painter's morphology is "paint". Work between the stages is "other", but for
    tensors copied between devices or kinds of number, "copies".

    Args:
        synchronize: called whenever the stage changes, so that a device's pending work is booked where it was
            asked for; None on the CPU.
        device_memory: called likewise, tells the most memory the device held since it was last called, in MiB.

    Attributes:
        seconds: per stage of `STAGES`, by the clock on the wall.
        cpu_seconds: likewise, of all threads of the process together; on a machine with other work the steadier.
        calls: times each stage was entered, the last two excepted.
        peak_mb: per stage, the most memory the process was seen with in MiB, every few milliseconds; empty where
            the system does not tell.
        device_mb: per stage, the most that `device_memory` told; empty without it.
    """

    def __init__(
        self, synchronize: Callable[[], None] | None = None, device_memory: Callable[[], float] | None = None
    ) -> None:
        self.seconds = dict.fromkeys(STAGES, 0.0)
        self.cpu_seconds = dict.fromkeys(STAGES, 0.0)
        self.calls = dict.fromkeys(STAGES[:-2], 0)
        self.peak_mb: dict[str, float] = {}
        self.device_mb: dict[str, float] = {}
        self._synchronize, self._device_memory = synchronize, device_memory
        self._stages: dict[str, str | None] = {}
        self._owner: object = None
        self._stage, self._since, self._cpu_since = "other", 0.0, 0.0
        self._done = threading.Event()

    def __enter__(self) -> StageClock:
        self._stage, self._owner = "other", None
        self._since, self._cpu_since = time.perf_counter(), time.process_time()
        self._done.clear()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()
        sys.setprofile(self._event)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.setprofile(None)
        self._switch("other", None)
        self._done.set()
        self._watcher.join()

    def _event(self, frame: FrameType, event: str, argument: object) -> None:
        if self._owner is None:
            if event == "call":
                stage = self._stage_of(frame.f_code.co_filename)
                if stage is not None:
                    self.calls[stage] += 1
                    self._switch(stage, frame)
            elif event == "c_call" and getattr(argument, "__name__", "") in _COPIES:
                self._switch("copies", argument)
        elif (event == "return" and frame is self._owner) or (
            event in ("c_return", "c_exception") and self._stage == "copies"
        ):
            self._switch("other", None)

    def _switch(self, stage: str, owner: object) -> None:
        if self._synchronize is not None:
            self._synchronize()
        if self._device_memory is not None:
            self.device_mb[self._stage] = max(self._device_memory(), self.device_mb.get(self._stage, 0.0))
        now, cpu_now = time.perf_counter(), time.process_time()
        self.seconds[self._stage] += now - self._since
        self.cpu_seconds[self._stage] += cpu_now - self._cpu_since
        self._stage, self._owner, self._since, self._cpu_since = stage, owner, now, cpu_now

    def _watch(self) -> None:
        while (memory := resident_mb()) is not None:
            stage = self._stage
            self.peak_mb[stage] = max(memory, self.peak_mb.get(stage, 0.0))
            if self._done.wait(_SAMPLING):
                return

    def _stage_of(self, file: str) -> str | None:
        if file not in self._stages:
            path = Path(file)
            # base.py holds the protocols and their checks, no model.
            inside = path.is_absolute() and path.is_relative_to(_PACKAGE) and path.name != "base.py"
            own = path.relative_to(_PACKAGE) if inside else Path()
            self._stages[file] = _STAGE_OF.get(own.as_posix()) or _STAGE_OF.get(own.parts[0] if own.parts else "")
        return self._stages[file]


def peak_gpu_mb() -> float:
    """The most memory, in MiB, that tensors took on the CUDA device since this was last called."""
    import torch

    most = torch.cuda.max_memory_allocated() / 2**20
    torch.cuda.reset_peak_memory_stats()
    return most


def resident_mb() -> float | None:
    """The process's resident memory now, in MiB; None where the system does not tell (it does on Linux)."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def reset_peak_memory() -> None:
    """Forget the process's highest memory so far, where the system allows it (Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def peak_memory_mb() -> float | None:
    """The process's highest resident memory in MiB; None where the system does not tell."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    try:
        import resource
    except ImportError:
        return None  # Windows
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024
