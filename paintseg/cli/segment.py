"""`python -m paintseg segment photo.jpg --box 40,30,200,180 -o mask.png`, and `segment FOLDER --auto -o MASKS`.

A photo has a mask for every box.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from .console import report_note
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
    add_method_arguments(parser)
    add_folder_arguments(parser)


def run(options: argparse.Namespace) -> int | None:
    """Segment one photo and write what was asked for, or the photos of a folder."""
    if options.photo.is_dir() or options.prompts:
        if len(options.box) > 1:
            raise InputError("in a folder one object per photo is segmented; give one box")
        return run_folder(options)
    if options.engine != "here" or options.jobs is not None:
        raise InputError(f"--engine and --jobs are for folders; {options.photo} is none")
    check_prompt_arguments(options)
    named = {"-o": options.output, "--soft": options.soft, "--cutout": options.cutout}
    named = {name: path for name, path in named.items() if path is not None}
    plate = {} if options.plate is None else {"--plate": options.plate}
    if not named and not plate:
        named = {"-o": beside(options.photo, "mask")}
    objects = max(1, len(options.box))
    for number in range(objects):
        part = {name: _numbered(path, number, objects) for name, path in named.items()}
        check_outputs(options.photo, part | plate, alpha=("--cutout",), lossless=("-o", "--soft"))

    from ..io.formats import to_image
    from ..io.pictures import write_images
    from ..io.reading import load_photo
    from ..layers.cutout import cut_out
    from ..layers.removal import remove

    config = read_config(options)
    photo = load_photo(options.photo)
    check_photo(options, photo, named | plate, pictures=("--plate",))
    models, found = _objects(photo.pixels, options, config)
    written = {}
    for number, (mask, soft) in enumerate(found):
        for name, path in named.items():
            target = _numbered(path, number, objects)
            written[target] = (
                photo.image_for(target, cut_out(photo.whole, soft))
                if name == "--cutout"
                else to_image(mask if name == "-o" else soft)
            )
    if options.plate:
        softs = [soft for _, soft in found]
        removed = remove(photo.whole, sum(softs[1:], softs[0]).clamp(max=1), models.painter, options.seed)
        written[options.plate] = photo.image_for(options.plate, removed)
    write_images(written)
    for path in written:
        print(path)
    return None


def _numbered(path: Path, number: int, objects: int) -> Path:
    """FILE of one object; FILE_1, FILE_2... of several."""
    return path if objects == 1 else path.with_name(f"{path.stem}_{number + 1}{path.suffix}")


def _objects(image: Tensor, options: argparse.Namespace, config: Config) -> tuple[Models, list[tuple[Tensor, Tensor]]]:
    """The models, and mask and soft mask of every object."""
    if len(options.box) < 2:
        models, (result,) = find_objects(image, options, config)
        return models, [(result.mask, result.soft)]
    from ..ops.images import size_of
    from ..tasks.several import segment_each

    prompts, models = read_prompts(options, size_of(image)), chosen_models(options)
    progress = show_steps(options, config)
    found = segment_each(image, prompts, models.painter, models.encoder, config, options.seed, progress=progress)
    for number, result in enumerate(found.results, start=1):
        if not options.quiet:
            report_note(result.note, f"object {number}")
    return models, list(zip(found.masks, found.soft, strict=True))
