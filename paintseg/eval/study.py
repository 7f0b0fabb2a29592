"""What studies share: variants of the method on the same objects, side by side in one table."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

from ..cli.console import Parser, report
from ..cli.parameters import add_parameters, check_least, parse_options, split
from ..config import Config, preset
from ..io.formats import to_image
from ..io.pictures import check_folder, write_image, write_json
from ..models import Models, load_models
from .datasets import Instance, read_manifest, thin_out
from .metrics import Marks
from .report import aligned

Measure = Callable[[Instance, Models, Config], Mapping[str, Marks]]
"""One object, the models, the parameters: the marks of every variant's mask."""

Found = TypeVar("Found")

SETS = "grabcut,berkeley,davis,ecssd,coco_mval"


def make_parser(module: str, description: str, sets: str = SETS) -> argparse.ArgumentParser:
    """The arguments every study takes; `sets`, with commas, are measured unless --only says otherwise."""
    parser = plain_parser(module, description)
    parser.add_argument("--only", default=sets, metavar="SETS", help=f"sets, with commas (default {sets})")
    parser.add_argument("--stride", type=int, default=1, metavar="K", help="of every set every K-th object")
    parser.add_argument("--limit", type=int, metavar="N", help="of every set only N objects")
    add_parameters(parser)
    return parser


def plain_parser(module: str, description: str) -> argparse.ArgumentParser:
    """DIR, --json and --quiet: what everything that measures row by row takes (see `gathered`)."""
    parser = Parser(prog=f"python -m paintseg.eval.{module}", description=description)
    parser.add_argument("folder", type=Path, metavar="DIR", help="holds manifest.csv, photos and human masks")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the results, written anew after each")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress")
    return parser


def add_machine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=0, help="of the method (default 0)")
    parser.add_argument("--device", default="cpu", help="where the models run: cpu (default) or cuda")


def add_plates(parser: argparse.ArgumentParser, shown: str) -> None:
    """Add --plates, a folder that keeps what is `shown` of every case, see `keep`."""
    parser.add_argument("--plates", type=Path, metavar="FOLDER", help=f"keep {shown}, side by side")


def keep(options: argparse.Namespace, name: str, pictures: Sequence[Tensor]) -> None:
    """Write pictures 3 x H x W side by side where --plates says, if it says so."""
    if options.plates:
        options.plates.mkdir(parents=True, exist_ok=True)
        write_image(options.plates / f"{name}.png", to_image(torch.cat(list(pictures), 2)))


def chosen(options: argparse.Namespace) -> tuple[Config, list[Instance]]:
    """The parameters and the objects that arguments of `make_parser` name.

    Raises InputError for options that mean nothing and for a manifest that is none.
    """

    check_least(options, "stride", "limit")
    config = preset(options.preset, **parse_options(options.options))
    return config, thin_out(read_manifest(options.folder, split([options.only])), options.limit, options.stride)


def run(options: argparse.Namespace, measure: Measure) -> None:
    """Measure every object, print the table with a column for each variant, write the file with the settings.

    Raises InputError for options that mean nothing and for unreadable files.
    """

    config, instances = chosen(options)
    models, settings = load_models(), {"preset": options.preset, "config": asdict(config)}

    def measured() -> Iterator[Mapping[str, Any]]:
        for instance in instances:
            found = measure(instance, models, config)
            yield {
                "set": instance.dataset,
                "stem": instance.stem,
                **{variant: one.iou for variant, one in found.items()},
                "boundary_iou": {variant: one.boundary_iou for variant, one in found.items()},
                "pieces": {variant: one.pieces for variant, one in found.items()},
            }

    def line(row: Mapping[str, Any]) -> str:
        return " ".join([row["set"], row["stem"], *(f"{100 * row[variant]:.1f}" for variant in row["pieces"])])

    print(tables(gathered(measured(), options, line, lambda rows: {"settings": settings, "rows": rows})))


def gathered(
    found: Iterable[Found],
    options: argparse.Namespace,
    line: Callable[[Found], str],
    document: Callable[[list[Found]], object],
) -> list[Found]:
    """All that is found, a line on stderr for each; `document` of all so far is written anew after each, if wanted.

    Raises InputError, before anything is looked for, when it cannot be written.
    """
    if options.json:
        check_folder(options.json, "--json")
    rows: list[Found] = []
    for row in found:
        rows.append(row)
        if not options.quiet:
            report(f"{len(rows)} {line(row)}")
        if options.json:
            write_json(options.json, document(rows))
    return rows


def tables(rows: Sequence[Mapping[str, Any]]) -> str:
    """Mean IoU, mean Boundary IoU and pieces of a mask, for a terminal; rows as `run` writes them."""
    ious = [{name: row[name] for name in ("set", *row["pieces"])} for row in rows]
    rims, pieces = ([{"set": row["set"], **row[mark]} for row in rows] for mark in ("boundary_iou", "pieces"))
    parts = (
        ("mean IoU", table(ious)),
        ("mean Boundary IoU", table(rims)),
        ("pieces of a mask", table(pieces, 1)),
    )
    return "\n\n".join(f"{title}\n{part}" for title, part in parts)


def table(rows: Sequence[Mapping[str, Any]], unit: float = 100) -> str:
    """Means times `unit` of all but the set, a line per set and one of all, for a terminal."""
    lines = []
    for name in [*dict.fromkeys(row["set"] for row in rows), "all"]:
        chosen = [row for row in rows if name in (row["set"], "all")]
        means = {one: f"{unit * statistics.fmean(row[one] for row in chosen):.1f}" for one in rows[0] if one != "set"}
        lines.append({"set": name, "n": str(len(chosen)), **means})
    return aligned(lines)
