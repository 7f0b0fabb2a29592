"""`python -m paintseg segment photo.jpg --box 40,30,200,180 -o mask.png`, and `segment FOLDER --auto -o MASKS`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from .folder import add_folder_arguments, run_folder
from .method import add_method_arguments, beside, check_outputs, check_photo, find_objects, read_config
from .prompting import add_prompt_arguments, check_prompt_arguments
from .several import add_several_arguments, asks_for_several, run_several

if TYPE_CHECKING:
    from PIL.Image import Image

    from ..io.reading import Photo
    from ..painters import Painter
    from ..segmentation import Result


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `segment`."""
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
    add_several_arguments(parser)
    add_method_arguments(parser)
    add_folder_arguments(parser)


def run(options: argparse.Namespace) -> int | None:
    """Segment one photo and write what was asked for, or the photos of a folder."""
    if options.photo.is_dir() or options.prompts:
        if asks_for_several(options):
            raise InputError("in a folder one object per photo is segmented: one box, no --labels, no --candidates")
        return run_folder(options)
    if options.engine != "here" or options.jobs is not None:
        raise InputError(f"--engine and --jobs are for folders; {options.photo} is none")
    if asks_for_several(options):
        run_several(options)
        return None
    check_prompt_arguments(options)
    named = {"-o": options.output, "--soft": options.soft, "--plate": options.plate, "--cutout": options.cutout}
    targets = {name: path for name, path in named.items() if path is not None}
    if not targets:
        targets = {"-o": beside(options.photo, "mask")}
    check_outputs(options.photo, targets, alpha=("--cutout",), lossless=("-o", "--soft"))

    from ..io.pictures import write_images
    from ..io.reading import load_photo

    config = read_config(options)
    photo = load_photo(options.photo)
    check_photo(options, photo, targets, pictures=("--plate",))
    models, (result,) = find_objects(photo.pixels, options, config)
    write_images(
        {path: _product(name, path, photo, result, models.painter, options.seed) for name, path in targets.items()}
    )
    for path in targets.values():
        print(path)
    return None


def _product(name: str, path: Path, photo: Photo, result: Result, painter: Painter, seed: int) -> Image:
    from ..io.formats import to_image
    from ..layers import cut_out, remove

    if name == "--plate":
        return photo.image_for(path, remove(photo.whole, result.soft, painter, seed))
    if name == "--cutout":
        return photo.image_for(path, cut_out(photo.whole, result.soft))
    return to_image(result.mask if name == "-o" else result.soft)
