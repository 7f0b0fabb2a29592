"""`python -m paintseg.eval.candidates DIR --only grabcut,davis --stride 5 --json out.json`

What a point may mean, in numbers: IoU with the human mask of the method's own reading of the point, of the candidate
that the label-free score puts first, and of the best candidate as the human mask chooses it. DIR is as in datasets.py.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from ..cli.console import guarded, report
from . import study

if TYPE_CHECKING:
    from ..config import Config
    from ..models import Models
    from .datasets import Instance


@dataclass(frozen=True)
class Row:
    """One instance; the lists hold a value per candidate, best first by the score.

    Attributes:
        dataset, stem: the instance.
        ious: with the human mask, 0..1.
        inside, outside: the terms of eq. 6.
        plain: the place of the method's own reading.
        seconds: for all candidates.
    """

    dataset: str
    stem: str
    ious: tuple[float, ...]
    inside: tuple[float, ...]
    outside: tuple[float, ...]
    plain: int
    seconds: float


def main(arguments: list[str] | None = None) -> int:
    """Run the command. Returns 0 done, 1 failed, 2 bad input, 130 interrupted."""
    return guarded(lambda: run(make_parser().parse_args(arguments)))


def make_parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = study.make_parser("candidates", "Candidates of a point, with human masks.", sets="grabcut,davis")
    parser.add_argument("--point", choices=("centroid", "inner"), default="centroid",
                        help="the object's centroid (default) or its innermost point")
    parser.add_argument("--seed", type=int, default=0, help="of the method (default 0)")
    parser.add_argument("--device", default="cpu", help="where the models run: cpu (default) or cuda")
    return parser


def run(options: argparse.Namespace) -> None:
    """Measure, print the table, write the file."""
    from ..files import written
    from ..models import embedded_models

    config, instances = study.chosen(options)
    models, rows = embedded_models(options.device), []
    for instance in instances:
        rows.append(measure(instance, models, config, options.point, options.seed))
        shown = ", ".join(f"{100 * iou:.1f}" for iou in rows[-1].ious)
        if not options.quiet:
            report(f"{len(rows)} {instance.dataset}/{instance.stem}: {shown}; plain is number {rows[-1].plain + 1}")
        if options.json:
            settings = {"preset": options.preset, "point": options.point, "config": asdict(config)}
            with written(options.json) as temporary:
                document = {"settings": settings, "instances": [asdict(row) for row in rows]}
                temporary.write_text(json.dumps(document, indent=1), encoding="utf-8")
    print(table(rows))


def measure(instance: Instance, models: Models, config: Config, point: str = "centroid", seed: int = 0) -> Row:
    """The candidates of one point. Raises InputError for unreadable files."""
    from ..candidates import candidates
    from ..prompts import point_prompt
    from .metrics import intersection_over_union as iou

    image, truth = instance.image(), instance.mask()
    prompt = point_prompt([instance.centroid if point == "centroid" else instance.inner], truth.shape)
    started = time.perf_counter()
    found = candidates(image, prompt, models.painter, models.encoder, config, seed)
    return Row(
        dataset=instance.dataset,
        stem=instance.stem,
        ious=tuple(iou(one.result.mask.cpu().numpy(), truth) for one in found),
        inside=tuple(one.score.inside for one in found),
        outside=tuple(one.score.outside for one in found),
        plain=[one.plain for one in found].index(True),
        seconds=time.perf_counter() - started,
    )


def table(rows: list[Row]) -> str:
    """A table for a terminal, mean IoU in percent, a line per set and one for all."""
    sets = list(dict.fromkeys(row.dataset for row in rows))
    groups = [(name, [row for row in rows if row.dataset == name]) for name in sets] + [("all", rows)]
    lines = [f"{'set':12} {'n':>3} {'plain':>6} {'first':>6} {'best of':>8} {'how many':>9} {'s':>6}"]
    for name, members in groups:
        plain, first, best = (100 * statistics.fmean(values) for values in zip(
            *((row.ious[row.plain], row.ious[0], max(row.ious)) for row in members), strict=True))
        count = statistics.fmean(len(row.ious) for row in members)
        seconds = statistics.fmean(row.seconds for row in members)
        lines.append(f"{name:12} {len(members):3} {plain:6.1f} {first:6.1f} {best:8.1f} {count:9.1f} {seconds:6.1f}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
