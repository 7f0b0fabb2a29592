"""`python -m paintseg.eval.removal DIR`: how good clean plates are, in numbers.

Objects are taken out by their human masks, so that only the plate is judged:

- found again: IoU of what stands out most in the plate (TokenCut) with the object that was there.
- seam: mean absolute difference of neighbouring pixels across the hole's edge, over that inside the hole.
- statistics: how far means and deviations of the encoder's features in the hole are from those around it,
  beside the same of the photo, where the object still is.
- strangeness: see `paintseg.layers.strangeness`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ..cli.console import Parser, guarded, report
from ..discovery import coarse_mask
from ..encoders import Encoder
from ..errors import InputError
from ..layers import paint_out, strangeness
from ..models import embedded_models
from ..morphology import bounding_box, grow_box
from ..view import resize
from .datasets import Instance, read_manifest

FOUND_AGAIN = 0.1
"""Discovery that overlaps the old mask by less did not find the object."""


@dataclass(frozen=True)
class Measured:
    """One plate; see the module's text."""

    dataset: str
    stem: str
    found_before: float
    found_again: float
    seam: float
    statistics_before: float
    statistics: float
    strangeness: float


def main(arguments: list[str] | None = None) -> int:
    """Run the command. Returns 0 done, 1 failed, 2 bad input, 130 interrupted."""
    return guarded(lambda: run(make_parser().parse_args(arguments)))


def make_parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = Parser(prog="python -m paintseg.eval.removal", description="Plate quality with human masks.")
    parser.add_argument("folder", type=Path, metavar="DIR", help="holds manifest.csv, photos and human masks")
    parser.add_argument("--count", type=int, default=40, help="photos, spread over all sets (default 40)")
    parser.add_argument("--candidates", type=int, default=3, help="paintings of each hole (default 3)")
    parser.add_argument("--shadow", action="store_true", help="take shadows out as well")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser


def run(options: argparse.Namespace) -> None:
    """Measure, print, write."""
    if options.count < 1:
        raise InputError(f"--count must be at least 1, not {options.count}")
    models = embedded_models(options.device)
    rows = []
    for instance in spread(read_manifest(options.folder), options.count):
        image, mask = instance.image(), torch.from_numpy(instance.mask() >= 128)
        done = paint_out(image, mask, models.painter, options.seed, None, options.candidates, options.shadow,
                         models.encoder)
        rows.append(measure(instance, image, mask, done.plate, done.hole, models.encoder))
        report(f"{len(rows)} {instance.dataset}/{instance.stem}: found again {rows[-1].found_again:.2f}, "
               f"seam {rows[-1].seam:.2f}")
    summary = summarise(rows)
    print("\n".join(f"{name}: {value:.3f}" for name, value in summary.items()))
    if options.json:
        document = {"summary": summary, "plates": [asdict(row) for row in rows]}
        options.json.write_text(json.dumps(document, indent=1), encoding="utf-8")


def measure(instance: Instance, image: Tensor, mask: Tensor, plate: Tensor, hole: Tensor,
            encoder: Encoder) -> Measured:
    """All measures of one plate: image and plate 3 x H x W, mask and hole H x W bool."""
    return Measured(
        instance.dataset,
        instance.stem,
        discovered(image, mask, encoder),
        discovered(plate, mask, encoder),
        seam_ratio(plate, hole),
        statistics_distance(image, hole, encoder),
        statistics_distance(plate, hole, encoder),
        strangeness(plate, hole, encoder),
    )


def discovered(image: Tensor, mask: Tensor, encoder: Encoder) -> float:
    """IoU of what stands out in an image with a mask; 0 when nothing stands out."""
    try:
        found = coarse_mask(image, encoder) > 0.5
    except InputError:
        return 0.0
    return float((found & mask).sum() / (found | mask).sum())


def seam_ratio(plate: Tensor, hole: Tensor) -> float:
    """Mean absolute step across the hole's edge over the mean absolute step inside the hole, 1 without a
    seam.

    Args:
        plate: 3 x H x W. hole: H x W bool.
    """
    across, inside = [], []
    for dim in (0, 1):
        length = hole.shape[dim] - 1
        step = plate.diff(dim=dim + 1).abs().mean(0)
        first, second = hole.narrow(dim, 0, length), hole.narrow(dim, 1, length)
        across.append(step[first ^ second])
        inside.append(step[first & second])
    return float(torch.cat(across).mean() / torch.cat(inside).mean().clamp_min(1e-6))


def statistics_distance(image: Tensor, hole: Tensor, encoder: Encoder) -> float:
    """Distance of mean and deviation of the features in the hole from those around it; 0 for equal ones.

    Args:
        image: 3 x H x W. hole: H x W bool.
    """
    x0, y0, x1, y1 = grow_box(bounding_box(hole[None, None]), 2.0, tuple(hole.shape))
    ratio, stride = 448 / max(x1 - x0, y1 - y0), encoder.stride
    grid = tuple(max(1, round(side * ratio / stride)) for side in (y1 - y0, x1 - x0))
    shown = resize(image[None, :, y0:y1, x0:x1], tuple(side * stride for side in grid))
    tokens = F.normalize(encoder.encode(shown), dim=1)[0].flatten(1)
    covered = F.adaptive_avg_pool2d(hole[None, None, y0:y1, x0:x1].float(), grid).flatten()
    inside, around = tokens[:, covered > 0.5], tokens[:, covered == 0]
    if inside.shape[1] < 2 or around.shape[1] < 2:
        return 0.0
    return float((inside.mean(1) - around.mean(1)).norm() + (inside.std(1) - around.std(1)).norm())


def spread(instances: Sequence[Instance], count: int) -> list[Instance]:
    """`count` instances, as many of every set as of any other, evenly over each set."""
    sets = list(dict.fromkeys(instance.dataset for instance in instances))
    chosen = []
    for index, name in enumerate(sets):
        members = [instance for instance in instances if instance.dataset == name]
        wanted = min(len(members), count // len(sets) + (index < count % len(sets)))
        chosen += [members[i * len(members) // wanted] for i in range(wanted)]
    return chosen


def summarise(rows: Sequence[Measured]) -> dict[str, float]:
    """Counts and means over all plates."""
    def mean(name: str) -> float:
        return sum(getattr(row, name) for row in rows) / len(rows)

    return {
        "plates": float(len(rows)),
        "object found before": float(sum(row.found_before >= FOUND_AGAIN for row in rows)),
        "object not found again": float(sum(row.found_again < FOUND_AGAIN for row in rows)),
        "IoU of discovery before": mean("found_before"),
        "IoU of discovery after": mean("found_again"),
        "seam, mean": mean("seam"),
        "seam, median": sorted(row.seam for row in rows)[len(rows) // 2],
        "seam within 10 %": float(sum(abs(row.seam - 1) <= 0.1 for row in rows)),
        "statistics before": mean("statistics_before"),
        "statistics after": mean("statistics"),
        "strangeness": mean("strangeness"),
    }


if __name__ == "__main__":
    sys.exit(main())
