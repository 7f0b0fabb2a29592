"""The methods side by side: ours, and those everybody has for free."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from torch import Tensor

from ..encoders.dino import DINOEncoder
from ..errors import InputError
from ..models import Models, load_models
from ..painters import Painter
from ..prompts import Prompt
from ..segmentation import Session, segment
from ..weights import tensors_of
from . import peers
from .task import EMBEDDED, Method, Task


def make_method(task: Task, device: str = "cpu") -> Method:
    """The method of a task. Raises InputError when it does not run here."""
    if task.method == "paintseg":
        return _paintseg(task, device)
    if task.method == "answer":
        return _answer(task, device)
    if task.method == "tokencut":
        return peers.tokencut(cached_models(device, task.encoder).encoder)
    return {"box": peers.filled_box, "opencv-grabcut": peers.opencv_grabcut, "random-walker": peers.random_walker}[
        task.method
    ]()


@lru_cache(maxsize=4)
def cached_models(device: str, encoder: str = "embedded") -> Models:
    """The embedded models, in bfloat16 ("embedded-half"), or the embedded painter and an encoder NAME=FILE; loaded once
    per process."""
    if encoder in EMBEDDED:
        return load_models(device, half=encoder != "embedded")

    name, _, file = encoder.partition("=")
    if not Path(file).is_file():
        raise InputError(f"there is no file {file} with the weights of {name}")
    return replace(cached_models(device), encoder=DINOEncoder(name, tensors_of(Path(file)), device))


PAINTERS: dict[str, Callable[[int, str], Painter]] = {"embedded": lambda _, device: cached_models(device).painter}
"""Painters by the name that tasks have for them, made of a number of iterations and a device. Who measures with another
one adds it, as scripts/examples/reproduce_paper.py does; a file, by its path."""


@lru_cache(maxsize=4)
def cached_painter(name: str, iterations: int, device: str) -> Painter:
    """A painter of `PAINTERS`, made once per process. Raises InputError for another name."""
    if name not in PAINTERS:
        raise InputError(f"there is no painter {name!r}; there are {', '.join(PAINTERS)}")
    return PAINTERS[name](iterations, device)


def _paintseg(task: Task, device: str) -> Method:
    models = cached_models(device, task.encoder)
    painters = [cached_painter(name, task.iterations, device) for name in task.painters]

    def method(image: Tensor, prompt: Prompt) -> np.ndarray:
        found = segment(image, prompt, painters[0], models.encoder, task.config, task.seed, painters[-1])
        return found.mask.cpu().numpy()

    return method


def _answer(task: Task, device: str) -> Method:
    encoder = cached_models(device, task.encoder).encoder

    @lru_cache(maxsize=1)  # all clicks of a conversation are on one photo
    def session(image: Tensor) -> Session:
        return Session(image, encoder, task.config)

    return lambda image, prompt: (session(image).answer(prompt).soft > 0.5).cpu().numpy()
