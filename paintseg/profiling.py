"""Where the time of the method goes: seconds per stage, told apart by the module that is at work.

The library knows nothing of it: while a `StageClock` is on, Python reports every call, and the clock books
the time between entering and leaving a stage's module on that stage.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType

STAGES = ("paint", "encode", "crf", "cluster", "morphology", "other")

_PACKAGE = Path(__file__).resolve().parent
_STAGE_OF = {"painters": "paint", "encoders": "encode", "crf.py": "crf", "lattice.py": "crf",
             "clustering.py": "cluster", "morphology.py": "morphology"}


class StageClock:
    """Times the stages of what this thread does between entering and leaving it; use with `with`.

    What a stage calls belongs to it, whichever module it is in: a painter's morphology is "paint". Work
    between the stages is "other".

    Args:
        synchronize: called whenever the stage changes, so that a device's pending work is booked where it was
            asked for; None on the CPU.

    Attributes:
        seconds: per stage of `STAGES`.
        calls: times each stage was entered.
    """

    def __init__(self, synchronize: Callable[[], None] | None = None) -> None:
        self.seconds = dict.fromkeys(STAGES, 0.0)
        self.calls = dict.fromkeys(STAGES[:-1], 0)
        self._synchronize = synchronize
        self._stages: dict[str, str | None] = {}
        self._stage, self._owner, self._since = "other", None, 0.0

    def __enter__(self) -> StageClock:
        self._stage, self._owner, self._since = "other", None, time.perf_counter()
        sys.setprofile(self._event)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        sys.setprofile(None)
        self._switch("other", None)

    def _event(self, frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and self._owner is None:
            stage = self._stage_of(frame.f_code.co_filename)
            if stage is not None:
                self.calls[stage] += 1
                self._switch(stage, frame)
        elif event == "return" and frame is self._owner:
            self._switch("other", None)

    def _switch(self, stage: str, owner: FrameType | None) -> None:
        if self._synchronize is not None:
            self._synchronize()
        now = time.perf_counter()
        self.seconds[self._stage] += now - self._since
        self._stage, self._owner, self._since = stage, owner, now

    def _stage_of(self, file: str) -> str | None:
        if file not in self._stages:
            path = Path(file)
            # base.py holds the protocols and their checks, no model.
            inside = path.is_absolute() and path.is_relative_to(_PACKAGE) and path.name != "base.py"
            self._stages[file] = _STAGE_OF.get(path.relative_to(_PACKAGE).parts[0]) if inside else None
        return self._stages[file]


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
