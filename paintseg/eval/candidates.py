"""`python -m paintseg.eval.candidates DIR --only grabcut,davis --stride 5 --json out.json`

What a point may mean, in numbers: IoU with the human mask of the method's own reading of the point, of the candidate
that the label-free score puts first, and of the best candidate as the human mask chooses it. DIR is as in datasets.py.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from ..cli.console import command
from ..config import Config
from ..models import Models, load_models
from ..prompts import point_prompt
from ..tasks.candidates import candidates
from . import study
from .datasets import Instance
from .metrics import marks
from .report import aligned


@dataclass(frozen=True)
class Row:
    """One instance; the lists hold a value per candidate, best first by the score.

    Attributes:
        dataset, stem: the instance.
        ious, boundary_ious: with the human mask, 0..1.
        pieces: of the mask.
        inside, outside: the terms of eq. 6.
        plain: the place of the method's own reading.
        seconds: for all candidates.
    """

    dataset: str
    stem: str
    ious: tuple[float, ...]
    boundary_ious: tuple[float, ...]
    pieces: tuple[int, ...]
    inside: tuple[float, ...]
    outside: tuple[float, ...]
    plain: int
    seconds: float


def make_parser() -> argparse.ArgumentParser:
    parser = study.make_parser("candidates", "Candidates of a point, with human masks.", sets="grabcut,davis")
    parser.add_argument(
        "--point",
        choices=("centroid", "inner"),
        default="centroid",
        help="the object's centroid (default) or its innermost point",
    )
    study.add_machine(parser)
    return parser


def run(options: argparse.Namespace) -> None:

    config, instances = study.chosen(options)
    models = load_models(options.device)
    settings = {"preset": options.preset, "point": options.point, "config": asdict(config)}
    found = (measure(instance, models, config, options.point, options.seed) for instance in instances)

    def line(row: Row) -> str:
        shown = ", ".join(f"{100 * iou:.1f}" for iou in row.ious)
        return f"{row.dataset}/{row.stem}: {shown}; plain is number {row.plain + 1}"

    def document(rows: list[Row]) -> dict[str, object]:
        return {"settings": settings, "instances": [asdict(row) for row in rows]}

    print(table(study.gathered(found, options, line, document)))


def measure(instance: Instance, models: Models, config: Config, point: str = "centroid", seed: int = 0) -> Row:
    """The candidates of one point. Raises InputError for unreadable files."""

    image, truth = instance.image(), instance.mask()
    prompt = point_prompt([instance.centroid if point == "centroid" else instance.inner], truth.shape)
    started = time.perf_counter()
    found = candidates(image, prompt, models.painter, models.encoder, config, seed)
    seconds = time.perf_counter() - started
    marked = [marks(one.result.mask.cpu().numpy(), truth) for one in found]
    return Row(
        dataset=instance.dataset,
        stem=instance.stem,
        ious=tuple(one.iou for one in marked),
        boundary_ious=tuple(one.boundary_iou for one in marked),
        pieces=tuple(one.pieces for one in marked),
        inside=tuple(one.score.inside for one in found),
        outside=tuple(one.score.outside for one in found),
        plain=[one.plain for one in found].index(True),
        seconds=seconds,
    )


def table(rows: list[Row]) -> str:
    """A table for a terminal, mean IoU in percent, a line per set and one for all; Boundary IoU and pieces of plain."""

    lines = []
    for name in [*dict.fromkeys(row.dataset for row in rows), "all"]:
        members = [row for row in rows if name in (row.dataset, "all")]

        def mean(of: Callable[[Row], float], unit: float = 100, members: list[Row] = members) -> str:
            return f"{unit * statistics.fmean(map(of, members)):.1f}"

        lines.append(
            {
                "set": name,
                "n": str(len(members)),
                "plain": mean(lambda row: row.ious[row.plain]),
                "first": mean(lambda row: row.ious[0]),
                "best of": mean(lambda row: max(row.ious)),
                "how many": mean(lambda row: len(row.ious), 1),
                "s": mean(lambda row: row.seconds, 1),
                "boundary": mean(lambda row: row.boundary_ious[row.plain]),
                "pieces": mean(lambda row: row.pieces[row.plain], 1),
            }
        )
    return aligned(lines)


main = command(make_parser, run)

if __name__ == "__main__":
    sys.exit(main())
