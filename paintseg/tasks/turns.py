"""One piece of work at a time, and of each client only the newest."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from contextlib import suppress
from threading import Lock
from typing import Any, TypeVar

Made = TypeVar("Made")


class Superseded(Exception):
    """A newer question of the same client has replaced this one."""


class Turns:
    """A single worker. Work waits its turn; what a client asked for before is dropped, be it waiting or under way."""

    def __init__(self) -> None:
        self._worker = ThreadPoolExecutor(1, "paintseg-answers")
        self._lock = Lock()
        self._newest: dict[str, Future[Any]] = {}

    def take(self, client: str, work: Callable[[Callable[[], None]], Made]) -> Future[Made]:
        """Put work in line.

        Args:
            client: whose work it is.
            work: called with a function to call between its stages, which raises `Superseded` once it has been.

        Returns what comes of it: what the work returns or raises, or `Superseded`.
        """
        done: Future[Made] = Future()
        with self._lock:
            before, self._newest[client] = self._newest.get(client), done
        if before is not None:
            _settle(before, error=Superseded())

        def check() -> None:
            with self._lock:
                if self._newest.get(client) is not done:
                    raise Superseded

        def run() -> None:
            try:
                check()
                made = work(check)
            except BaseException as problem:  # whoever waits for it must hear of it
                _settle(done, error=problem)
            else:
                _settle(done, made)
            finally:
                with self._lock:
                    if self._newest.get(client) is done:
                        del self._newest[client]

        self._worker.submit(run)
        return done


def _settle(done: Future[Any], made: Any = None, error: BaseException | None = None) -> None:
    """Tell what came of it, unless that was told already."""
    with suppress(InvalidStateError):
        if error is None:
            done.set_result(made)
        else:
            done.set_exception(error)
