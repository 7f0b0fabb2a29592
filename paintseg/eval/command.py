"""What the commands that measure tasks share: their arguments, the work these mean, and the progress."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ..cli.bench import where
from ..cli.console import Parser, report
from ..cli.parameters import check_least, numbers, split
from ..errors import InputError
from ..io.pictures import check_folder
from ..tasks.ray_cluster import ENGINES
from .datasets import Instance, by_set, read_manifest, thin_out
from .mosaic import in_mosaic
from .prompting import STROKES
from .records import Records, Row
from .run import Work, evaluate, threads_each
from .study import add_device, add_photos, plain_parser, sets_of
from .task import CLICKS, Task

CACHE = Path("output", "eval")


def make_parser(module: str, description: str, prompt: str) -> tuple[Parser, argparse._ArgumentGroup]:
    """The arguments of the commands that measure tasks, `prompt` being theirs by default; and the group of what is
    measured, for those of one command alone."""
    parser = plain_parser(module, description)
    add_photos(parser)
    group = parser.add_argument_group("what to measure (several, with commas, make a table)")
    group.add_argument(
        "--prompt",
        default=prompt,
        help="box (the human mask's tight box), loose_box (every side up to 25%% of the box "
        "further out), jitter_box (every side up to 10%% out or in), clicks (a conversation: each "
        "click where the error is deepest), point (centroid), inner_point, scribble and scribble2 "
        "(the set's strokes), strokes and strokes2 (only those on the object), mask (the human "
        f"mask, crudely drawn), auto (TokenCut's mask); default {prompt}",
    )
    group.add_argument(
        "--mosaic",
        default="1",
        metavar="N",
        help="show the photo as a random tile of N x N photos of its set (1: alone, the default)",
    )
    group.add_argument("--clicks", type=int, default=20, metavar="N", help="at most, with --prompt clicks (default 20)")
    group.add_argument(
        "--stop",
        type=float,
        default=100.0,
        metavar="PERCENT",
        help="end a conversation at that IoU; later figures keep its last (default 100)",
    )
    group.add_argument(
        "--seed", type=int, default=0, help="of the method, of noise, of the sides of boxes and of mosaics (default 0)"
    )
    ways = parser.add_argument_group("how")
    ways.add_argument("--csv", type=Path, metavar="FILE", help="a line per instance or click; the run goes on from it")
    ways.add_argument("--jobs", type=int, default=1, metavar="N", help="processes (default 1)")
    ways.add_argument(
        "--engine",
        choices=ENGINES,
        default="here",
        help="here (default), or ray: --jobs workers of a Ray cluster (extra ray)",
    )
    ways.add_argument("--threads", type=int, metavar="N", help="CPU threads of a process (default: cores / jobs)")
    add_device(ways)
    ways.add_argument("--fresh", action="store_true", help="measure again what an earlier run has measured")
    return parser, group


def check(options: argparse.Namespace) -> None:
    """Raises InputError for numbers and files that mean nothing."""
    check_least(options, "limit", "stride", "jobs", "threads", "clicks")
    for name in ("json", "csv"):
        if path := getattr(options, name):
            check_folder(path, f"--{name}")


def prompted(options: argparse.Namespace, base: Task) -> list[Task]:
    """The task with every prompt and every mosaic asked for. Raises InputError."""
    # what a prompt does not look at tells no tasks apart
    return [
        replace(
            base,
            prompt=prompt,
            mosaic=side,
            **({"clicks": options.clicks, "stop": options.stop} if prompt == CLICKS else {}),
        )
        for prompt in split([options.prompt])
        for side in numbers(options.mosaic, "--mosaic", int)
    ]


def measured(options: argparse.Namespace, tasks: Sequence[Task]) -> tuple[list[Work], list[tuple[Row, ...]]]:
    """Every task on every instance the arguments of this module name, and the rows found. Raises InputError."""
    members = read_manifest(options.folder, sets_of(options))
    work = make_work(tasks, thin_out(members, options.limit, options.stride), members)
    records = Records(options.csv or _cache_file(tasks))
    if options.fresh:
        records.rows.clear()  # the file keeps them until new ones follow
    with shown(len(work), options.quiet) as progress:
        return work, evaluate(work, records, progress, options.device, options.jobs, options.threads, options.engine)


def make_work(tasks: Sequence[Task], instances: Sequence[Instance], members: Sequence[Instance]) -> list[Work]:
    """Every task on every instance; strokes only where the set has some.

    Args:
        tasks, instances: what to measure.
        members: all instances of the sets, for mosaics.

    Raises InputError when nothing is left.
    """
    sets, work = by_set(members), []
    for task in tasks:
        number = None if task.prompt == CLICKS else STROKES.get(task.prompt)
        usable = [instance for instance in instances if number is None or instance.scribble_path(number).exists()]
        for dataset in dict.fromkeys(instance.dataset for instance in instances):
            if not any(instance.dataset == dataset for instance in usable):
                report(f"the set {dataset} has no strokes for --prompt {task.prompt} and is left out")
        work += [(task, in_mosaic(instance, sets[instance.dataset], task.mosaic, task.seed)) for instance in usable]
    if not work:
        raise InputError("there is nothing to measure: no instance fits the sets and prompts asked for")
    return work


def machine(options: argparse.Namespace) -> dict[str, Any]:
    """Where it was measured, as plain values."""
    return {
        **where(options.device),
        "jobs": options.jobs,
        "threads": options.threads or threads_each(options.jobs),
        "limit": options.limit,
        "stride": options.stride,
    }


@contextmanager
def shown(total: int, quiet: bool) -> Iterator[Callable[[Sequence[Row], bool], None]]:
    """What `evaluate` takes as `progress`: a bar on stderr with the mean IoU so far; rare lines without a terminal."""
    ious: list[float] = []

    def count(rows: Sequence[Row], new: bool) -> None:
        ious.append(rows[-1].iou)
        bar.set_postfix_str(f"IoU {100 * sum(ious) / len(ious):.1f}", refresh=False)
        if not new and not quiet:
            bar.initial += 1  # what was found earlier is no sign of how fast the rest goes
        bar.update()

    pause = 0.5 if sys.stderr.isatty() else 30
    with tqdm(total=total, unit="photo", disable=quiet, dynamic_ncols=True, mininterval=pause) as bar:
        yield count


def _cache_file(tasks: Sequence[Task]) -> Path | None:
    """Where finished instances go without --csv; None when the current folder cannot be written to."""
    try:
        CACHE.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    if not os.access(CACHE, os.W_OK):
        return None
    name = "-".join(dict.fromkeys(part for task in tasks for part in (task.method, task.prompt, task.preset)))
    return CACHE / f"{name[:60]}-{tasks[0].key()}.csv"
