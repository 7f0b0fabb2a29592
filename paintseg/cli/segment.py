"""`python -m paintseg segment photo.jpg --box 40,30,200,180 -o mask.png`, and `segment FOLDER --auto -o MASKS`.

A photo may have more than one mask: an object per box, or what a point may mean.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from .console import report, report_note
from .folder import add_folder_arguments, run_folder
from .method import (
    add_method_arguments,
    beside,
    check_outputs,
    check_photo,
    chosen_models,
    find_objects,
    read_config,
    show_steps,
)
from .prompting import add_prompt_arguments, check_prompt_arguments, read_prompts

if TYPE_CHECKING:
    from torch import Tensor

    from ..config import Config
    from ..models import Models

    Found = tuple[Models, list[tuple[Tensor, Tensor]], Tensor | None]

MOST = 3
"""Candidates at most; as `candidates.MOST`, without loading it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photo", type=Path, help="any picture Pillow reads, or a folder of them (see: many photos)")
    add_prompt_arguments(parser)
    group = parser.add_argument_group("what to write")
    group.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="the mask, white on black (if nothing is named: PHOTO_mask.png beside the photo)",
    )
    group.add_argument("--soft", type=Path, metavar="FILE", help="the probability of the object, in grey")
    group.add_argument("--plate", type=Path, metavar="FILE", help="the photo without the object")
    group.add_argument("--cutout", type=Path, metavar="FILE", help="the object on transparency")
    group = parser.add_argument_group("more than one mask")
    group.add_argument(
        "--labels",
        type=Path,
        metavar="FILE",
        help="several boxes in one picture: 0 the background, n the n-th box's object. Their masks, "
        "which do not overlap, are named FILE_1, FILE_2, ...",
    )
    group.add_argument(
        "--candidates",
        action="store_true",
        help=f"up to {MOST} masks that a point or stroke may mean, the best one named FILE, the others FILE_2, FILE_3",
    )
    add_method_arguments(parser)
    add_folder_arguments(parser)


def run(options: argparse.Namespace) -> int | None:
    """Segment one photo and write what was asked for, or the photos of a folder."""
    if options.photo.is_dir() or options.prompts:
        if options.candidates or options.labels is not None or len(options.box) > 1:
            raise InputError("in a folder one object per photo is segmented: one box, no --labels, no --candidates")
        return run_folder(options)
    if options.engine != "here" or options.jobs is not None:
        raise InputError(f"--engine and --jobs are for folders; {options.photo} is none")
    check_prompt_arguments(options)
    objects = len(options.box)
    if options.candidates and (options.box or options.mask or options.auto or options.labels):
        raise InputError("--candidates is for points and strokes alone: boxes and masks say how large the object is")
    if options.labels and objects < 2:
        raise InputError("--labels is for several objects; give a box for each")
    named = {"-o": options.output, "--soft": options.soft, "--cutout": options.cutout}
    named = {name: path for name, path in named.items() if path is not None}
    once = {name: path for name, path in (("--plate", options.plate), ("--labels", options.labels)) if path is not None}
    if not named and not once:
        named = {"-o": beside(options.photo, "mask")}
    targets = _numbered(named, MOST if options.candidates else max(1, objects), "_1" if objects > 1 else "")
    for place in {place for _, place in targets} or {0}:
        part = {name: path for (name, other), path in targets.items() if other == place}
        check_outputs(options.photo, part | once, alpha=("--cutout",), lossless=("-o", "--soft", "--labels"))
    if len({path.resolve() for path in targets.values()}) < len(targets):
        raise InputError("two of the numbered files would have one name; give other names")

    from ..io.formats import to_image
    from ..io.pictures import write_images
    from ..io.reading import load_photo
    from ..layers.cutout import cut_out
    from ..layers.removal import remove

    config = read_config(options)
    photo = load_photo(options.photo)
    check_photo(options, photo, named | once, pictures=("--plate",))
    models, found, labels = (_candidates if options.candidates else _objects)(photo.pixels, options, config)
    written = {}
    for (name, place), path in targets.items():
        if place < len(found):
            mask, soft = found[place]
            written[path] = (
                photo.image_for(path, cut_out(photo.whole, soft))
                if name == "--cutout"
                else to_image(mask if name == "-o" else soft)
            )
    if options.plate:
        softs = [soft for _, soft in (found[:1] if options.candidates else found)]
        plate = remove(photo.whole, sum(softs[1:], softs[0]).clamp(max=1), models.painter, options.seed)
        written[options.plate] = photo.image_for(options.plate, plate)
    if options.labels and labels is not None:
        written[options.labels] = to_image(labels.clamp(max=255) / 255)
    write_images(written)
    for path in written:
        print(path)
    return None


def _numbered(named: dict[str, Path], count: int, first: str) -> dict[tuple[str, int], Path]:
    """Each name's files, one per mask: FILE`first`, FILE_2, FILE_3..."""
    numbers = [first, *(f"_{number}" for number in range(2, count + 1))]
    return {
        (name, place): path.with_name(f"{path.stem}{number}{path.suffix}")
        for name, path in named.items()
        for place, number in enumerate(numbers)
    }


def _objects(image: Tensor, options: argparse.Namespace, config: Config) -> Found:
    if len(options.box) < 2:
        models, (result,) = find_objects(image, options, config)
        return models, [(result.mask, result.soft)], None
    from ..ops.images import size_of
    from ..tasks.several import segment_each

    prompts, models = read_prompts(options, size_of(image)), chosen_models(options)
    progress = show_steps(options, config)
    found = segment_each(image, prompts, models.painter, models.encoder, config, options.seed, progress=progress)
    for number, result in enumerate(found.results, start=1):
        if not options.quiet:
            report_note(result.note, f"object {number}")
    return models, list(zip(found.masks, found.soft, strict=True)), found.labels


def _candidates(image: Tensor, options: argparse.Namespace, config: Config) -> Found:
    from ..ops.images import size_of
    from ..tasks.candidates import candidates

    (prompt,) = read_prompts(options, size_of(image))
    models, progress = chosen_models(options), show_steps(options, config)
    found = candidates(image, prompt, models.painter, models.encoder, config, options.seed, progress=progress)
    for number, one in enumerate(found, start=1):
        if not options.quiet:
            report(f"candidate {number}: score {one.score.total:.4f}, {float(one.result.mask.float().mean()):.1%}")
            report_note(one.result.note, f"candidate {number}")
    return models, [(one.result.mask, one.result.soft) for one in found], None
