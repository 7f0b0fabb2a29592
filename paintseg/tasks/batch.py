"""Many photos, one after the other: read ahead, segmented, written whole, and not done again by the next run."""

from __future__ import annotations

import errno
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor

from ..config import Config
from ..errors import InputError, PainterError, StorageError, WeightsError, one_line, reason
from ..io.ledger import Stamp, stamps
from ..io.listing import Piece
from ..io.masks import read_maps
from ..io.packages import too_old
from ..io.pictures import folder_for, write_mask
from ..io.reading import read_photo
from ..locate.discovery import coarse_mask
from ..models import Models, load_models
from ..ops.coordinates import place_boxes, place_points
from ..ops.images import size_of
from ..ops.memory import SHORTAGE, is_shortage
from ..prompts import MAPS, Prompt, mask_prompt
from ..segmentation import segment

Item = TypeVar("Item")
Found = TypeVar("Found")

AHEAD = 2
"""Photos that are read while another is segmented; with it they bound the memory."""

_DISK = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EROFS)
"""What ends a run, since no later piece could be written either."""


@dataclass(frozen=True)
class Outcome:
    """What became of a piece.

    Attributes:
        photo, output: as in `Piece`.
        seconds: from the decoded photo to the mask.
        error: why there is no mask, one sentence, else empty.
        note: what the method had to say, a sentence a line; mostly empty.
        files: what the mask was made of, see `ledger.stamps`; empty when there is none.
    """

    photo: str
    output: str
    seconds: float = 0.0
    error: str = ""
    note: str = ""
    files: dict[str, Stamp] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # A cluster hands outcomes over as JSON, which knows lists alone.
        stamps = {name: (size, time, content) for name, (size, time, content) in self.files.items()}
        object.__setattr__(self, "files", stamps)


def segment_all(pieces: Iterable[Piece], models: Models, config: Config, seed: int = 0) -> Iterator[Outcome]:
    """Segment piece after piece and write each mask, reading `AHEAD` photos ahead.

    A piece that cannot be done, for whatever reason, is an outcome with its sentence; the others go on. Raises
    StorageError when the disk takes nothing any more, WeightsError.
    """
    with closing(ahead(pieces, _read, AHEAD)) as read:
        for piece, what in read:
            yield _segment(piece, what, models, config, seed)


def worker(
    config: Mapping[str, Any], seed: int, device: str, half: bool = False
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The work of one process of a cluster: a `Piece` to its `Outcome`, both as plain values."""
    models, settings = load_models(device, half), Config(**config)

    def work(plain: dict[str, Any]) -> dict[str, Any]:
        # points again tuples, which plain values have not
        points = {name: tuple((x, y) for x, y in plain[name]) for name in ("points", "negative_points")}
        piece = Piece(**plain | points)
        return asdict(_segment(*_read(piece), models, settings, seed))

    return work


def ahead(items: Iterable[Item], read: Callable[[Item], Found], count: int) -> Generator[Found, None, None]:
    """`read` of every item, done in a thread of its own by at most `count` items more than were asked for."""
    pool, waiting = ThreadPoolExecutor(1), deque[Future[Found]]()
    try:
        for item in items:
            waiting.append(pool.submit(read, item))
            if len(waiting) > count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _read(piece: Piece) -> tuple[Piece, tuple[Tensor, dict[str, Stamp]] | Exception]:
    try:
        made_of = stamps(piece)
        return piece, (read_photo(Path(piece.photo)), made_of)
    except Exception as problem:  # told where the piece's outcome is made
        return piece, problem


def _segment(
    piece: Piece, what: tuple[Tensor, dict[str, Stamp]] | Exception, models: Models, config: Config, seed: int
) -> Outcome:
    started = time.perf_counter()
    try:
        if isinstance(what, Exception):
            raise what
        image, made_of = what
        prompt, placed = _prompt(piece, image, models)
        result = segment(image, prompt, models.painter, models.encoder, config, seed)
        seconds = time.perf_counter() - started
        output = Path(piece.output)
        with folder_for(output.parent):
            write_mask(output, result.mask)
    except WeightsError:
        raise
    except Exception as problem:
        if _is_everybody_s(problem):
            raise
        return Outcome(piece.photo, piece.output, error=_sentence(problem))
    note = "\n".join(filter(None, [placed, result.note]))
    return Outcome(piece.photo, piece.output, round(seconds, 3), note=note, files=made_of)


def _is_everybody_s(problem: Exception) -> bool:
    """Whether it is the disk that takes nothing any more."""
    cause = problem.__cause__ if isinstance(problem, StorageError) else problem
    return isinstance(cause, OSError) and cause.errno in _DISK


def _sentence(problem: Exception) -> str:
    """Why there is no mask, whatever it is that went wrong."""
    if is_shortage(problem):
        return SHORTAGE
    if isinstance(problem, OSError) and not isinstance(problem, StorageError):
        return one_line(f"a file could not be read or written: {reason(problem)}")
    known = isinstance(problem, (InputError, PainterError, StorageError))
    return str(problem) if known else one_line(" ".join([f"{type(problem).__name__}: {problem}", *too_old()]))


def _prompt(piece: Piece, image: Tensor, models: Models) -> tuple[Prompt, str]:
    """The prompt, and what was done to bring it into the photo."""
    size = size_of(image)
    boxes, note = place_boxes([piece.box] if piece.box else [], size)
    points, negative, other = place_points(piece.points, piece.negative_points, size)
    note = "\n".join(filter(None, [note, other]))
    maps = read_maps({name: getattr(piece, name) for name in MAPS}, size, piece.invert)
    if piece.auto:
        mask = coarse_mask(image, models.encoder)
        if piece.box is None and not points and "scribble" not in maps:
            return mask_prompt(mask), note
        maps["mask"] = mask
    box = boxes[0] if boxes else None
    return Prompt(size=size, box=box, points=points, negative_points=negative, **maps), note
