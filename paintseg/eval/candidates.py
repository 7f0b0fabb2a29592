"""`python -m paintseg.eval.candidates DIR --only grabcut,davis --stride 5 --json out.json`

What a point may mean, in numbers: IoU with the human mask of the method's own reading of the point, of the candidate
that the label-free score puts first, and of the best candidate as the human mask chooses it. DIR is as in datasets.py.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ..cli.console import command
from ..config import Config
from ..models import Models, load_models
from ..prompts import point_prompt
from ..tasks.candidates import candidates
from . import study
from .datasets import Instance
from .metrics import marks


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

    def line(row: Mapping[str, Any]) -> str:
        shown = ", ".join(f"{100 * iou:.1f}" for iou in row["ious"])
        return f"{row['dataset']}/{row['stem']}: {shown}; plain is number {row['plain'] + 1}"

    print(table(study.gathered(found, options, line, lambda rows: {"settings": settings, "instances": rows})))


def measure(
    instance: Instance, models: Models, config: Config, point: str = "centroid", seed: int = 0
) -> dict[str, Any]:
    """The candidates of one point. Raises InputError for unreadable files.

    Returns lists with a value per candidate, best first by the score: IoU and Boundary IoU with the human mask (0..1),
    pieces, and the terms of eq. 6; beside them the place of the method's own reading, and the seconds for all.
    """

    image, truth = instance.image(), instance.mask()
    prompt = point_prompt([instance.centroid if point == "centroid" else instance.inner], truth.shape)
    started = time.perf_counter()
    found = candidates(image, prompt, models.painter, models.encoder, config, seed)
    seconds = time.perf_counter() - started
    marked = [marks(one.result.mask.cpu().numpy(), truth) for one in found]
    return {
        "dataset": instance.dataset,
        "stem": instance.stem,
        "ious": [one.iou for one in marked],
        "boundary_ious": [one.boundary_iou for one in marked],
        "pieces": [one.pieces for one in marked],
        "inside": [one.score.inside for one in found],
        "outside": [one.score.outside for one in found],
        "plain": [one.plain for one in found].index(True),
        "seconds": seconds,
    }


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """A table for a terminal, mean IoU in percent, a line per set and one for all; Boundary IoU and pieces of plain."""

    columns = [
        {
            "set": row["dataset"],
            "plain": 100 * row["ious"][row["plain"]],
            "first": 100 * row["ious"][0],
            "best of": 100 * max(row["ious"]),
            "how many": len(row["ious"]),
            "s": row["seconds"],
            "boundary": 100 * row["boundary_ious"][row["plain"]],
            "pieces": row["pieces"][row["plain"]],
        }
        for row in rows
    ]
    return study.table(columns, 1)


main = command(make_parser, run)

if __name__ == "__main__":
    sys.exit(main())
