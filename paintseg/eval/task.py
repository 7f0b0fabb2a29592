"""What is measured: one method with one kind of prompt and its parameters."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..config import Config, preset
from ..errors import InputError
from .prompting import KINDS, PromptKind

EMBEDDED = ("embedded", "embedded-half")
METHODS = ("paintseg", "box", "opencv-grabcut", "random-walker", "tokencut")

_PACKAGE = Path(__file__).resolve().parents[1]
_NO_RESULT = ("cli", "layers", "parsing.py", "visualize.py", "profiling.py", "engines.py", "batch.py", "listing.py",
              "eval/__main__.py", "eval/gallery.py", "eval/report.py", "eval/records.py", "eval/ablations.py",
              "eval/drift.py")


@dataclass(frozen=True)
class Task:
    """One row of a table, for all sets.

    Attributes:
        method: one of `METHODS`.
        prompt: one of `prompting.KINDS`.
        preset: of the method "paintseg", with `changes` to single parameters.
        noise: percent, see `prompting.make_prompt`.
        seed: of the method and of the noise.
        encoder: "embedded", "embedded-half", or NAME=FILE: a name of timm's and its safetensors.
        variant: what an ablation calls it, else empty.
    """

    method: str = "paintseg"
    prompt: PromptKind = "box"
    preset: str = "balanced"
    changes: tuple[tuple[str, object], ...] = ()
    noise: float = 0.0
    seed: int = 0
    encoder: str = "embedded"
    variant: str = ""

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise InputError(f"the method must be one of {', '.join(METHODS)}, not {self.method!r}")
        if self.prompt not in KINDS:
            raise InputError(f"the prompt must be one of {', '.join(KINDS)}, not {self.prompt!r}")
        if self.method == "box" and self.prompt not in ("box", "mask", "auto"):
            raise InputError(f"the method box fills an extent, which the prompt {self.prompt} has not")
        if not 0 <= self.noise <= 100:
            raise InputError(f"the noise must be 0 to 100 percent, not {self.noise:g}")
        if not 0 <= self.seed < 2**63:
            raise InputError(f"the seed must be a whole number from 0 to {2**63 - 1}, not {self.seed}")
        if self.encoder not in EMBEDDED and not all(self.encoder.partition("=")[::2]):
            raise InputError(f"the encoder must be embedded, embedded-half or NAME=FILE, not {self.encoder!r}")
        _ = self.config  # its mistakes are reported now

    @property
    def config(self) -> Config:
        """The parameters of the method "paintseg"."""
        return preset(self.preset, **dict(self.changes))

    @property
    def shown_preset(self) -> str:
        """The preset, empty for peers, which have none."""
        return self.preset if self.method == "paintseg" else ""

    @property
    def settings(self) -> dict[str, Any]:
        """All that decides the result, as plain values."""
        plain: dict[str, Any] = {"method": self.method, "prompt": self.prompt, "noise": self.noise,
                                 "seed": self.seed}
        if self.method == "paintseg":
            plain |= {"preset": self.preset, "encoder": self.encoder, "config": asdict(self.config)}
        elif self.method == "tokencut" or self.prompt == "auto":
            plain["encoder"] = self.encoder
        return plain

    def key(self, photos: str) -> str:
        """Twelve hexadecimal digits that change with anything the result depends on.

        Args:
            photos: what identifies the photos.
        """
        names = {name: value for name, value in self.settings.items() if name != "preset"}
        return _digest(json.dumps([names, photos, source_hash()], sort_keys=True, default=str))[:12]

    def changed(self, **changes: object) -> Task:
        """The same task with parameters of the method changed."""
        return replace(self, changes=tuple((dict(self.changes) | changes).items()))


def source_hash(package: Path = _PACKAGE) -> str:
    """A hash of the sources that results depend on: what an older version found is measured again."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        if not any(name == left_out or name.startswith(f"{left_out}/") for left_out in _NO_RESULT):
            digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
