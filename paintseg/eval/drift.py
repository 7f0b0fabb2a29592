"""`python -m paintseg.eval.drift DIR --json out.json`: what a latent painter's autoencoder costs, and what cures it.

A latent painter's every pixel has gone through its autoencoder, which changes the photo where nothing was painted.
Three contrasts are compared on the same paintings of the embedded painter:

    pasted      paintings whose holes went through a codec, pasted into the photo, against the photo
    round trip  the same paintings against the photo whose hole went through the same codec (what `amcp.step` does
                with painters that have a method `round_trip`)
    no codec    the paintings themselves against the photo: what is lost at most

Without an autoencoder's weights a JPEG of low quality stands in for one: blocks of 8 pixels, as Stable Diffusion's,
and at quality 10 about as far from the photo (its autoencoder is published with a PSNR of 23 to 25 dB).
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from ..cli.console import guarded
from ..errors import InputError
from . import study

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ..config import Config
    from ..models import Models
    from ..painters import Painter
    from .datasets import Instance

VARIANTS = ("no codec", "pasted", "round trip")


@dataclass(frozen=True)
class CodedPainter:
    """A painter whose paintings have gone through a JPEG codec.

    Attributes:
        painter: makes them.
        quality: of the codec, 1 to 95.
        known: whether the codec's round trip of the photo can be had, as of painters with an autoencoder.
    """

    painter: Painter
    quality: int
    known: bool

    @property
    def name(self) -> str:
        return f"{self.painter.name} through JPEG {self.quality}"

    @property
    def multiple(self) -> int:
        return self.painter.multiple

    @property
    def stochastic(self) -> bool:
        return self.painter.stochastic

    @property
    def size(self) -> int:
        return self.painter.size

    def paint(self, image: Tensor, hole: Tensor, count: int = 1, generator: torch.Generator | None = None) -> Tensor:
        """See `Painter.paint`."""
        import torch

        from ..painters import keep_outside

        painted = self.painter.paint(image, hole, count, generator)
        return keep_outside(image, hole, torch.stack([coded(one, self.quality) for one in painted]))

    def round_trip(self, image: Tensor) -> Tensor | None:
        """The image through the codec; None when that is not known."""
        return coded(image, self.quality) if self.known else None


def coded(image: Tensor, quality: int) -> Tensor:
    """An image 3 x H x W in [0, 1] as a JPEG of that quality gives it back."""
    import numpy as np
    import torch
    from PIL import Image

    pixels = (image.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
    with BytesIO() as memory:
        Image.fromarray(pixels).save(memory, "JPEG", quality=quality)
        again = np.asarray(Image.open(memory).convert("RGB"))
    return torch.from_numpy(again.copy()).permute(2, 0, 1).to(image) / 255


def painters(painter: Painter, quality: int) -> dict[str, Painter]:
    """The painter of every variant."""
    return {"no codec": painter, "pasted": CodedPainter(painter, quality, known=False),
            "round trip": CodedPainter(painter, quality, known=True)}


def measure(instance: Instance, models: Models, config: Config, quality: int, seed: int = 0) -> dict[str, float]:
    """IoU in 0..1 of every variant on one object, from its box. Raises InputError for unreadable files."""
    from ..prompts import Prompt
    from ..segment import segment
    from .metrics import intersection_over_union

    truth, image = instance.mask(), instance.image()
    prompt = Prompt(size=tuple(image.shape[1:]), box=instance.box)
    return {name: intersection_over_union(
                segment(image, prompt, painter, models.encoder, config, seed).mask.cpu().numpy(), truth)
            for name, painter in painters(models.painter, quality).items()}


def main(arguments: list[str] | None = None) -> int:
    """Run the command. Returns 0 done, 1 failed, 2 bad input, 130 interrupted."""
    return guarded(lambda: run(_parser().parse_args(arguments)))


def run(options: argparse.Namespace) -> None:
    """Measure, print the table, write the file."""
    if not 1 <= options.quality <= 95:
        raise InputError(f"--quality must be 1 to 95, not {options.quality}")
    quality = options.quality
    study.run(options, VARIANTS, lambda *given: measure(*given, quality), quality=quality)


def _parser() -> argparse.ArgumentParser:
    parser = study.make_parser("drift", "Contrast against the photo or against the autoencoder's round trip of it.",
                               "grabcut,ecssd")
    parser.add_argument("--quality", type=int, default=10, help="of the JPEG, 1 to 95 (default 10)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
