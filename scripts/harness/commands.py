"""What every command does alike: set up, go on inside `.venv`, and end with a sentence and an exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

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
    child = subprocess.Popen([VENV_PYTHON, os.path.abspath(sys.argv[0]), *sys.argv[1:]])
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue  # Ctrl-C reaches the child too; it stops its server and ends by itself


def guarded(main: Callable[[], int | None]) -> int:
    """Run `main`; turn what is missing into one sentence on standard error and exit code 1."""
    try:
        return main() or 0
    except SetupError as missing:
        print(f"error: {missing}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted: run the command again to go on where it stopped.", file=sys.stderr)
        return INTERRUPTED
