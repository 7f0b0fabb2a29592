"""Many photos, one after the other: read ahead, segmented, written whole, and not done again by the next run."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from .config import Config
from .discovery import coarse_mask
from .errors import InputError
from .files import folder_for, read_mask, read_photo, write_mask
from .listing import Piece
from .models import Models, embedded_models
from .parsing import fit_mask, fit_strokes
from .prompts import Prompt, mask_prompt
from .segment import segment

AHEAD = 2
"""Photos that are read while another is segmented; with it they bound the memory."""

@dataclass(frozen=True)
class Outcome:
    """What became of a piece.

    Attributes:
        photo, output: as in `Piece`.
        seconds: from the decoded photo to the mask.
        error: why there is no mask, one sentence, else empty.
        note: what the method had to say, a sentence a line; mostly empty.
    """

    photo: str
    output: str
    seconds: float = 0.0
    error: str = ""
    note: str = ""


def unfinished(pieces: Iterable[Piece]) -> list[Piece]:
    """Those whose mask is not there. A mask that is there is whole: files get their names when they are complete."""
    return [piece for piece in pieces if not Path(piece.output).exists()]


def segment_all(pieces: Iterable[Piece], models: Models, config: Config, seed: int = 0) -> Iterator[Outcome]:
    """Segment piece after piece and write each mask, reading `AHEAD` photos ahead.

    A photo that cannot be used is an outcome with its sentence; the others go on.
    """
    with closing(ahead(pieces, _read, AHEAD)) as read:
        for piece, image in read:
            yield _segment(piece, image, models, config, seed)


def worker(
    config: Mapping[str, Any], seed: int, device: str, half: bool = False, compiled: bool = False
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The work of one process of a cluster: a `Piece` to its `Outcome`, both as plain values."""
    models, settings = embedded_models(device, half, compiled), Config(**config)

    def work(plain: dict[str, Any]) -> dict[str, Any]:
        points = {name: _pairs(plain[name]) for name in ("points", "negative_points")}
        piece = Piece(**plain | points)
        if Path(piece.output).exists():  # a worker that was killed had got that far
            return asdict(Outcome(piece.photo, piece.output))
        return asdict(_segment(*_read(piece), models, settings, seed))

    return work


def ahead(items: Iterable[Any], read: Callable[[Any], Any], count: int) -> Iterator[Any]:
    """`read` of every item, done in a thread of its own by at most `count` items more than were asked for."""
    results: queue.Queue[tuple[Any, BaseException | None, bool]] = queue.Queue(maxsize=max(1, count))
    stopped = threading.Event()

    def put(result: Any, error: BaseException | None = None, last: bool = False) -> bool:
        while not stopped.is_set():
            try:
                results.put((result, error, last), timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def run() -> None:
        try:
            for item in items:
                if not put(read(item)):
                    return
            put(None, last=True)
        except BaseException as error:  # whatever it is, the thread that asked must hear of it
            put(None, error, last=True)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        while True:
            result, error, last = results.get()
            if error is not None:
                raise error
            if last:
                return
            yield result
            del result
    finally:
        stopped.set()
        thread.join()


def _read(piece: Piece) -> tuple[Piece, Tensor | InputError]:
    try:
        return piece, read_photo(Path(piece.photo))
    except InputError as error:
        return piece, error


def _segment(piece: Piece, image: Tensor | InputError, models: Models, config: Config, seed: int) -> Outcome:
    started = time.perf_counter()
    try:
        if isinstance(image, InputError):
            raise image
        prompt = _prompt(piece, image, models)
        result = segment(image, prompt, models.painter, models.encoder, config, seed)
    except InputError as error:
        return Outcome(piece.photo, piece.output, error=str(error))
    seconds = time.perf_counter() - started
    output = Path(piece.output)
    with folder_for(output.parent):
        write_mask(output, result.mask)
    return Outcome(piece.photo, piece.output, round(seconds, 3), note=result.note)


def _prompt(piece: Piece, image: Tensor, models: Models) -> Prompt:
    maps = {name: read_mask(Path(getattr(piece, name))) for name in ("scribble", "negative_scribble", "mask")
            if getattr(piece, name)}
    size = tuple(image.shape[1:])
    maps = {name: (fit_mask if name == "mask" else fit_strokes)(values, size) for name, values in maps.items()}
    if piece.auto:
        mask = coarse_mask(image, models.encoder)
        if piece.box is None and not piece.points and "scribble" not in maps:
            return mask_prompt(mask)
        maps["mask"] = mask
    return Prompt(size=size, box=piece.box, points=piece.points,
                  negative_points=piece.negative_points, **maps)


def _pairs(points: Iterable[Iterable[float]]) -> tuple[tuple[float, ...], ...]:
    """Points again tuples, which plain values have not."""
    return tuple(map(tuple, points))
