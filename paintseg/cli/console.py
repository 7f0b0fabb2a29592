"""What all commands share: exit codes, one sentence on failure, progress on stderr."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import NoReturn

from ..errors import InputError, PainterError, StorageError, WeightsError, WorkerError, note_of

DONE, FAILED, REFUSED, INTERRUPTED = 0, 1, 2, 130


class Parser(argparse.ArgumentParser):
    """An argument parser that answers a mistake with one sentence."""

    def error(self, message: str) -> NoReturn:
        """Raise the mistake as bad input."""
        raise InputError(f"{message}; see {self.prog} --help")


def guarded(run: Callable[[], int | None]) -> int:
    """Run a command and turn what may go wrong into one sentence on stderr and an exit code.

    Returns:
        0 done; 2 refused: bad input, or files, disk or memory that are not as they must be, and nothing is written;
        130 interrupted; 1 when nobody reads what is printed.
    """
    try:
        return run() or DONE
    except KeyboardInterrupt:
        return _say("interrupted", INTERRUPTED)
    except (InputError, WeightsError, PainterError, WorkerError, StorageError) as error:
        return _say(str(error), REFUSED)
    except BrokenPipeError:
        sys.stderr.close()
        return FAILED
    except OSError as error:
        return _say(f"a file could not be read or written: {error}", REFUSED)
    except (RuntimeError, MemoryError) as error:
        from ..chunks import SHORTAGE, is_shortage

        if not is_shortage(error):
            raise
        return _say(SHORTAGE, REFUSED)


def report(sentence: str) -> None:
    """One line of progress on stderr."""
    print(sentence, file=sys.stderr, flush=True)


def report_note(note: str, place: str = "") -> None:
    """What the method had to say, a line a sentence, each with what it is about."""
    if note:
        report(note_of(place, note) if place else note)


def _say(sentence: str, code: int) -> int:
    print(" ".join(f"paintseg: {sentence}".split()), file=sys.stderr, flush=True)
    return code
