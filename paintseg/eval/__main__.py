"""`python -m paintseg.eval DIR --only grabcut --prompt box --preset balanced --json out.json`

DIR holds manifest.csv, photos and human masks (see datasets.py). An interrupted run goes on where it stopped
when the same command is given again: every finished instance is in a CSV file, --csv or one in output/eval.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from ..cli.console import Parser, report
from ..cli.console import command as entry
from ..cli.parameters import add_parameters, numbers, parse_options, split
from ..errors import InputError
from ..io.pictures import check_target, write_json
from . import ablations, command
from .gallery import write_gallery
from .report import summarise, table
from .task import OURS, Task


def make_parser() -> Parser:
    description = "Mean IoU, Boundary IoU and pieces of masks beside human ones, set by set."
    parser, group = command.make_parser("", description, "box")
    parser.add_argument("--gallery", type=Path, metavar="FILE.jpg", help="best, median and worst masks of every set")
    group.add_argument(
        "--method",
        default="paintseg",
        help="paintseg (default), answer (what is told while one clicks, without painting), box, opencv-grabcut, "
        "random-walker, tokencut; opencv-grabcut and random-walker need the extra peers",
    )
    add_parameters(group, several=True)
    group.add_argument(
        "--noise",
        default="0",
        metavar="PERCENT",
        help="move prompts by that much of half the diagonal of the object's box",
    )
    group.add_argument(
        "--ablation",
        default="",
        metavar="TABLE",
        help="vary the preset as in table4, table5 (noise), table6, tableA or tableB, or take out "
        "what is ours (switches)",
    )
    group.add_argument(
        "--encoder",
        default="embedded",
        metavar="NAME=FILE",
        help="another encoder, by timm's name, from a safetensors file; or embedded-half, the embedded one in bfloat16",
    )
    return parser


def run(options: argparse.Namespace) -> None:
    tasks = _tasks(options)
    command.check(options)
    if options.gallery:
        check_target(options.gallery, "--gallery")
    work, found = command.measured(options, tasks)
    summaries = summarise(work, found)
    if options.gallery:
        report("drawing the gallery")
        write_gallery(options.gallery, summaries, work, options.device)
    if options.json:
        machine = command.machine(options)
        write_json(options.json, [summary.as_json(machine) for summary in summaries])
    print(table(summaries))


def _tasks(options: argparse.Namespace) -> list[Task]:
    changes = tuple(parse_options(options.options).items())
    noises, presets = numbers(options.noise, "--noise"), split([options.preset])
    tasks = []
    for method in split([options.method]):
        # presets are ours alone: a peer is measured once
        for preset in presets if method in OURS else presets[:1]:
            base = Task(method=method, preset=preset, changes=changes, seed=options.seed, encoder=options.encoder)
            for task in command.prompted(options, base):
                tasks += [replace(task, noise=noise) for noise in noises]
    names = split([options.ablation])
    if names and any(task.method not in OURS for task in tasks) and set(names) != {"table5"}:
        raise InputError(f"--ablation {options.ablation} varies our own methods; give --method paintseg or answer")
    return [variant for task in tasks for variant in ablations.variants(names, task)] if names else tasks


main = entry(make_parser, run)

if __name__ == "__main__":
    sys.exit(main())
