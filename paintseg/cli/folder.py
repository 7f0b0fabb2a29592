"""`python -m paintseg segment FOLDER --auto -o MASKS`: many photos, here or on a cluster, going on after a stop."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..tasks.ray_cluster import ENGINES, connect, work_on_ray
from .console import FAILED, report, report_note
from .method import chosen_models, read_config
from .prompting import check_prompt_arguments

if TYPE_CHECKING:
    from ..config import Config
    from ..io.ledger import Ledger
    from ..io.listing import Piece
    from ..tasks.batch import Outcome

_SAID = ("auto", "box", "point", "negative", "invert")
"""The arguments of a prompt that name no file."""

SETTINGS, FAILURES, LEDGER = "settings.json", "failed.csv", "made.jsonl"


def add_folder_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "many photos",
        "Give a folder and -o FOLDER: every picture gets its mask there, below the same names. The same "
        "command again goes on where it stopped. The prompt given is every picture's, or --prompts.",
    )
    group.add_argument(
        "--prompts",
        type=Path,
        metavar="FILE",
        help="JSON or CSV: photo, and box, points, negative_points, scribble, mask, invert, auto, output",
    )
    group.add_argument(
        "--engine",
        choices=ENGINES,
        default="here",
        help="here (default), or ray: on a Ray cluster (extra ray; RAY_ADDRESS names the cluster)",
    )
    group.add_argument("--jobs", type=int, metavar="N", help="workers of the cluster (default: as many as fit)")


def run_folder(options: argparse.Namespace) -> int | None:
    """Segment many photos. Returns 1 when some could not be, after all others."""
    pieces, config = _pieces(options), read_config(options)
    _check_that_it_is_ours(options.output, pieces)
    _same_settings(options, config)
    from ..io.ledger import Ledger

    ledger = Ledger(options.output / LEDGER, options.output)
    waiting = [piece for piece in pieces if not ledger.holds(piece)]
    if not options.quiet:
        _say_what_is_there(pieces, waiting, ledger)
    known = {os.path.abspath(piece.output): piece for piece in waiting}
    failed: list[Outcome] = []
    started = time.monotonic()
    outcomes = _outcomes(waiting, config, options) if waiting else iter(())
    try:
        for number, outcome in enumerate(outcomes, start=1):
            if outcome.error:
                failed.append(outcome)
                _drop(known[os.path.abspath(outcome.output)], ledger)
                report(f"{outcome.photo}: {outcome.error}")
            else:
                ledger.add(known[os.path.abspath(outcome.output)], outcome.files)
                if not options.quiet:
                    report_note(outcome.note, outcome.photo)
                print(outcome.output, flush=True)
            if not options.quiet:
                each = (time.monotonic() - started) / number
                left = each * (len(waiting) - number) / 60
                report(f"{number} of {len(waiting)}, {each:.1f} s each, {left:.0f} min left")
    except BaseException:
        if failed:
            _write_failures(options.output, failed)
        raise
    _write_failures(options.output, failed)
    if failed:
        report(f"{len(failed)} of {len(pieces)} photos have no mask; {options.output / FAILURES} says why")
        return FAILED
    return None


def _check_that_it_is_ours(target: Path, pieces: list[Piece]) -> None:
    """Write over no picture that no run has made. Raises InputError."""
    if not (target / SETTINGS).exists():
        for piece in pieces:
            if os.path.lexists(piece.output):
                raise InputError(f"{piece.output} is there and was not made by this command; give another folder")


def _say_what_is_there(pieces: list[Piece], waiting: list[Piece], ledger: Ledger) -> None:
    if len(waiting) < len(pieces):
        report(f"{len(pieces) - len(waiting)} of {len(pieces)} masks are there already")
    if stale := sum(ledger.knows(piece) and os.path.lexists(piece.output) for piece in waiting):
        report(f"{stale} masks are of another prompt or another photo than now, and are made again")


def _drop(piece: Piece, ledger: Ledger) -> None:
    """Remove the mask that an earlier run made of another prompt or photo, now that there is none of these."""
    if ledger.knows(piece):
        with suppress(OSError):
            os.unlink(piece.output)


def _outcomes(waiting: list[Piece], config: Config, options: argparse.Namespace) -> Iterator[Outcome]:
    from ..tasks.batch import Outcome, segment_all

    if options.engine == "here":
        yield from segment_all(waiting, chosen_models(options), config, options.seed)
        return
    threads = options.threads or 1
    jobs = options.jobs or max(1, int(connect().cluster_resources().get("CPU", 1)) // threads)
    arguments = {"config": asdict(config), "seed": options.seed, "device": options.device, "half": _half(options)}
    plain = [asdict(_anywhere(piece)) for piece in waiting]
    for found in work_on_ray(plain, "paintseg.tasks.batch:worker", arguments, jobs, threads, options.device):
        yield Outcome(**found)


def _anywhere(piece: Piece) -> Piece:
    """The piece with file names that hold in whatever folder a worker runs."""
    from ..io.listing import FILES

    files = {name: os.path.abspath(value) for name in ("output", *FILES) if (value := getattr(piece, name))}
    return replace(piece, **files)


def _pieces(options: argparse.Namespace) -> list[Piece]:
    from ..io.listing import alike, read_pieces
    from ..io.photos import look_into
    from ..prompts import MAPS

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
        if any(getattr(options, name) for name in (*_SAID, *MAPS)):
            raise InputError("--prompts says what to find in every photo; leave the other prompts out")
        return read_pieces(options.prompts, options.photo, target)
    check_prompt_arguments(options)
    if options.auto and (options.negative or options.negative_scribble) and not (options.box or options.point):
        raise InputError("--auto finds an object and --negative keeps off one; add --box")
    files = {name: str(path) for name in MAPS if (path := getattr(options, name)) is not None}
    photos = look_into(options.photo, without=target)
    if photos.left_out and not options.quiet:
        report(photos.left_out)
    return alike(
        options.photo,
        target,
        photos.paths,
        box=options.box[0] if options.box else None,
        points=tuple(options.point),
        negative_points=tuple(options.negative),
        auto=options.auto,
        invert=options.invert,
        **files,
    )


def _said(options: argparse.Namespace) -> dict[str, Any]:
    """The prompt of all photos, files by what is in them; of a list nothing, since every mask knows its own entry."""
    from ..io.ledger import stamp
    from ..prompts import MAPS

    prompt = {name: getattr(options, name) for name in _SAID}
    files = {name: stamp(path)[2] for name in MAPS if (path := getattr(options, name)) is not None}
    return {"list": True} if options.prompts else {**prompt, **files}


def _same_settings(options: argparse.Namespace, config: Config) -> None:
    """Hold the folder to one set of parameters: masks of two would lie side by side unknown. Raises InputError."""
    from ..io.pictures import folder_for, write_json

    settings: dict[str, Any] = json.loads(
        json.dumps({"config": asdict(config), "seed": options.seed, "half": _half(options), "prompt": _said(options)})
    )
    path = options.output / SETTINGS
    if path.exists():
        try:
            there = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise InputError(f"{path} is not what an earlier run left there: {error}") from error
        if there != settings:
            raise InputError(
                f"{options.output} holds masks made with other parameters or prompts; "
                "give another folder, or empty that one"
            )
        return
    with folder_for(options.output):
        if not os.access(options.output, os.W_OK):
            raise InputError(f"the folder {options.output} cannot be written to")
        write_json(path, settings)


def _write_failures(target: Path, failed: list[Outcome]) -> None:
    import csv

    from ..io.pictures import written

    path = target / FAILURES
    if not failed:
        path.unlink(missing_ok=True)
        return
    # Names may hold bytes that are no text.
    with (
        written(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8", errors="surrogateescape") as opened,
    ):
        writer = csv.writer(opened)
        writer.writerow(["photo", "output", "error"])
        writer.writerows([one.photo, one.output, one.error] for one in failed)


def _half(options: argparse.Namespace) -> bool:
    """Whether the encoder computes in bfloat16: what this machine finds is told to all workers."""
    from ..ops.precision import takes_half

    return takes_half(options.half, options.device)
