"""`python -m paintseg.eval.video DIR --preset balanced --json out.json`

DIR is as in datasets.py. Frames of one sequence are the instances of a set whose names are SEQUENCE_NUMBER. The first
frame has its human mask (`--first box`: is segmented by its box), the others what is carried over from it and goes
through the method; their own human masks are only compared with. IoU is averaged over all frames but the first of each
sequence.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import torch

from ..cli.console import command
from ..cli.parameters import add_parameters, check_least, parse_options
from ..config import Config, preset
from ..errors import InputError
from ..models import Models, load_models
from ..prompts import box_prompt, mask_prompt
from ..tasks.video import follow
from .datasets import Instance, read_manifest
from .metrics import intersection_over_union as iou
from .metrics import marks
from .report import aligned
from .study import add_machine, gathered, plain_parser


def make_parser() -> argparse.ArgumentParser:
    parser = plain_parser("video", "Mean IoU with human masks through videos.")
    parser.add_argument("--only", default="davis", metavar="SET", help="the set that holds frames (default davis)")
    parser.add_argument(
        "--first",
        choices=("mask", "box"),
        default="mask",
        help="what is known of the first frame: its human mask (default) or its box",
    )
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N sequences")
    add_parameters(parser)
    add_machine(parser)
    return parser


def run(options: argparse.Namespace) -> None:

    check_least(options, "limit")
    config = preset(options.preset, **parse_options(options.options))
    sequences = read_sequences(read_manifest(options.folder, (options.only,)))
    models, settings = load_models(options.device), {"config": asdict(config)}
    settings |= {name: getattr(options, name) for name in ("preset", "first", "device")}
    found = (
        measure(name, frames, models, config, options.seed, options.first)
        for name, frames in list(sequences.items())[: options.limit]
    )

    def line(row: Mapping[str, Any]) -> str:
        followed, copied = 100 * row["followed"], 100 * row["copied"]
        return f"{row['sequence']}: {followed:.1f} followed, {copied:.1f} copied, {row['seconds']:.1f} s"

    print(table(gathered(found, options, line, lambda rows: [{**row, "settings": settings} for row in rows])))


def read_sequences(instances: list[Instance]) -> dict[str, list[Instance]]:
    """The frames of every sequence in the order of their numbers. Raises InputError when there is no sequence."""
    sequences: dict[str, list[tuple[int, Instance]]] = {}
    for instance in instances:
        name, _, number = instance.stem.rpartition("_")
        if name and number.isdigit():
            sequences.setdefault(name, []).append((int(number), instance))
    ordered = {
        name: [one for _, one in sorted(frames, key=lambda pair: pair[0])]
        for name, frames in sequences.items()
        if len(frames) > 1
    }
    if not ordered:
        raise InputError("the set holds no sequence: two frames or more, named SEQUENCE_NUMBER")
    return ordered


def measure(
    name: str, frames: list[Instance], models: Models, config: Config, seed: int = 0, known: str = "mask"
) -> dict[str, Any]:
    """Follow an object through one sequence, knowing of the first frame its "mask" or its "box".

    Returns IoU in 0..1 of the first frame, and means over the others: IoU followed, carried over by likeness before the
    method has seen it, and copied from the first frame; Boundary IoU and pieces of what was followed. Beside them the
    frames compared, the seconds per frame, and notes of what went wrong, a sentence each.

    Raises InputError for unreadable files.
    """

    truths = [frame.mask() for frame in frames]
    object_mask = torch.from_numpy(truths[0] == 255).float()
    prompt = mask_prompt(object_mask) if known == "mask" else box_prompt(frames[0].box, truths[0].shape)
    started = time.perf_counter()
    tracked = list(
        follow(
            (frame.image() for frame in frames),
            prompt,
            models.painter,
            models.encoder,
            config,
            seed,
            keep_first=known == "mask",
        )
    )
    seconds = (time.perf_counter() - started) / len(frames)
    first = tracked[0].mask.cpu().numpy()
    later = list(zip(tracked, truths, strict=True))[1:]
    followed = [marks(one.mask.cpu().numpy(), truth) for one, truth in later]
    return {
        "sequence": name,
        "frames": len(later),
        "first": iou(first, truths[0]),
        "followed": statistics.fmean(one.iou for one in followed),
        "carried": statistics.fmean(
            iou((one.coarse > 0.5).cpu().numpy(), truth) for one, truth in later if one.coarse is not None
        ),
        "copied": statistics.fmean(iou(first, truth) for _, truth in later),
        "boundary": statistics.fmean(one.boundary_iou for one in followed),
        "pieces": statistics.fmean(one.pieces for one in followed),
        "seconds": seconds,
        "notes": [one.note for one in tracked if one.note],
    }


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """A table for a terminal, IoU in percent; the last line is the mean over all frames."""

    shares = ("followed", "carried", "copied", "boundary")

    def cells(name: str, members: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        count = sum(row["frames"] for row in members)
        means = {one: sum(row[one] * row["frames"] for row in members) / count for one in (*shares, "pieces")}
        return {
            "sequence": name,
            "n": str(count),
            "first": f"{100 * statistics.fmean(row['first'] for row in members):.1f}",
            **{one: f"{100 * means[one]:.1f}" for one in shares},
            "pieces": f"{means['pieces']:.1f}",
            "s/frame": f"{statistics.fmean(row['seconds'] for row in members):.1f}",
        }

    notes = [f"{row['sequence']}: {note}" for row in rows for note in row["notes"]]
    return "\n".join([aligned([*(cells(row["sequence"], [row]) for row in rows), cells("all", rows)]), *notes])


main = command(make_parser, run)

if __name__ == "__main__":
    sys.exit(main())
