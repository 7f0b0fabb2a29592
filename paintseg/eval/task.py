"""What is measured: one method with one kind of prompt and its parameters."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from ..config import Config, preset
from ..errors import InputError
from ..prompts import Prompt
from ..weights import sha256_of
from .prompting import KINDS, SIDES

Method = Callable[[Tensor, Prompt], np.ndarray]
"""(photo 3 x H x W in [0, 1], prompt) -> mask H x W bool. Raises InputError when it finds nothing."""

EMBEDDED = ("embedded", "embedded-half")
CLICKS = "clicks"
"""The prompt that is no prompt but a conversation, see clicks.py."""

PROMPTS = (*KINDS, CLICKS)
MOST_TILES = 8
OURS = ("paintseg", "answer")
"""The whole method, and what a `Session` answers without painting."""
METHODS = (*OURS, "box", "opencv-grabcut", "random-walker", "tokencut")

_PACKAGE = Path(__file__).resolve().parents[1]
_NO_RESULT = {
    "": {"visualize"},
    "io": {"inputs", "ledger", "listing", "packages", "photos"},
    "tasks": {"batch", "ray_cluster"},
    "eval": {"__main__", "ablations", "command", "crossval", "gallery", "records", "report", "study"},
}
"""Modules, by their rooms, that no result depends on, beside all of cli and layers."""


@dataclass(frozen=True)
class Task:
    """One row of a table, for all sets.

    Attributes:
        method: one of `METHODS`.
        prompt: one of `PROMPTS`.
        preset: of our own methods, with `changes` to single parameters.
        noise: percent, see `prompting.make_prompt`.
        seed: of the method and of the noise.
        encoder: "embedded", "embedded-half", or NAME=FILE: a name of timm's and its safetensors.
        painter: "embedded", or names of `methods.PAINTERS`: one for both kinds of step, or PHI,PSI.
        iterations: of the samplers of other painters than the embedded one.
        variant: what an ablation calls it, else empty.
        mosaic: tiles along each side of the mosaic that the photo is part of; 1 is the photo alone.
        clicks: at most, with the prompt "clicks".
        stop: IoU in percent at which clicking ends.
    """

    method: str = "paintseg"
    prompt: str = "box"
    preset: str = "balanced"
    changes: tuple[tuple[str, object], ...] = ()
    noise: float = 0.0
    seed: int = 0
    encoder: str = "embedded"
    painter: str = "embedded"
    iterations: int = 50
    variant: str = ""
    mosaic: int = 1
    clicks: int = 20
    stop: float = 100.0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise InputError(f"the method must be one of {', '.join(METHODS)}, not {self.method!r}")
        if self.prompt not in PROMPTS:
            raise InputError(f"the prompt must be one of {', '.join(PROMPTS)}, not {self.prompt!r}")
        if self.method == "box" and self.prompt not in (*SIDES, "mask", "auto"):
            raise InputError(f"the method box fills an extent, which the prompt {self.prompt} has not")
        if not 0 <= self.noise <= 100:
            raise InputError(f"the noise must be 0 to 100 percent, not {self.noise:g}")
        if self.noise and self.prompt == CLICKS:
            raise InputError("noise moves one prompt and clicks answer each other; leave out --noise or clicks")
        if not 1 <= self.mosaic <= MOST_TILES:
            raise InputError(f"the mosaic must have 1 to {MOST_TILES} tiles along a side, not {self.mosaic}")
        if self.clicks < 1:
            raise InputError(f"there must be at least 1 click, not {self.clicks}")
        if not 0 < self.stop <= 100:
            raise InputError(f"clicking must stop at an IoU above 0 and up to 100 percent, not {self.stop:g}")
        if not 0 <= self.seed < 2**63:
            raise InputError(f"the seed must be a whole number from 0 to {2**63 - 1}, not {self.seed}")
        if self.encoder not in EMBEDDED and not all(self.encoder.partition("=")[::2]):
            raise InputError(f"the encoder must be embedded, embedded-half or NAME=FILE, not {self.encoder!r}")
        if not 1 <= len(self.painters) <= 2 or not all(self.painters):
            raise InputError(f"the painter must be embedded, one painter or PHI,PSI, not {self.painter!r}")
        if self.iterations < 1:
            raise InputError(f"a sampler takes at least 1 iteration, not {self.iterations}")
        _ = self.config  # its mistakes are reported now

    @property
    def config(self) -> Config:
        """The parameters of our own methods."""
        return preset(self.preset, **dict(self.changes))

    @property
    def painters(self) -> tuple[str, ...]:
        """phi, and psi where it is another one."""
        return tuple(self.painter.split(","))

    @property
    def shown_preset(self) -> str:
        """The preset, empty for peers, which have none."""
        return self.preset if self.method in OURS else ""

    @property
    def shown_prompt(self) -> str:
        """The prompt, and the mosaic it is in."""
        return self.prompt if self.mosaic == 1 else f"{self.prompt} in {self.mosaic} x {self.mosaic}"

    @property
    def settings(self) -> dict[str, Any]:
        """All that decides the result, as plain values."""
        plain: dict[str, Any] = {
            "method": self.method,
            "prompt": self.prompt,
            "noise": self.noise,
            "seed": self.seed,
            "mosaic": self.mosaic,
        }
        if self.prompt == CLICKS:
            plain |= {"clicks": self.clicks, "stop": self.stop}
        if self.method in OURS:
            plain |= {"preset": self.preset, "encoder": self._encoder(), "config": asdict(self.config)}
            if self.painter != "embedded":
                plain |= {"painter": [painter_files(one) for one in self.painters], "iterations": self.iterations}
        elif self.method == "tokencut" or self.prompt == "auto":
            plain["encoder"] = self._encoder()
        return plain

    def _encoder(self) -> str:
        """The encoder by what is in its file; by the file's name when there is none, which is refused later."""
        name, _, file = self.encoder.partition("=")
        path = Path(file)
        return f"{name}={sha256_of(path)}" if file and path.is_file() else self.encoder

    def key(self) -> str:
        """Twelve hexadecimal digits that change with anything but the photos that the result depends on."""
        names = {name: value for name, value in self.settings.items() if name != "preset"}
        return hashlib.sha256(json.dumps([names, source_hash()], sort_keys=True, default=str).encode()).hexdigest()[:12]

    def changed(self, **changes: object) -> Task:
        """The same task with parameters of the method changed."""
        return replace(self, changes=tuple((dict(self.changes) | changes).items()))


def painter_files(name: str) -> list[object]:
    """A painter by its file's or its folder's names and sizes: hashes of gigabytes would take longer than a photo."""
    path = Path(name)
    files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path] * path.is_file()
    return [path.name, *([one.relative_to(path).as_posix(), one.stat().st_size] for one in files)]


def source_hash(package: Path = _PACKAGE) -> str:
    """A hash of the sources that results depend on: what an older version found is measured again."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        room = name.rpartition("/")[0]
        if room not in ("cli", "layers") and path.stem not in _NO_RESULT.get(room, ()):
            digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
