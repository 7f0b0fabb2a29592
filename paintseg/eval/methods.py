"""The methods side by side: ours, and those everybody has for free."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from ..errors import InputError
from ..prompts import Prompt
from .task import EMBEDDED, Task

if TYPE_CHECKING:
    from ..models import Models

Method = Callable[[Tensor, Prompt], np.ndarray]
"""(photo 3 x H x W in [0, 1], prompt) -> H x W bool. Raises InputError when it finds nothing."""


def make_method(task: Task, device: str = "cpu") -> Method:
    """The method of a task. Raises InputError when it cannot be had here."""
    if task.method == "paintseg":
        return _paintseg(task, device)
    from . import peers

    if task.method == "tokencut":
        return peers.tokencut(load_models(device, task.encoder).encoder)
    return {"box": peers.filled_box, "opencv-grabcut": peers.opencv_grabcut,
            "random-walker": peers.random_walker}[task.method]()


@lru_cache(maxsize=4)
def load_models(device: str, encoder: str = "embedded") -> Models:
    """The embedded models, in bfloat16 ("embedded-half"), or the embedded painter and an encoder NAME=FILE; loaded once
    per process."""
    from dataclasses import replace
    from pathlib import Path

    from ..models import embedded_models

    if encoder in EMBEDDED:
        return embedded_models(device, half=encoder != "embedded")
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from ..encoders.dino import DINOEncoder

    name, _, file = encoder.partition("=")
    if not Path(file).is_file():
        raise InputError(f"there is no file {file} with the weights of {name}")
    try:
        return replace(load_models(device), encoder=DINOEncoder(name, load_file(file), device))
    except SafetensorError as error:
        raise InputError(f"{file} cannot be read as safetensors: {error}") from error


def _paintseg(task: Task, device: str) -> Method:
    from ..segment import segment

    models = load_models(device, task.encoder)

    def method(image: Tensor, prompt: Prompt) -> np.ndarray:
        found = segment(image, prompt, models.painter, models.encoder, task.config, task.seed)
        return found.mask.cpu().numpy()

    return method
