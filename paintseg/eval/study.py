"""What studies share: variants of the method on the same objects, side by side in one table."""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ..cli.console import Parser, report
from ..errors import InputError

if TYPE_CHECKING:
    from ..config import Config
    from ..models import Models
    from .datasets import Instance

Measure = Callable[["Instance", "Models", "Config"], Mapping[str, float]]
"""One object, the models, the parameters: IoU in 0..1 of every variant."""

SETS = "grabcut,berkeley,davis,ecssd,coco_mval"


def make_parser(module: str, description: str, sets: str = SETS) -> argparse.ArgumentParser:
    """The arguments every study takes.

    Args:
        module: its name in `paintseg.eval`.
        description: for --help.
        sets: measured unless --only says otherwise, with commas.
    """
    parser = Parser(prog=f"python -m paintseg.eval.{module}", description=description)
    parser.add_argument("folder", type=Path, metavar="DIR", help="holds manifest.csv, photos and human masks")
    parser.add_argument("--only", default=sets, metavar="SETS", help=f"sets, with commas (default {sets})")
    parser.add_argument("--stride", type=int, default=1, metavar="K", help="of every set every K-th object")
    parser.add_argument("--limit", type=int, metavar="N", help="of every set only N objects")
    parser.add_argument("--preset", default="balanced", help="fast, balanced (default), best or paper")
    parser.add_argument("--set", action="append", default=[], dest="options", metavar="NAME=VALUE",
                        help="change one parameter of the preset (repeat it for more)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the results, one object per photo")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress")
    return parser


def chosen(options: argparse.Namespace) -> tuple[Config, list[Instance]]:
    """The parameters and the objects that arguments of `make_parser` name.

    Raises InputError for options that mean nothing and for a manifest that is none.
    """
    from ..config import preset
    from ..files import check_folder
    from ..options import parse_options
    from .datasets import read_manifest, thin_out

    if options.stride < 1 or (options.limit is not None and options.limit < 1):
        raise InputError("--stride and --limit must be at least 1")
    if options.json:
        check_folder(options.json, "--json")
    config = preset(options.preset, **parse_options(options.options))
    instances = read_manifest(options.folder, tuple(options.only.split(",")))
    return config, thin_out(instances, options.limit, options.stride)


def run(options: argparse.Namespace, variants: Sequence[str], measure: Measure, **settings: object) -> None:
    """Measure every object, print the table, write the file.

    Args:
        options: from `make_parser`.
        variants: names of the columns.
        settings: written into the file beside the preset's.

    Raises InputError for options that mean nothing and for unreadable files.
    """
    from ..files import written
    from ..models import embedded_models

    config, instances = chosen(options)
    models, rows = embedded_models(), []
    for instance in instances:
        found = measure(instance, models, config)
        rows.append({"set": instance.dataset, "stem": instance.stem, **found})
        if not options.quiet:
            shown = " ".join(f"{100 * found[one]:.1f}" for one in variants)
            report(f"{instance.dataset} {instance.stem} {shown}")
    if options.json:
        with written(options.json) as temporary:
            everything = {"preset": options.preset, "config": asdict(config), **settings}
            temporary.write_text(json.dumps({"settings": everything, "rows": rows}, indent=2) + "\n", encoding="utf-8")
    print(table(rows, variants))


def table(rows: Sequence[Mapping[str, object]], variants: Sequence[str]) -> str:
    """Mean IoU in percent, a line per set and one of all, for a terminal."""
    lines = [f"{'set':12} {'n':>4}" + "".join(f" {name:>11}" for name in variants)]
    for name in [*dict.fromkeys(row["set"] for row in rows), "all"]:
        chosen = [row for row in rows if name in (row["set"], "all")]
        lines.append(f"{name:12} {len(chosen):4}" + "".join(
            f" {100 * statistics.fmean(row[variant] for row in chosen):11.1f}" for variant in variants))
    return "\n".join(lines)
