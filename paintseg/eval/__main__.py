"""`python -m paintseg.eval DIR --only grabcut --prompt box --preset balanced --json out.json`

DIR holds manifest.csv, photos and human masks (see datasets.py). An interrupted run goes on where it stopped
when the same command is given again: every finished instance is in a CSV file, --csv or one in output/eval.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..cli.console import Parser, guarded, report
from ..engines import ENGINES
from ..errors import InputError

if TYPE_CHECKING:
    from .datasets import Instance
    from .records import Row
    from .run import Work
    from .task import Task

CACHE = Path("output", "eval")


def main(arguments: list[str] | None = None) -> int:
    """Run the command. Returns 0 done, 1 failed, 2 bad input, 130 interrupted."""
    return guarded(lambda: run(make_parser().parse_args(arguments)))


def make_parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = Parser(prog="python -m paintseg.eval", description="Mean IoU with human masks, set by set.")
    parser.add_argument("folder", type=Path, metavar="DIR", help="holds manifest.csv, photos and human masks")
    parser.add_argument("--only", action="append", default=[], metavar="SET",
                        help="only this set (commas or repeats)")
    parser.add_argument("--limit", type=int, metavar="N", help="of every set only N instances")
    parser.add_argument("--stride", type=int, default=1, metavar="K", help="of every set every K-th instance")
    group = parser.add_argument_group("what to measure (several, with commas, make a table)")
    group.add_argument("--method", default="paintseg",
                       help="paintseg (default), box, opencv-grabcut, random-walker, tokencut; "
                            "the middle ones need the extra peers")
    group.add_argument("--prompt", default="box",
                       help="box (default), point (centroid), inner_point, scribble and scribble2 (the set's "
                            "strokes), strokes and strokes2 (only those on the object), mask (the human mask, "
                            "crudely drawn), auto (TokenCut's mask)")
    group.add_argument("--preset", default="balanced", help="fast, balanced (default), best or paper")
    group.add_argument("--noise", default="0", metavar="PERCENT",
                       help="move prompts by that much of half the diagonal of the object's box")
    group.add_argument("--set", action="append", default=[], dest="options", metavar="NAME=VALUE",
                       help="change one parameter of the preset (repeat it for more)")
    group.add_argument("--ablation", default="", metavar="TABLE",
                       help="vary the preset as in table4, table5 (noise), table6, tableA or tableB, or take out "
                            "what is ours (switches)")
    group.add_argument("--encoder", default="embedded", metavar="NAME=FILE",
                       help="another encoder, by timm's name, from a safetensors file; or embedded-half, the "
                            "embedded one in bfloat16")
    group.add_argument("--seed", type=int, default=0, help="of the method and of the noise (default 0)")
    group = parser.add_argument_group("what to write")
    group.add_argument("--json", type=Path, metavar="FILE", help="the results, one object per set and task")
    group.add_argument("--csv", type=Path, metavar="FILE",
                       help="a line per instance; the run goes on from it")
    group.add_argument("--gallery", type=Path, metavar="FILE.jpg",
                       help="best, median and worst masks of every set")
    group = parser.add_argument_group("how")
    group.add_argument("--jobs", type=int, default=1, metavar="N", help="processes (default 1)")
    group.add_argument("--engine", choices=ENGINES, default="here",
                       help="here (default), or ray: --jobs workers of a Ray cluster (extra ray)")
    group.add_argument("--threads", type=int, metavar="N",
                       help="CPU threads of a process (default: cores / jobs)")
    group.add_argument("--device", default="cpu", help="where the models run: cpu (default) or cuda")
    group.add_argument("--fresh", action="store_true", help="measure again what an earlier run has measured")
    group.add_argument("-q", "--quiet", action="store_true", help="no progress")
    return parser


def run(options: argparse.Namespace) -> None:
    """Measure, print the table, write the files."""
    tasks = _tasks(options)
    _check(options)

    from .datasets import read_manifest, thin_out
    from .records import Records
    from .report import summarise, table, write_json
    from .run import evaluate, photos_key

    instances = thin_out(read_manifest(options.folder, _split(options.only)), options.limit, options.stride)
    work = _work(tasks, instances)
    photos = photos_key(options.folder)
    records = Records(options.csv or _cache_file(tasks, photos))
    if options.fresh:
        records.forget(task.key(photos) for task in tasks)
    with _Progress(len(work), options.quiet) as progress:
        rows = evaluate(work, photos, records, options.device, options.jobs, options.threads, progress,
                        options.engine)
    summaries = summarise(work, rows)
    if options.gallery:
        from .gallery import write_gallery

        report("drawing the gallery")
        write_gallery(options.gallery, summaries, instances, options.device)
    if options.json:
        write_json(options.json, summaries, _machine(options))
    print(table(summaries))


def _tasks(options: argparse.Namespace) -> list[Task]:
    from ..options import parse_options
    from . import ablations
    from .task import Task

    changes = tuple(parse_options(options.options).items())
    tasks = []
    for method in _split([options.method]):
        # presets are ours alone: a peer is measured once
        for preset in _split([options.preset]) if method == "paintseg" else (_split([options.preset])[0],):
            for prompt in _split([options.prompt]):
                base = Task(method=method, prompt=prompt, preset=preset, changes=changes, seed=options.seed,
                            encoder=options.encoder)
                tasks += [replace(base, noise=noise) for noise in _noises(options.noise)]
    names = _split([options.ablation])
    if names and any(task.method != "paintseg" for task in tasks) and set(names) != {"table5"}:
        raise InputError(f"--ablation {options.ablation} varies our own method; give --method paintseg")
    return [variant for task in tasks for variant in ablations.variants(names, task)] if names else tasks


def _noises(text: str) -> list[float]:
    try:
        return [float(part) for part in _split([text])]
    except ValueError as error:
        raise InputError(f"--noise is a percentage, not {text!r}") from error


def _check(options: argparse.Namespace) -> None:
    from ..files import check_folder, check_target

    for name, least in (("limit", 1), ("stride", 1), ("jobs", 1), ("threads", 1)):
        if (value := getattr(options, name)) is not None and value < least:
            raise InputError(f"--{name} must be at least {least}, not {value}")
    if options.json:
        check_folder(options.json, "--json")
    if options.csv:
        check_folder(options.csv, "--csv")
    if options.gallery:
        check_target(options.gallery, "--gallery")


def _work(tasks: Sequence[Task], instances: Sequence[Instance]) -> list[Work]:
    """Every task on every instance; strokes only where the set has some."""
    from .prompting import STROKES

    work = []
    for task in tasks:
        number = STROKES.get(task.prompt)
        usable = [instance for instance in instances
                  if number is None or instance.scribble_path(number).exists()]
        for dataset in dict.fromkeys(instance.dataset for instance in instances):
            if not any(instance.dataset == dataset for instance in usable):
                report(f"the set {dataset} has no strokes for --prompt {task.prompt} and is left out")
        work += [(task, instance) for instance in usable]
    if not work:
        raise InputError("there is nothing to measure: no instance fits the sets and prompts asked for")
    return work


def _cache_file(tasks: Sequence[Task], photos: str) -> Path | None:
    """Where finished instances go without --csv; None when the current folder cannot be written to."""
    try:
        CACHE.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    if not os.access(CACHE, os.W_OK):
        return None
    name = "-".join(dict.fromkeys(part for task in tasks for part in (task.method, task.prompt, task.preset)))
    return CACHE / f"{name[:60]}-{tasks[0].key(photos)}.csv"


def _machine(options: argparse.Namespace) -> dict[str, Any]:
    import torch

    threads = options.threads or (max(1, (os.cpu_count() or 1) // options.jobs) if options.jobs > 1
                                  else torch.get_num_threads())
    return {"device": options.device, "jobs": options.jobs, "threads": threads, "torch": torch.__version__,
            "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
            "limit": options.limit, "stride": options.stride}


def _split(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for text in texts for part in text.split(",") if part.strip()))


class _Progress:
    """A bar on stderr with the mean IoU so far; rare lines where there is no terminal."""

    def __init__(self, total: int, quiet: bool) -> None:
        from tqdm import tqdm

        self.bar = tqdm(total=total, unit="photo", disable=quiet, dynamic_ncols=True,
                        mininterval=0.5 if sys.stderr.isatty() else 30)
        self.found: list[float] = []

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()

    def __call__(self, row: Row, new: bool) -> None:
        self.found.append(row.iou)
        self.bar.set_postfix_str(f"IoU {100 * sum(self.found) / len(self.found):.1f}", refresh=False)
        if not new and not self.bar.disable:
            self.bar.initial += 1  # what was found earlier is no sign of how fast the rest goes
        self.bar.update()


if __name__ == "__main__":
    sys.exit(main())
