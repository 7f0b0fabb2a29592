"""`POST /paintseg/answer`: what the editor on PaintSeg Click asks. paintseg/tasks/live.py has the answers.

The work is done in one thread beside ComfyUI's: never in its event loop, never with its model loading, its progress
bar or its flag of interruption, which belong to the graph that runs.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import comfy.model_management
import folder_paths
import torch
from aiohttp import web
from PIL import Image

from ..paintseg.encoders import Encoder
from ..paintseg.encoders.dino import load_dinov2_small
from ..paintseg.errors import InputError
from ..paintseg.ops.memory import SHORTAGE, is_shortage
from ..paintseg.ops.precision import takes_half
from ..paintseg.segmentation import Session
from ..paintseg.tasks.live import (
    LARGEST_BODY,
    Conversations,
    Picture,
    Question,
    Reply,
    quick_painter,
    read_question,
    respond,
)
from ..paintseg.tasks.turns import Superseded, Turns
from .convert import photos_from
from .managed import FEATURES, embedded_encoder

if TYPE_CHECKING:
    from server import PromptServer

MAX_PIXELS = 2**26
"""Largest photo that is answered for, 67 million pixels."""

PATIENCE = 45.0
"""Seconds that an answer waits for a graph to end that runs on the processor; front ends give up after 60."""

SPARE = 2**30
"""Bytes of memory that must be free before a photo is kept beside others."""

_CONVERSATIONS = Conversations()


class Refused(Exception):
    """A request that is not answered: its status, and why in one sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def add_routes(server: PromptServer) -> None:
    """Register the route; called while ComfyUI loads the pack, before it collects the routes."""
    turns = Turns()

    @server.routes.post("/paintseg/answer")
    async def answer(request: web.Request) -> web.Response:
        try:
            check_origin(request)
            question = read_question(await _body(request))
            path = locate(question.picture)
            until = time.monotonic() + PATIENCE
            reply = await asyncio.wrap_future(
                turns.take(question.client, lambda check: _work(server, question, path, check, until))
            )
        except Superseded:
            return _refusal(409, "superseded")
        except Refused as refused:
            return _refusal(refused.status, str(refused))
        except InputError as problem:
            return _refusal(400, str(problem))
        except Exception as problem:
            if is_shortage(problem):
                give_back()
                return _refusal(503, SHORTAGE)
            logging.exception("PaintSeg could not answer the editor")
            return _refusal(500, "PaintSeg could not answer; ComfyUI's log tells why")
        numbers = json.dumps(reply.numbers)  # ASCII, as a header must be
        return web.Response(body=reply.png, content_type="image/png", headers={"X-PaintSeg": numbers})

    async def after(request: web.Request, _: web.StreamResponse) -> None:
        if request.path.removeprefix("/api") == "/free" and request.method == "POST":
            give_back()

    server.app.on_response_prepare.append(after)


def give_back() -> None:
    """Forget all photos and features; what is asked next is worked out anew."""
    _CONVERSATIONS.clear()
    FEATURES.clear()


def check_origin(request: web.Request) -> None:
    """Refuse what another site's page sends, which a browser lets through to this machine. Raises Refused.

    A browser says itself when a request is the page's own. Where it is too old for that, Origin must name the host that
    the request was sent to. Programs that are no browser say neither.
    """
    if request.content_type != "application/json":
        raise Refused(415, f"the request must be of the content type application/json, not {request.content_type}")
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site == "same-origin":
        return
    if site == "cross-site" or (origin is not None and urlsplit(origin).netloc != request.host):
        raise Refused(403, "PaintSeg answers pages of this ComfyUI only, not those of other sites")


def locate(picture: Picture) -> Path:
    """The file of a picture of ComfyUI's. Raises Refused for what is none of them or lies elsewhere."""
    base = folder_paths.get_directory_by_type(picture.type)
    name = os.path.normpath(os.path.join(picture.subfolder, picture.filename)) if base else ""
    elsewhere = Refused(403, f"the picture must lie in ComfyUI's folder {picture.type}")
    if not base or "\0" in name or os.path.isabs(name) or os.path.splitdrive(name)[0] or name.startswith(("/", "\\")):
        raise elsewhere
    if ".." in name.replace("\\", "/").split("/"):
        raise elsewhere
    home = os.path.realpath(base)
    path = os.path.realpath(os.path.join(home, name))
    try:
        inside = os.path.commonpath([home, path]) == home
    except ValueError:  # on another drive
        inside = False
    if not inside:
        raise elsewhere
    if not os.path.isfile(path):
        raise Refused(404, f"there is no picture {picture.filename} in ComfyUI's folder {picture.type}")
    return Path(path)


async def _body(request: web.Request) -> bytes:
    """The body, of which no more is read than is allowed. Raises InputError for a longer one."""
    body = b""
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > LARGEST_BODY:
            break
    return body


def is_busy(server: PromptServer) -> bool:
    """Whether a graph runs on the processor, which answers would take from it.

    Measured on two cores: a graph beside a stream of clicks took 1.7 times as long, and 1.5 times when they had the
    lowest priority, for then whoever has the least to do holds Python's lock the longest. So answers wait.
    """
    running, _ = server.prompt_queue.get_current_queue_volatile()
    return bool(running) and comfy.model_management.get_torch_device().type == "cpu"


def _work(server: PromptServer, question: Question, path: Path, check: Callable[[], None], until: float) -> Reply:
    def give_way() -> None:
        """Wait while a graph runs, also between the stages of an answer that was begun before the graph."""
        check()
        while is_busy(server):
            if time.monotonic() > until:
                raise Refused(503, "a graph is running on the processor: the answer must wait until it is done")
            time.sleep(0.05)
            check()

    give_way()
    with torch.inference_mode():
        status = path.stat()
        key = str(path), status.st_mtime_ns, status.st_size
        conversation = _CONVERSATIONS.get(key, lambda: _session(path, question.picture))
        return respond(conversation, question, quick_painter, give_way)


def _session(path: Path, picture: Picture) -> Session:
    """A session on a picture; the photos before it are given up where memory is scarce."""
    if comfy.model_management.get_free_memory(torch.device("cpu")) < SPARE:
        give_back()
    return Session(load(path, picture), _encoder(), cache=FEATURES)


def load(path: Path, picture: Picture) -> torch.Tensor:
    """3 x H x W in [0, 1], the same pixels as ComfyUI's Load Image gives. Raises InputError for what is no picture."""
    try:
        with Image.open(path) as opened:
            width, height = opened.size
    except Exception as problem:  # Pillow's plugins report broken files with nearly every type there is
        raise InputError(f"{picture.filename} cannot be read as a picture") from problem
    if width * height > MAX_PIXELS:
        raise InputError(
            f"{picture.filename} has {width} x {height} pixels, more than {MAX_PIXELS // 10**6} million; "
            "make it smaller"
        )
    name = os.path.join(picture.subfolder, picture.filename)
    try:
        image = import_module("nodes").LoadImage().load_image(f"{name} [{picture.type}]")[0]  # ComfyUI's nodes
    except Exception as problem:
        raise InputError(f"{picture.filename} cannot be read as a picture") from problem
    return photos_from(image[:1])[0]


@cache
def _encoder() -> Encoder:
    """The embedded encoder on the CPU, out of ComfyUI's hands: its own copy where ComfyUI may move the other away.

    The copy computes in bfloat16 where that is faster: its answers are for the moment. What the other one has seen the
    nodes use too, and a run's results must not depend on what was clicked before.
    """
    managed = embedded_encoder()
    if managed.device.type == "cpu":
        return managed.inner
    own = load_dinov2_small()
    if takes_half("auto", "cpu"):
        own.module.bfloat16()
    return own


def _refusal(status: int, sentence: str) -> web.Response:
    return web.json_response({"error": sentence}, status=status)
