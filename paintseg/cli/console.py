"""What all commands share: exit codes, one sentence on failure, progress on stderr."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import NoReturn

from ..errors import InputError, PainterError, WeightsError, WorkerError

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


class Parser(argparse.ArgumentParser):
    """An argument parser that answers a mistake with one sentence."""

    def error(self, message: str) -> NoReturn:
        """Raise the mistake as bad input."""
        raise InputError(f"{message}; see {self.prog} --help")


def guarded(run: Callable[[], int | None]) -> int:
    """Run a command and turn what may go wrong into one sentence on stderr and an exit code.

    Returns:
        0 done, 1 failed, 2 bad input, 130 interrupted.
    """
    try:
        return run() or DONE
    except KeyboardInterrupt:
        return _say("interrupted", INTERRUPTED)
    except InputError as error:
        return _say(str(error), BAD_INPUT)
    except (WeightsError, PainterError, WorkerError) as error:
        return _say(str(error), FAILED)
    except BrokenPipeError:
        sys.stderr.close()
        return FAILED
    except OSError as error:
        return _say(f"a file could not be read or written: {error}", FAILED)
    except MemoryError:
        return _say("the memory is not enough; give a smaller photo or a smaller --set size", FAILED)
    except RuntimeError as error:
        if "out of memory" not in str(error).lower() and "can't allocate memory" not in str(error).lower():
            raise
        return _say("the memory is not enough; give a smaller photo or a smaller --set size", FAILED)


def report(sentence: str) -> None:
    """One line of progress on stderr."""
    print(sentence, file=sys.stderr, flush=True)


def _say(sentence: str, code: int) -> int:
    print(" ".join(f"paintseg: {sentence}".split()), file=sys.stderr, flush=True)
    return code
