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
import json
import statistics
import sys
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from ..cli.console import Parser, guarded, report
from ..errors import InputError

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
    return guarded(lambda: run(make_parser().parse_args(arguments)))


def make_parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = Parser(prog="python -m paintseg.eval.drift",
                    description="Contrast against the photo or against the autoencoder's round trip of it.")
    parser.add_argument("folder", type=Path, metavar="DIR", help="holds manifest.csv, photos and human masks")
    parser.add_argument("--only", default="grabcut,ecssd", metavar="SETS", help="sets (default grabcut,ecssd)")
    parser.add_argument("--stride", type=int, default=1, metavar="K", help="of every set every K-th object")
    parser.add_argument("--limit", type=int, metavar="N", help="of every set only N objects")
    parser.add_argument("--preset", default="balanced", help="fast, balanced (default), best or paper")
    parser.add_argument("--set", action="append", default=[], dest="options", metavar="NAME=VALUE",
                        help="change one parameter of the preset (repeat it for more)")
    parser.add_argument("--quality", type=int, default=10, help="of the JPEG, 1 to 95 (default 10)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the results, one object per photo")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress")
    return parser


def run(options: argparse.Namespace) -> None:
    """Measure, print the table, write the file."""
    from ..config import preset
    from ..files import check_folder, written
    from ..models import embedded_models
    from ..options import parse_options
    from .datasets import read_manifest

    if not 1 <= options.quality <= 95:
        raise InputError(f"--quality must be 1 to 95, not {options.quality}")
    if options.stride < 1 or (options.limit is not None and options.limit < 1):
        raise InputError("--stride and --limit must be at least 1")
    if options.json:
        check_folder(options.json, "--json")
    config = preset(options.preset, **parse_options(options.options))
    models, rows = embedded_models(), []
    for name in options.only.split(","):
        for instance in read_manifest(options.folder, (name,))[:: options.stride][: options.limit]:
            found = measure(instance, models, config, options.quality)
            rows.append({"set": name, "stem": instance.stem, **found})
            if not options.quiet:
                report(f"{name} {instance.stem} " + " ".join(f"{100 * value:.1f}" for value in found.values()))
    if options.json:
        with written(options.json) as temporary:
            settings = {"preset": options.preset, "config": asdict(config), "quality": options.quality}
            temporary.write_text(json.dumps({"settings": settings, "rows": rows}, indent=2) + "\n", encoding="utf-8")
    print(table(rows))


def table(rows: list[dict[str, object]]) -> str:
    """Mean IoU in percent, a line per set and one of all, for a terminal."""
    lines = [f"{'set':12} {'n':>4}" + "".join(f" {name:>11}" for name in VARIANTS)]
    for name in [*dict.fromkeys(row["set"] for row in rows), "all"]:
        chosen = [row for row in rows if name in (row["set"], "all")]
        lines.append(f"{name:12} {len(chosen):4}" + "".join(
            f" {100 * statistics.fmean(row[variant] for row in chosen):11.1f}" for variant in VARIANTS))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
