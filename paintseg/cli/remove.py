"""`python -m paintseg remove photo.jpg --box 40,30,200,180 -o plate.png`"""

from __future__ import annotations

import argparse
from pathlib import Path

from ..config import MOST, MOST_CHOICES
from ..errors import InputError
from .method import add_method_arguments, beside, check_outputs, check_photo, chosen_models, find_objects, read_config
from .prompting import add_prompt_arguments, check_prompt_arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photo", type=Path, help="any picture Pillow reads")
    add_prompt_arguments(parser)
    parser.add_argument("--exact", action="store_true", help="take --mask as it is, without segmenting")
    group = parser.add_argument_group("what to write")
    group.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="the photo without the object (default: PHOTO_plate.png beside the photo)",
    )
    group.add_argument("--candidates", type=int, default=1, metavar="N", help="paintings to choose from (default 1)")
    group.add_argument(
        "--grow", type=int, metavar="PIXELS", help="how far beyond the object to paint (default: by its size)"
    )
    group.add_argument("--shadow", action="store_true", help="take the object's shadow out with it")
    add_method_arguments(parser)


def run(options: argparse.Namespace) -> None:
    """Take the object, or all the objects in several boxes, out of a photo."""
    check_prompt_arguments(options)
    if options.exact and not options.mask:
        raise InputError("--exact goes with --mask")
    for name, least, most in (("candidates", 1, MOST_CHOICES), ("grow", 0, MOST)):
        if (value := getattr(options, name)) is not None and not least <= value <= most:
            raise InputError(f"--{name} must be {least} to {most}, not {value}")
    target = options.output or beside(options.photo, "plate")
    check_outputs(options.photo, {"-o": target})

    from ..io.masks import read_mask
    from ..io.pictures import write_image
    from ..io.reading import load_photo
    from ..layers.removal import paint_out
    from ..ops.images import resize_mask, size_of

    config = read_config(options)
    photo = load_photo(options.photo)
    check_photo(options, photo, {"-o": target}, pictures=("-o",))
    if options.exact:
        mask = resize_mask(read_mask(options.mask, options.invert), size_of(photo.pixels))
        models = chosen_models(options)
    else:
        models, results = find_objects(photo.pixels, options, config)
        mask = results[0].soft
        for result in results[1:]:
            mask = mask.maximum(result.soft)
    removal = paint_out(
        photo.whole,
        mask,
        models.painter,
        options.seed,
        options.grow,
        options.candidates,
        options.shadow,
        models.encoder,
    )
    write_image(target, photo.image_for(target, removal.plate))
    print(target)
