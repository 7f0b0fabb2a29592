"""What the nodes that run the method share: its inputs, what they are made into, and what it has to say."""

from __future__ import annotations

import logging
from typing import NamedTuple

from comfy_api.latest import io

from ..paintseg.amcp.progress import watched
from ..paintseg.config import Config
from ..paintseg.encoders import Encoder
from ..paintseg.painters import Painter
from .convert import config_from
from .managed import embedded_encoder, embedded_painter
from .progress import StepProgress
from .sockets import candidates_input, encoder_input, painter_input, preset_input, seed_input


def method_inputs() -> list[io.Input]:
    """Models, preset, seed and overrides; `Method.of` takes them under the same names."""

    def number(name: str, most: int, tooltip: str) -> io.Input:
        told = f"{tooltip} 0: as many as the preset says."
        return io.Int.Input(name, default=0, min=0, max=most, optional=True, advanced=True, tooltip=told)

    return [
        painter_input("Paints the object's region away (phi, the I-steps). Unwired: the embedded MI-GAN."),
        painter_input("Paints the background away (psi, the O-steps). Unwired: the same as the painter.", "outpainter"),
        encoder_input(),
        preset_input(),
        seed_input(),
        number("steps", 50, "How many steps, alternating between cutting and adding."),
        number("paintings", 32, "How many paintings vote in each step."),
    ]


def layer_inputs() -> list[io.Input]:
    """Of the nodes that take a photo apart; `Method.of` takes all but the candidates."""
    return [painter_input(), encoder_input(), preset_input(), seed_input(), candidates_input(1)]


class Method(NamedTuple):
    """The method as a node's inputs set it up: what the library's functions take after photo and prompt, in order."""

    inpainter: Painter
    encoder: Encoder
    config: Config
    seed: int
    outpainter: Painter

    @classmethod
    def of(
        cls,
        preset: str,
        seed: int,
        painter: Painter | None = None,
        outpainter: Painter | None = None,
        encoder: Encoder | None = None,
        steps: int = 0,
        paintings: int = 0,
    ) -> Method:
        """From `method_inputs`: the embedded models where nothing is wired, one painter where one is."""
        config = config_from(preset, steps=steps, paintings=paintings)
        painter = painter or embedded_painter()
        return cls(painter, encoder or embedded_encoder(), config, seed, outpainter or painter)

    @property
    def one_painter(self) -> tuple[Painter, Encoder, Config, int]:
        """What the library's functions take that paint with one painter, in order."""
        return self[:4]

    def watched(self, images: int, with_plates: bool = False) -> tuple[Method, StepProgress]:
        """The method with one progress bar over so many runs of it, and over the painting of a plate after each."""
        progress = StepProgress(images, self.config.steps, images if with_plates else 0)
        phi, psi = (watched(model, progress.within) for model in (self.inpainter, self.outpainter))
        return self._replace(inpainter=phi, outpainter=psi), progress


def warn(note: str, of: str = "") -> None:
    """A result's note, sentence by sentence, in ComfyUI's log; `of` names which of several objects it is about."""
    for sentence in note.splitlines():
        logging.warning("PaintSeg%s: %s", f", {of}" if of else "", sentence)
