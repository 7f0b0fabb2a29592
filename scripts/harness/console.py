"""Steps with seconds on the terminal: no silent minutes, whether or not anybody sits at a terminal."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

TICK_SECONDS = 10.0


class SetupError(RuntimeError):
    """Something outside this project is missing. Its message is one sentence for whoever sits there."""


class CommandFailed(RuntimeError):
    """A child process ended with an error; `output` holds the end of what it printed."""

    def __init__(self, argv: Sequence[str], code: int, output: str) -> None:
        super().__init__(f"{Path(argv[0]).name} ended with exit code {code}")
        self.code = code
        self.output = output


class Console:
    """Prints steps, lines within a step, and a tick whenever a step has been quiet for ten seconds."""

    def __init__(self, quiet_for: float = TICK_SECONDS) -> None:
        self._quiet_for = quiet_for
        self._last = time.monotonic()

    def line(self, text: str) -> None:
        """Print one line at once, also into a pipe."""
        self._last = time.monotonic()
        print(text, flush=True)

    def detail(self, text: str) -> None:
        """Print one line that belongs to the current step."""
        self.line(f"    {text}")

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Announce `title`, tick while the block is silent, and say how long it took."""
        start = time.monotonic()
        self.line(f"==> {title}")
        over = threading.Event()
        ticker = threading.Thread(target=self._tick, args=(start, over), daemon=True)
        ticker.start()
        try:
            yield
        finally:
            over.set()
            ticker.join()
        self.detail(f"done in {time.monotonic() - start:.0f} s")

    def _tick(self, start: float, over: threading.Event) -> None:
        while not over.wait(0.5):
            if time.monotonic() - self._last >= self._quiet_for:
                self.detail(f"... {time.monotonic() - start:.0f} s")


def run(
    argv: Sequence[str],
    log: Path,
    show: Callable[[str], None] | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    """Run `argv`, append all it prints to `log` and hand each line to `show`.

    `env` is added to the environment. Returns the last 4,000 characters printed; raises `CommandFailed` when
    the exit code is not zero.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    tail = ""
    with log.open("a", encoding="utf-8", errors="replace") as sink:
        sink.write(f"$ {' '.join(map(str, argv))}\n")
        child = subprocess.Popen(
            list(map(str, argv)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            env={**os.environ, **(env or {})},
        )
        try:
            for line in child.stdout or ():
                sink.write(line)
                tail = (tail + line)[-4000:]
                if show and line.strip():
                    show(line.rstrip())
            code = child.wait()
        except BaseException:
            child.terminate()
            child.wait()
            raise
    if code:
        raise CommandFailed(argv, code, tail)
    return tail
