"""What studies share: variants on the same objects, side by side in tables.

A study yields rows, one per object, that hold each measure of each variant (see `row`). They are printed as tables, a
line is said on stderr for each, and --json keeps them all.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..cli.console import Parser, report
from ..cli.console import command as entry
from ..cli.parameters import add_parameters, check_least, parse_options, split
from ..config import Config, preset
from ..errors import InputError
from ..io.formats import to_image
from ..io.pictures import check_folder, write_image, write_json
from ..models import Models, load_models
from .datasets import Instance, read_manifest, thin_out
from .metrics import Marks
from .report import aligned

Row = Mapping[str, Any]
"""`set`, `stem`, and of every measure its value for every variant."""

SETS = "grabcut,berkeley,davis,ecssd,coco_mval"
_NUMBERS = ("count", "stride", "limit")


@dataclass(frozen=True)
class Table:
    """Means of a measure: a line for every set and one for all, a column for every variant.

    Attributes:
        title: what stands above it. of: the measure.
        unit: what means are multiplied by. digits: of them behind the point.
        per: another measure, by whose mean the mean is divided; empty for none.
    """

    title: str
    of: str
    unit: float = 100
    digits: int = 1
    per: str = ""

    def text(self, rows: Sequence[Row]) -> str:
        """The table for a terminal."""
        lines = []
        for name in [*dict.fromkeys(row["set"] for row in rows), "all"]:
            members = [row for row in rows if name in (row["set"], "all")]
            lines.append({"set": name, "n": str(len(members)), **self.cells(members)})
        return f"{self.title}\n{aligned(lines)}"

    def cells(self, rows: Sequence[Row]) -> dict[str, str]:
        """The mean of every variant."""

        def mean(measure: str, variant: str) -> float:
            return statistics.fmean(row[measure][variant] for row in rows)

        found = {}
        for variant in rows[0][self.of]:
            by = max(mean(self.per, variant), 1e-6) if self.per else 1.0  # in a flat picture there may be nothing
            found[variant] = f"{self.unit * mean(self.of, variant) / by:.{self.digits}f}"
        return found


MARKS = (Table("mean IoU", "iou"), Table("mean Boundary IoU", "boundary_iou"), Table("pieces of a mask", "pieces", 1))
"""The tables of studies of masks."""


def row(dataset: str, stem: str, found: Mapping[str, Marks | Mapping[str, float]]) -> Row:
    """A row of what was found, by variant and then by measure; every variant has the same measures."""
    variants = {variant: asdict(one) if isinstance(one, Marks) else one for variant, one in found.items()}
    measures = dict.fromkeys(measure for one in variants.values() for measure in one)
    return {
        "set": dataset,
        "stem": stem,
        **{measure: {variant: one[measure] for variant, one in variants.items()} for measure in measures},
    }


def command(
    make_parser: Callable[[], Parser],
    measured: Callable[[argparse.Namespace], Iterable[Row]],
    tables: Sequence[Table] = MARKS,
) -> Callable[..., int]:
    """The `main` of a study. The first table's measure is said of every row; the file is written anew after each."""

    def run(options: argparse.Namespace) -> None:
        check_least(options, *(name for name in _NUMBERS if name in options))
        if options.json:
            check_folder(options.json, "--json")
        settings: dict[str, Any] = {name: str(value) for name, value in vars(options).items()}
        if "preset" in options:
            settings["config"] = asdict(config_of(options))
        rows: list[Row] = []
        for one in measured(options):
            rows.append(one)
            if not options.quiet:
                shown = ", ".join(f"{name} {value}" for name, value in tables[0].cells([one]).items())
                report(f"{len(rows)} {one['set']} {one['stem']}: {shown}")
            if options.json:
                write_json(options.json, {"settings": settings, "rows": rows})
        if not rows:
            raise InputError(f"there is nothing to measure: no photo of {options.folder} fits")
        print("\n\n".join(table.text(rows) for table in tables))

    return entry(make_parser, run)


def make_parser(module: str, description: str, sets: str = SETS) -> Parser:
    """The arguments of studies of the method; `sets`, with commas, are measured unless --only says otherwise."""
    parser = plain_parser(module, description)
    add_photos(parser, sets)
    add_parameters(parser)
    add_device(parser)
    return parser


def add_photos(parser: Parser, sets: str = "all") -> None:
    """The photos to measure on, by default of these sets."""
    parser.add_argument("--only", action="append", metavar="SET", help=f"sets, by commas or repeats (default {sets})")
    parser.add_argument("--stride", type=int, default=1, metavar="K", help="of every set every K-th object")
    parser.add_argument("--limit", type=int, metavar="N", help="of every set only N objects")
    parser.set_defaults(sets=() if sets == "all" else split([sets]))


def counted_parser(module: str, description: str, count: int, what: str) -> Parser:
    """The arguments of studies of so many cases that are made up of photos."""
    parser = plain_parser(module, description)
    parser.add_argument("--count", type=int, default=count, help=f"{what} (default {count})")
    parser.add_argument("--seed", type=int, default=0, help="of all that is drawn by chance (default 0)")
    return parser


def plain_parser(module: str, description: str) -> Parser:
    """DIR, --json and --quiet."""
    parser = Parser(prog=".".join(filter(None, ["python -m paintseg.eval", module])), description=description)
    parser.add_argument("folder", type=Path, metavar="DIR", help="holds manifest.csv, photos and human masks")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the results; of a study written anew after each")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress")
    return parser


def add_device(group: argparse._ActionsContainer) -> None:
    group.add_argument("--device", default="cpu", help="where the models run: cpu (default) or cuda")


def add_plates(parser: argparse.ArgumentParser, shown: str) -> None:
    """Add --plates, a folder that keeps what is `shown` of every case, see `keep`."""
    parser.add_argument("--plates", type=Path, metavar="FOLDER", help=f"keep {shown}, side by side")


def keep(options: argparse.Namespace, name: str, pictures: Sequence[Tensor]) -> None:
    """Write pictures 3 x H x W side by side where --plates says, if it says so."""
    if options.plates:
        options.plates.mkdir(parents=True, exist_ok=True)
        write_image(options.plates / f"{name}.png", to_image(torch.cat(list(pictures), 2)))


def config_of(options: argparse.Namespace) -> Config:
    """The parameters that arguments of `make_parser` name. Raises InputError for what means nothing."""
    return preset(options.preset, **parse_options(options.options))


def chosen(options: argparse.Namespace) -> list[Instance]:
    """The objects that arguments of `make_parser` name. Raises InputError for a manifest that is none."""
    return thin_out(read_manifest(options.folder, sets_of(options)), options.limit, options.stride)


def sets_of(options: argparse.Namespace) -> tuple[str, ...]:
    """The sets that --only names, or those meant without it; none: all."""
    return split(options.only or options.sets)


def each(
    measure: Callable[[Instance, Models, Config], Mapping[str, Marks]],
) -> Callable[[argparse.Namespace], Iterator[Row]]:
    """What `command` takes: the marks of every variant's mask, of one object after the other."""

    def measured(options: argparse.Namespace) -> Iterator[Row]:
        config, instances, models = config_of(options), chosen(options), load_models(options.device)
        for one in instances:
            yield row(one.dataset, one.stem, measure(one, models, config))

    return measured
