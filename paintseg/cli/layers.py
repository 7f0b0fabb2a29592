"""`python -m paintseg layers photo.jpg --box 40,30,200,180 --box 90,20,300,210 -o photo.ora`"""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import InputError
from ..files import check_folder
from .console import report
from .method import add_method_arguments, find_object, load_models, read_config
from .prompting import add_prompt_arguments, check_prompt_arguments, read_prompts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `layers`."""
    parser.add_argument("photo", type=Path, help="any picture Pillow reads")
    add_prompt_arguments(parser, several=True)
    parser.add_argument("--most", type=int, default=3, metavar="N",
                        help="objects that --auto finds at most (default 3)")
    group = parser.add_argument_group("what to write")
    group.add_argument("-o", "--output", type=Path, metavar="FILE.ora or FOLDER",
                       help="an OpenRaster file, for Krita and GIMP, or a folder of PNGs "
                            "(default: PHOTO.ora beside the photo)")
    add_method_arguments(parser)


def run(options: argparse.Namespace) -> None:
    """Take the objects out of a photo one after the other, the one in front first, and keep each as a layer.

    Every object is looked for in the photo without those before it, so what they hid of it is painted.
    """
    check_prompt_arguments(options)
    if options.most < 1:
        raise InputError(f"--most must be at least 1, not {options.most}")
    target = options.output or options.photo.parent / f"{options.photo.stem}.ora"
    _check_target(target)

    from ..files import read_photo
    from ..layers import NamedLayer, cut_out, paint_out, save_openraster, save_png_set

    config = read_config(options)
    image = read_photo(options.photo)
    prompts = read_prompts(options, tuple(image.shape[1:]))
    models = load_models(options)
    if prompts == [None]:
        from ..discovery import coarse_masks
        from ..prompts import mask_prompt

        prompts = [mask_prompt(mask) for mask in coarse_masks(image, models.encoder, options.most)]
    layers = []
    for number, prompt in enumerate(prompts, start=1):
        if not options.quiet:
            report(f"object {number} of {len(prompts)}")
        soft = find_object(image, prompt, models, options, config).soft
        layers.append(NamedLayer(f"object {number}", cut_out(image, soft)))
        image = paint_out(image, soft, models.painter, options.seed).plate
    layers.append(NamedLayer("background", image))
    if target.suffix.lower() == ".ora":
        save_openraster(target, layers)
        print(target)
    else:
        for path in save_png_set(target, layers):
            print(path)


def _check_target(target: Path) -> None:
    if target.suffix.lower() == ".ora":
        check_folder(target, "-o")
    elif target.suffix or target.is_file():
        raise InputError(f"-o must be a file named .ora or a folder, not {target.name!r}")
    else:
        check_folder(target / "layers.json" if target.is_dir() else target, "-o")
