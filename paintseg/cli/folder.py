"""`python -m paintseg segment FOLDER --auto -o MASKS`: many photos, here or on a cluster, going on after a stop."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..engines import ENGINES, work_on_ray
from ..errors import InputError
from .console import FAILED, report, report_note
from .method import load_models, read_config
from .prompting import check_prompt_arguments

if TYPE_CHECKING:
    from ..batch import Outcome
    from ..config import Config
    from ..listing import Piece

SETTINGS, FAILURES = "settings.json", "failed.csv"


def add_folder_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --prompts, --engine and --jobs."""
    group = parser.add_argument_group(
        "many photos", "Give a folder and -o FOLDER: every picture gets its mask there, below the same names. The same "
                       "command again goes on where it stopped. The prompt given is every picture's, or --prompts.")
    group.add_argument("--prompts", type=Path, metavar="FILE",
                       help="JSON or CSV: photo, and box, points, negative_points, scribble, mask, auto, output")
    group.add_argument("--engine", choices=ENGINES, default="here",
                       help="here (default), or ray: on a Ray cluster (extra ray; RAY_ADDRESS names the cluster)")
    group.add_argument("--jobs", type=int, metavar="N", help="workers of the cluster (default: as many as fit)")


def run_folder(options: argparse.Namespace) -> int | None:
    """Segment many photos. Returns 1 when some could not be, after all others."""
    pieces, config = _pieces(options), read_config(options)
    _same_settings(options, config)
    from ..batch import unfinished

    waiting = unfinished(pieces)
    if not options.quiet and len(waiting) < len(pieces):
        report(f"{len(pieces) - len(waiting)} of {len(pieces)} masks are there already")
    failed: list[Outcome] = []
    started = time.monotonic()
    outcomes = _outcomes(waiting, config, options) if waiting else iter(())
    for number, outcome in enumerate(outcomes, start=1):
        if outcome.error:
            failed.append(outcome)
            report(f"{outcome.photo}: {outcome.error}")
        else:
            if not options.quiet:
                report_note(outcome.note, outcome.photo)
            print(outcome.output, flush=True)
        if not options.quiet:
            each = (time.monotonic() - started) / number
            report(f"{number} of {len(waiting)}, {each:.1f} s each, {each * (len(waiting) - number) / 60:.0f} min left")
    _write_failures(options.output, failed)
    if failed:
        report(f"{len(failed)} of {len(pieces)} photos have no mask; {options.output / FAILURES} says why")
        return FAILED
    return None


def _outcomes(waiting: list[Piece], config: Config, options: argparse.Namespace) -> Iterator[Outcome]:
    from ..batch import Outcome, segment_all

    if options.engine == "here":
        yield from segment_all(waiting, load_models(options), config, options.seed)
        return
    threads = options.threads or 1
    jobs = options.jobs or max(1, _cores() // threads)
    arguments = {"config": asdict(config), "seed": options.seed, "device": options.device, "half": options.half,
                 "compiled": options.compile}
    plain = [asdict(_anywhere(piece)) for piece in waiting]
    for found in work_on_ray(plain, "paintseg.batch:worker", arguments, jobs, threads, options.device):
        yield Outcome(**found)


def _anywhere(piece: Piece) -> Piece:
    """The piece with file names that hold in whatever folder a worker runs."""
    files = {name: os.path.abspath(value) for name in ("photo", "output", "scribble", "negative_scribble", "mask")
             if (value := getattr(piece, name))}
    return replace(piece, **files)


def _cores() -> int:
    from ..engines import connect

    return int(connect().cluster_resources().get("CPU", 1))


def _pieces(options: argparse.Namespace) -> list[Piece]:
    from ..listing import alike, read_pieces

    if any((options.soft, options.plate, options.cutout)):
        raise InputError("of many photos only masks are written; leave --soft, --plate and --cutout out")
    if options.jobs is not None and (options.jobs < 1 or options.engine == "here"):
        raise InputError(f"--jobs is the number of workers with --engine ray, at least 1, not {options.jobs}")
    target = options.output
    if target is None:
        raise InputError("many photos need a folder for their masks; give it with -o")
    if not options.photo.is_dir():
        raise InputError(f"with --prompts the photo is the folder that photos are in; {options.photo} is none")
    if target.exists() and not target.is_dir():
        raise InputError(f"the masks of many photos need a folder; {target} is a file")
    if target.resolve().is_relative_to(options.photo.resolve()):
        raise InputError("the folder for masks must not be in the folder of photos: masks would be taken for photos")
    if options.prompts:
        if any((options.auto, options.box, options.point, options.scribble, options.mask, options.negative,
                options.negative_scribble)):
            raise InputError("--prompts says what to find in every photo; leave the other prompts out")
        return read_pieces(options.prompts, options.photo, target)
    check_prompt_arguments(options)
    if options.auto and (options.negative or options.negative_scribble) and not (options.box or options.point):
        raise InputError("--auto finds an object and --negative keeps off one; add --box")
    files = {name: str(path) for name in ("scribble", "negative_scribble", "mask")
             if (path := getattr(options, name)) is not None}
    return alike(options.photo, target, box=options.box[0] if options.box else None, points=tuple(options.point),
                 negative_points=tuple(options.negative), auto=options.auto, **files)


def _same_settings(options: argparse.Namespace, config: Config) -> None:
    """Hold the folder to one set of parameters: masks of two would lie side by side unknown. Raises InputError."""
    from ..files import folder_for, written

    prompt = {name: getattr(options, name) for name in (
        "auto", "box", "point", "negative", "scribble", "negative_scribble", "mask", "prompts")}
    settings: dict[str, Any] = json.loads(json.dumps(
        {"config": asdict(config), "seed": options.seed, "prompt": prompt}, default=str))
    path = options.output / SETTINGS
    if path.exists():
        try:
            there = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise InputError(f"{path} is not what an earlier run left there: {error}") from error
        if there != settings:
            raise InputError(f"{options.output} holds masks made with other parameters or prompts; "
                             "give another folder, or empty that one")
        return
    with folder_for(options.output):
        if not os.access(options.output, os.W_OK):
            raise InputError(f"the folder {options.output} cannot be written to")
        with written(path) as temporary:
            temporary.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def _write_failures(target: Path, failed: list[Outcome]) -> None:
    import csv

    from ..files import written

    path = target / FAILURES
    if not failed:
        path.unlink(missing_ok=True)
        return
    with written(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened)
        writer.writerow(["photo", "output", "error"])
        writer.writerows([one.photo, one.output, one.error] for one in failed)
