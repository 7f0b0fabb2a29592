"""What every command does alike: set up, go on inside `.venv`, and end with a sentence and an exit code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from . import environment
from .console import Console, SetupError
from .paths import VENV, VENV_PYTHON

INTERRUPTED = 130


def set_up(extras: Sequence[str]) -> None:
    """Make the environment ready, with progress on standard output."""
    environment.ensure(extras, Console())


def inside() -> bool:
    """Whether this process already runs on `.venv`'s Python."""
    return Path(sys.prefix).resolve() == VENV.resolve()


def go_inside() -> int:
    """Run this very command again on `.venv`'s Python and return its exit code."""
    return hand_over([VENV_PYTHON, os.path.abspath(sys.argv[0]), *sys.argv[1:]])


def hand_over(argv: Sequence[str | Path]) -> int:
    """Run `argv` in our place: what should end us is left to it, and its exit code is returned."""
    child = subprocess.Popen(argv)
    _on_end_signals(lambda number, _: child.send_signal(number))
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue  # Ctrl-C reaches the child too; it stops its server and ends by itself


def guarded(main: Callable[[], int | None]) -> int:
    """Run `main`; turn what is missing into one sentence on standard error and exit code 1.

    Being told to end counts as Ctrl-C, so that servers are stopped on every way out.
    """
    _on_end_signals(_interrupt)
    print_anything()
    try:
        return main() or 0
    except SetupError as missing:
        print(f"error: {missing}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted: run the command again to go on where it stopped.", file=sys.stderr)
        return INTERRUPTED


def print_anything() -> None:
    """Print letters that the console's encoding has not as their numbers, instead of ending with a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _on_end_signals(handler: Callable[[int, FrameType | None], object]) -> None:
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), handler)
