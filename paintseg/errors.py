"""Errors a person can act on: each carries one plain sentence."""

import errno
import re

_LONGEST = 500
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def one_line(text: object) -> str:
    """A text in one line of at most 500 characters; of a longer one the middle is left out.

    Messages quote what others hand over, and that may hold anything.
    """
    line = _BREAKS.sub(" ", str(text)).strip()
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 203]}...{line[-200:]}"


def excerpt(value: object, longest: int = 60) -> str:
    """The beginning of a value as text, for a message."""
    try:
        text = str(value)
    except (RecursionError, ValueError):  # nested too deeply; whole numbers of more digits than Python writes
        return f"a {type(value).__name__} that cannot be shown"
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


_REASONS = {
    errno.ENOSPC: "the disk is full",
    getattr(errno, "EDQUOT", errno.ENOSPC): "the disk's quota is used up",
    errno.EFBIG: "the file is larger than files may be there",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "that is not permitted",
    errno.EPERM: "that is not permitted",
    errno.ENOENT: "the folder is not there",
    errno.ENOTDIR: "what should be its folder is a file",
    errno.EEXIST: "a file has that name",
}


def reason(problem: OSError) -> str:
    """Why the system refused to read or write, in a few words."""
    return _REASONS.get(problem.errno, problem.strerror or str(problem) or type(problem).__name__)


def note_of(place: str, note: str) -> str:
    """A note, a sentence a line, with what it is about before each of them."""
    return "\n".join(f"{place}: {sentence}" for sentence in note.splitlines())


class _Sentence(Exception):
    """An exception whose message is one line."""

    def __init__(self, text: object = "") -> None:
        super().__init__(one_line(text))


class InputError(_Sentence, ValueError):
    """The input cannot be used; the message names the input and says what would be right."""


class WeightsError(_Sentence, RuntimeError):
    """A weight file is missing or is not what it should be; the message names file, folder and hash."""


class StorageError(_Sentence, OSError):
    """A file or folder could not be written; the message names it and says why."""


class PainterError(_Sentence, RuntimeError):
    """A painter returned something that is not a painting (wrong size, NaN)."""


class WorkerError(_Sentence, RuntimeError):
    """A process that shared the work has died."""
