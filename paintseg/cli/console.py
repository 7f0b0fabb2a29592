"""What all commands share: exit codes, one sentence on failure, progress on stderr."""

from __future__ import annotations

import argparse
import codecs
import sys
from collections.abc import Callable
from typing import NoReturn

from ..errors import InputError, PainterError, StorageError, WeightsError, WorkerError, note_of
from ..io.packages import too_old

HALVES = ("off", "on", "auto")
"""Words after `--half`, which may also stand alone."""

DONE, FAILED, REFUSED, INTERRUPTED = 0, 1, 2, 130
_ANYHOW = "paintseg-anyhow"


class Parser(argparse.ArgumentParser):
    """An argument parser that answers a mistake with one sentence."""

    def parse_known_args(self, args=None, namespace=None):
        """As argparse's; an option that may stand alone takes none but its own words, so that a photo may follow."""
        words = list(sys.argv[1:] if args is None else args)
        for place, word in enumerate(words):
            if word == "--half" and (place + 1 == len(words) or words[place + 1] not in HALVES):
                words[place] = "--half=on"
        return super().parse_known_args(words, namespace)

    def error(self, message: str) -> NoReturn:
        """Raise the mistake as bad input."""
        raise InputError(f"{message}; see {self.prog} --help")


def guarded(run: Callable[[], int | None]) -> int:
    """Run a command and turn what may go wrong into one sentence on stderr and an exit code.

    Returns:
        0 done; 2 refused: bad input, or files, disk or memory that are not as they must be, and nothing is written;
        130 interrupted; 1 when nobody reads what is printed.
    """
    print_anything()
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
    except Exception as error:
        if outdated := too_old():  # before a module is asked for that may be what fails
            return _say(f"{' '.join(outdated)} (What failed: {type(error).__name__}: {error})", REFUSED)
        from ..ops.memory import SHORTAGE, is_shortage

        if not is_shortage(error):
            raise
        return _say(SHORTAGE, REFUSED)


def command(
    make_parser: Callable[[], argparse.ArgumentParser], run: Callable[[argparse.Namespace], int | None]
) -> Callable[..., int]:
    """The `main` of a command: from its arguments, by default those of the process, to the exit code of `guarded`."""
    return lambda arguments=None: guarded(lambda: run(make_parser().parse_args(arguments)))


def print_anything() -> None:
    """Let standard output and error take every name of a file, whatever the console's encoding.

    A letter the encoding has not is printed as its number (`\\u0416`). A byte of a name that is no text, as Linux
    allows, is printed as that byte, so a list of names that is piped on still names the files.
    """
    codecs.register_error(_ANYHOW, _spelled)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # not in notebooks; None where there is no console at all
            stream.reconfigure(errors=_ANYHOW)


def _spelled(problem: UnicodeError) -> tuple[str | bytes, int]:
    """One letter in place of which a stream's encoding has something else, and where to go on behind it."""
    if not isinstance(problem, UnicodeEncodeError):
        raise problem
    letter, start = problem.object[problem.start], problem.start
    one = UnicodeEncodeError(problem.encoding, problem.object, start, start + 1, problem.reason)
    kept = "\udc80" <= letter <= "\udcff"  # where Python puts the bytes of a name that are no text
    return codecs.lookup_error("surrogateescape" if kept else "backslashreplace")(one)


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
