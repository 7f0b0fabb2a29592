#!/usr/bin/env python3
"""The paper's tables, measured with your own painters on the sets as their authors distribute them.

    python scripts/examples/reproduce_paper.py --sets ~/data --painters ~/models/inpainting --tables 1,2,3

--sets holds a folder per set, unpacked: DUTS-TE, ECSSD, VOC2012 or VOCdevkit, COCO_MVal or COCO, GrabCut, Berkeley,
DAVIS, SBD, PartImageNet. Sets that are not there leave their cells empty. --painters holds folders in diffusers' layout
and checkpoints (.safetensors) as ComfyUI keeps them, for which diffusers fetches a configuration once. By default phi
(--phi) is a folder with a `vqvae`, which is the paper's latent diffusion, else the first painter; psi (--psi) is one
with "inpaint" in its name, else phi. Without --painters the embedded painter is measured.

What is finished stands in --work, and the same command goes on there. With --limit and --stride fewer objects of each
set are measured; the table says how many were. The preset paper is section 5.2 of Li et al. 2023 (arXiv 2305.19406),
with 50 iterations and guidance 7.5. Other painters need the extra `diffusers`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout need not be installed
sys.path.append(str(Path(__file__).resolve().parents[1]))

from harness.pipelines import load_pipeline
from reproduction.importing import find_set, import_set
from reproduction.paper import NAMES, Cell, cells, table

from paintseg.cli.console import guarded, report
from paintseg.cli.parameters import check_least, parse_options
from paintseg.errors import InputError
from paintseg.eval.command import make_work, shown
from paintseg.eval.datasets import read_manifest, thin_out
from paintseg.eval.methods import PAINTERS
from paintseg.eval.prompting import STROKES
from paintseg.eval.records import Records, Row
from paintseg.eval.run import evaluate
from paintseg.eval.task import CLICKS, Task
from paintseg.painters.diffusers import DiffusersPainter


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; 0 done, 2 for input that cannot be used, 130 interrupted."""
    style = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="reproduce_paper.py", description=__doc__, formatter_class=style)
    parser.add_argument("--sets", type=Path, required=True, help="a folder with a folder per set")
    parser.add_argument("--painters", type=Path, help="a folder of diffusers pipelines and checkpoints")
    parser.add_argument("--phi", help="the painter of I-steps, by its name in --painters")
    parser.add_argument("--psi", help="the painter of O-steps, likewise")
    parser.add_argument("--iterations", type=int, default=50, help="of the samplers (default 50)")
    parser.add_argument(
        "--encoder",
        default="embedded",
        metavar="NAME=FILE",
        help="the paper's is vit_small_patch8_224.dino=FILE.safetensors; the embedded DINOv2 S/14 by default",
    )
    parser.add_argument("--tables", default=",".join(NAMES), help=f"with commas (default all: {','.join(NAMES)})")
    parser.add_argument("--limit", type=int, help="of every set only so many objects")
    parser.add_argument("--stride", type=int, default=1, help="of every set every K-th object")
    parser.add_argument("--set", action="append", default=[], dest="options", metavar="NAME=VALUE")
    parser.add_argument("--preset", default="paper")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda", help="cuda (default) or cpu")
    parser.add_argument("--work", type=Path, default=Path("output", "paper"), help="for sets and finished objects")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress")
    return guarded(lambda: run(parser.parse_args(arguments)))


def run(options: argparse.Namespace) -> None:
    """Everything between the arguments and the table."""
    check_least(options, "limit", "stride")
    base = Task(
        preset=options.preset,
        changes=tuple(parse_options(options.options).items()),
        seed=options.seed,
        encoder=options.encoder,
        painter=chosen_painters(options),
        iterations=options.iterations,
    )
    wanted = cells([name.strip() for name in options.tables.split(",")], base)
    bring_sets(options, wanted)
    print(table(measured(options, wanted)))


def chosen_painters(options: argparse.Namespace) -> str:
    """phi, or phi and psi with a comma, as `Task.painter` takes them. Raises InputError."""
    if options.painters is None:
        if options.phi or options.psi:
            raise InputError("--phi and --psi name painters in the folder --painters; give that too")
        return "embedded"
    there = sorted(options.painters.glob("*")) if options.painters.is_dir() else []
    usable = [path for path in there if path.suffix == ".safetensors" or path.is_dir()]
    if not usable:
        raise InputError(f"{options.painters} holds neither diffusers pipelines nor checkpoints")
    names = {path.name: path for path in usable}
    for given, what in ((options.phi, "--phi"), (options.psi, "--psi")):
        if given and given not in names:
            raise InputError(f"{what} must be one of {', '.join(names)} in {options.painters}, not {given}")
    latent = [path for path in usable if (path / "vqvae").is_dir()]
    inpainting = [path for path in usable if "inpaint" in path.name.lower() and path not in latent]
    phi = names[options.phi] if options.phi else [*latent, *usable][0]
    psi = names[options.psi] if options.psi else [*inpainting, phi][0]
    for path in (phi, psi):
        PAINTERS[str(path)] = partial(painter_of, str(path))
    return str(phi) if phi == psi else f"{phi},{psi}"


def painter_of(path: str, iterations: int, device: str) -> DiffusersPainter:
    """A pipeline as a painter with the paper's empty prompt and guidance."""
    return DiffusersPainter(pipeline_of(path, device), prompt="", steps=iterations, guidance=7.5)


@lru_cache(maxsize=2)
def pipeline_of(path: str, device: str) -> object:
    """A pipeline, read once whatever the iterations."""
    return load_pipeline(path, device)


def bring_sets(options: argparse.Namespace, wanted: Sequence[Cell]) -> None:
    """Bring the sets that cells need, and that are there, to the evaluation's layout in --work."""
    for name in dict.fromkeys(cell.dataset for cell in wanted):
        source = find_set(options.sets, name)
        if source is None:
            report(f"{options.sets} holds no folder of {name}; its cells stay empty")
            continue
        count = import_set(source, name, options.work, options.limit, options.stride)
        report(f"{name}: {count} objects from {source}")


def measured(options: argparse.Namespace, wanted: Sequence[Cell]) -> list[tuple[Cell, list[Row]]]:
    """Every cell with its rows, none where its set or its strokes are missing. Raises InputError when all are."""
    if not (options.work / "manifest.csv").is_file():
        raise InputError(f"{options.sets} holds none of the sets of the tables asked for")
    members = read_manifest(options.work)
    instances = thin_out(members, options.limit)
    pieces, owners = [], []
    for number, cell in enumerate(wanted):
        mine = [one for one in instances if one.dataset == cell.dataset]
        strokes = None if cell.task.prompt == CLICKS else STROKES.get(cell.task.prompt)
        mine = [one for one in mine if strokes is None or one.scribble_path(strokes).exists()]
        if mine:
            work = make_work([cell.task], mine, members)
            pieces += work
            owners += [number] * len(work)
    if not pieces:
        raise InputError(f"{options.sets} holds none of the sets of the tables asked for")
    with shown(len(pieces), options.quiet) as progress:
        found = evaluate(pieces, Records(options.work / "rows.csv"), progress, options.device)
    rows: list[list[Row]] = [[] for _ in wanted]
    for owner, answers in zip(owners, found, strict=True):
        rows[owner].append(answers[-1])
    return list(zip(wanted, rows, strict=True))


if __name__ == "__main__":
    sys.exit(main())
