"""Answers while somebody points: what was asked, for which photo, and what is shown of the answer.

The editor's route (nodes/route.py) is a thin layer of HTTP over this.
"""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from threading import Lock
from typing import Any, Literal, get_args

import torch
from PIL import Image

from ..errors import InputError, excerpt
from ..io.clicks import read_clicks
from ..io.formats import to_image
from ..layers.cutout import cut_out
from ..layers.removal import remove
from ..ops.boxes import bounding_box
from ..ops.precision import takes_half
from ..painters import Painter
from ..painters.migan import load_migan
from ..prompts import Prompt
from ..segmentation import Answer, Session

Show = Literal["mask", "cutout", "plate"]

LARGEST_BODY = 64 * 1024
"""Bytes of a question at most."""
LARGEST_SIDE = 2048
"""Longest side of a picture that is sent back, in pixels."""
LARGEST_PLATE = 1024
"""The same where something must be painted."""
MOST_HELD = 512 * 2**20
"""Bytes of photos that conversations may hold together."""
MOST_ANSWERS = 32
"""Answers kept of one conversation."""

QUICK_SIZE = 384
"""Longer side in pixels that plates are painted at where the processor has no fast half precision."""

_LONGEST_NAME = 1024
_TYPES = ("input", "output", "temp")


@dataclass(frozen=True)
class Picture:
    """A picture as ComfyUI names it."""

    filename: str
    subfolder: str
    type: str


@dataclass(frozen=True)
class Question:
    """What somebody wants to know.

    Attributes:
        picture: what is pointed at.
        client: who asks; a newer question of the same one replaces an older.
        clicks: see io/clicks.py.
        show: the mask, the object cut out, or the photo without it.
        side: longest side of the picture wanted, in pixels.
    """

    picture: Picture
    client: str
    clicks: Mapping[str, Any]
    show: Show
    side: int


@dataclass(frozen=True)
class Reply:
    """A PNG, and the numbers to it."""

    png: bytes
    numbers: dict[str, Any]


def read_question(body: bytes) -> Question:
    """The question in the body of a request. Raises InputError, in one sentence, for anything else."""
    if len(body) > LARGEST_BODY:
        raise InputError(f"the request has more than {LARGEST_BODY // 1024} KB; that is more than clicks need")
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise InputError("the request must be JSON in UTF-8") from None
    if not isinstance(found, dict):
        raise InputError(f"the request must be a JSON object, not {excerpt(found)}")
    clicks = found.get("clicks")
    if not isinstance(clicks, dict):
        raise InputError(f"the request's clicks must be an object, not {excerpt(clicks)}")
    show = found.get("show", "mask")
    if show not in get_args(Show):
        raise InputError(f"the request's show must be one of {', '.join(get_args(Show))}, not {excerpt(show)}")
    side = found.get("side", LARGEST_PLATE)
    if isinstance(side, bool) or not isinstance(side, int) or not 16 <= side <= LARGEST_SIDE:
        raise InputError(f"the request's side must be a whole number from 16 to {LARGEST_SIDE}, not {excerpt(side)}")
    return Question(_picture(found.get("picture")), _text(found, "client", "client", needed=True), clicks, show, side)


def _picture(found: object) -> Picture:
    if not isinstance(found, dict):
        raise InputError(f'the request\'s picture must be like {{"filename": "a.png"}}, not {excerpt(found)}')
    kind = found.get("type", "input")
    if kind not in _TYPES:
        raise InputError(f"the picture's type must be one of {', '.join(_TYPES)}, not {excerpt(kind)}")
    return Picture(
        _text(found, "filename", "picture's filename", needed=True), _text(found, "subfolder", "subfolder"), kind
    )


def _text(found: Mapping[str, Any], key: str, name: str, needed: bool = False) -> str:
    value = found.get(key, "")
    if not isinstance(value, str) or len(value) > _LONGEST_NAME or (needed and not value):
        raise InputError(f"the {name} must be a text of at most {_LONGEST_NAME} characters, not {excerpt(value)}")
    return value


class Conversation:
    """A session, and the answers given in it: what is shown otherwise, or undone, need not be worked out again."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._answers: OrderedDict[str, Answer] = OrderedDict()

    def answer(self, clicks: Mapping[str, Any], check: Callable[[], None] | None = None) -> Answer:
        """The answer to clicks. Raises InputError for clicks that mean nothing."""
        key = json.dumps(clicks, sort_keys=True)
        if key not in self._answers:
            size = self.session.size
            said = read_clicks(clicks, size)
            if not said.on_object:
                raise InputError("nothing says where the object is: click on it, or drag a box around it")
            prompt = Prompt(
                size,
                box=said.box,
                points=said.points,
                negative_points=said.negative_points,
                order=said.order,
                **said.drawn(size),
            )
            self._answers[key] = self.session.answer(prompt, candidate=said.candidate, check=check)
            if len(self._answers) > MOST_ANSWERS:
                self._answers.popitem(last=False)
        self._answers.move_to_end(key)
        return self._answers[key]


class Conversations:
    """Conversations by their photo; those not gone on with for the longest go when together their photos take more than
    `most` bytes.

    The latest one stays, however large. Several threads may use it.
    """

    def __init__(self, most: int = MOST_HELD) -> None:
        self.most = most
        self._kept: OrderedDict[Hashable, Conversation] = OrderedDict()
        self._lock = Lock()

    @property
    def nbytes(self) -> int:
        """What the photos take of memory."""
        with self._lock:
            return sum(one.session.nbytes for one in self._kept.values())

    def get(self, key: Hashable, make: Callable[[], Session]) -> Conversation:
        """The conversation of that key; a new one, on the session made, if there is none."""
        with self._lock:
            found = self._kept.get(key)
        if found is None:
            found = Conversation(make())
        with self._lock:
            self._kept[key] = found
            self._kept.move_to_end(key)
            while len(self._kept) > 1 and sum(one.session.nbytes for one in self._kept.values()) > self.most:
                self._kept.popitem(last=False)
        return found

    def clear(self) -> None:
        """Give everything back."""
        with self._lock:
            self._kept.clear()


@cache
def quick_painter() -> Painter:
    """The embedded painter on the processor, for plates of the moment: in half the time of a run's.

    In bfloat16, where that is faster, its plates are as good as a run's. Painted smaller they are 6 % further from the
    truth (docs/experiments/plates.md). Raises WeightsError when its file is missing or broken.
    """
    if not takes_half("auto", "cpu"):
        return load_migan(size=QUICK_SIZE)
    painter = load_migan()
    painter.module.bfloat16()
    return painter


def respond(
    conversation: Conversation,
    question: Question,
    painter: Callable[[], Painter],
    check: Callable[[], None] | None = None,
) -> Reply:
    """Answer a question about a conversation's photo.

    Args:
        painter: gives who paints the photo without the object, once that is wanted.
        check: called between the stages; an exception it raises ends the work.

    Raises InputError for clicks that mean nothing.
    """
    started = time.perf_counter()
    session = conversation.session
    height, width = session.size
    answer = conversation.answer(question.clicks, check)
    if check is not None:
        check()
    picture = _shown(session, answer, question, painter)
    inside = answer.found > 0.5
    x0, y0, x1, y1 = answer.box
    to_x, to_y = (x1 - x0) / inside.shape[1], (y1 - y0) / inside.shape[0]
    box = bounding_box(inside[None, None])
    numbers = {
        "score": round(answer.score, 4),
        "area": round(float(inside.sum()) * to_x * to_y / (width * height), 5),
        "candidates": 1 + len(answer.readings),
        "candidate": answer.candidate,
        "box": box and [round((x0, y0)[at % 2] + edge * (to_x, to_y)[at % 2]) for at, edge in enumerate(box)],
        "size": [width, height],
        "seconds": round(time.perf_counter() - started, 3),
        "note": answer.note,
    }
    return Reply(_png(picture), numbers)


def _shown(session: Session, answer: Answer, question: Question, painter: Callable[[], Painter]) -> Image.Image:
    """What is wanted of an answer, its longest side `Question.side` at most."""
    side = min(question.side, LARGEST_PLATE) if question.show == "plate" else question.side
    size = _fitted(session.size, side)
    soft = answer.at(size)
    if question.show == "mask":
        return to_image(soft)
    photo = session.at(size)
    found = bool((soft > 0.5).any())
    if question.show == "cutout":
        return to_image(cut_out(photo, soft) if found else torch.cat([photo, torch.zeros_like(photo[:1])]))
    return to_image(remove(photo, soft > 0.5, painter()) if found else photo)


def _fitted(size: tuple[int, int], side: int) -> tuple[int, int]:
    """(H, W) with the longer side at most `side`."""
    ratio = min(1.0, side / max(size))
    return max(1, round(size[0] * ratio)), max(1, round(size[1] * ratio))


def _png(picture: Image.Image) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
