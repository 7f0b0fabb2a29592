"""`python -m paintseg.eval.video DIR --preset balanced --json out.json`

DIR is as in datasets.py. Frames of one sequence are the instances of a set whose names are SEQUENCE_NUMBER. The first
frame has its human mask (`--first box`: is segmented by its box), the others what is carried over from it and goes
through the method; their own human masks are only compared with. IoU is averaged over all frames but the first of each
sequence.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..cli.console import Parser, guarded, report
from ..errors import InputError

if TYPE_CHECKING:
    from ..config import Config
    from ..models import Models
    from .datasets import Instance


@dataclass(frozen=True)
class Row:
    """One sequence; IoU in 0..1, means over its frames but the first.

    Attributes:
        sequence: its name.
        frames: how many were compared.
        first: of the first frame; 1 when its human mask was given.
        followed: of `video.follow`.
        carried: of the masks carried over by likeness, before the method has seen them.
        copied: of the first frame's mask, left where it was.
        seconds: per frame.
        notes: what went wrong, a sentence each.
    """

    sequence: str
    frames: int
    first: float
    followed: float
    carried: float
    copied: float
    seconds: float
    notes: tuple[str, ...]


def main(arguments: list[str] | None = None) -> int:
    """Run the command. Returns 0 done, 1 failed, 2 bad input, 130 interrupted."""
    return guarded(lambda: run(make_parser().parse_args(arguments)))


def make_parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = Parser(prog="python -m paintseg.eval.video", description="Mean IoU with human masks through videos.")
    parser.add_argument("folder", type=Path, metavar="DIR", help="holds manifest.csv, frames and human masks")
    parser.add_argument("--only", default="davis", metavar="SET", help="the set that holds frames (default davis)")
    parser.add_argument("--first", choices=("mask", "box"), default="mask",
                        help="what is known of the first frame: its human mask (default) or its box")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N sequences")
    parser.add_argument("--preset", default="balanced", help="fast, balanced (default), best or paper")
    parser.add_argument("--set", action="append", default=[], dest="options", metavar="NAME=VALUE",
                        help="change one parameter of the preset (repeat it for more)")
    parser.add_argument("--seed", type=int, default=0, help="of the method (default 0)")
    parser.add_argument("--device", default="cpu", help="where the models run: cpu (default) or cuda")
    parser.add_argument("--json", type=Path, metavar="FILE",
                        help="the results, one object per sequence, written anew after each")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress")
    return parser


def run(options: argparse.Namespace) -> None:
    """Measure, print the table, write the file."""
    from ..config import preset
    from ..files import check_folder, written
    from ..models import embedded_models
    from ..options import parse_options
    from .datasets import read_manifest

    if options.limit is not None and options.limit < 1:
        raise InputError(f"--limit must be at least 1, not {options.limit}")
    if options.json:
        check_folder(options.json, "--json")
    config = preset(options.preset, **parse_options(options.options))
    sequences = read_sequences(read_manifest(options.folder, (options.only,)))
    models, rows = embedded_models(options.device), []
    for name, frames in list(sequences.items())[: options.limit]:
        rows.append(measure(name, frames, models, config, options.seed, options.first))
        if not options.quiet:
            report(_line(rows[-1]))
        if options.json:
            settings = {"preset": options.preset, "first": options.first, "config": asdict(config),
                        "device": options.device}
            text = json.dumps([asdict(row) | {"settings": settings} for row in rows], indent=2)
            with written(options.json) as temporary:
                temporary.write_text(text + "\n", encoding="utf-8")
    print(table(rows))


def read_sequences(instances: list[Instance]) -> dict[str, list[Instance]]:
    """The frames of every sequence in the order of their numbers. Raises InputError when there is no sequence."""
    sequences: dict[str, list[tuple[int, Instance]]] = {}
    for instance in instances:
        name, _, number = instance.stem.rpartition("_")
        if name and number.isdigit():
            sequences.setdefault(name, []).append((int(number), instance))
    ordered = {name: [one for _, one in sorted(frames, key=lambda pair: pair[0])]
               for name, frames in sequences.items() if len(frames) > 1}
    if not ordered:
        raise InputError("the set holds no sequence: two frames or more, named SEQUENCE_NUMBER")
    return ordered


def measure(
    name: str, frames: list[Instance], models: Models, config: Config, seed: int = 0, known: str = "mask"
) -> Row:
    """Follow an object through one sequence, knowing of the first frame its "mask" or its "box".

    Raises InputError for unreadable files.
    """
    import torch

    from ..prompts import box_prompt, mask_prompt
    from ..video import follow
    from .metrics import intersection_over_union as iou

    truths = [frame.mask() for frame in frames]
    object_mask = torch.from_numpy(truths[0] == 255).float()
    prompt = mask_prompt(object_mask) if known == "mask" else box_prompt(frames[0].box, truths[0].shape)
    started = time.perf_counter()
    tracked = list(follow((frame.image() for frame in frames), prompt, models.painter, models.encoder, config, seed,
                          keep_first=known == "mask"))
    seconds = (time.perf_counter() - started) / len(frames)
    first = tracked[0].mask.cpu().numpy()
    later = list(zip(tracked, truths, strict=True))[1:]
    return Row(
        sequence=name,
        frames=len(later),
        first=iou(first, truths[0]),
        followed=statistics.fmean(iou(one.mask.cpu().numpy(), truth) for one, truth in later),
        carried=statistics.fmean(iou((one.coarse > 0.5).cpu().numpy(), truth) for one, truth in later),
        copied=statistics.fmean(iou(first, truth) for _, truth in later),
        seconds=seconds,
        notes=tuple(one.note for one in tracked if one.note),
    )


def table(rows: list[Row]) -> str:
    """A table for a terminal, IoU in percent; the last line is the mean over all frames."""
    count = sum(row.frames for row in rows)
    means = {name: sum(getattr(row, name) * row.frames for row in rows) / count
             for name in ("followed", "carried", "copied")}
    total = Row("all", count, statistics.fmean(row.first for row in rows), **means,
                seconds=statistics.fmean(row.seconds for row in rows), notes=())
    header = f"{'sequence':20} {'n':>3} {'first':>7} {'followed':>9} {'carried':>8} {'copied':>7} {'s/frame':>8}"
    notes = [f"{row.sequence}: {note}" for row in rows for note in row.notes]
    return "\n".join([header, *map(_line, [*rows, total]), *notes])


def _line(row: Row) -> str:
    shares = "".join(f" {100 * value:{width}.1f}" for value, width in
                     ((row.first, 7), (row.followed, 9), (row.carried, 8), (row.copied, 7)))
    return f"{row.sequence:20} {row.frames:3}{shares} {row.seconds:8.1f}"


if __name__ == "__main__":
    sys.exit(main())
