"""`python -m paintseg layers photo.jpg --box 40,30,200,180 --box 90,20,300,210 -o photo.ora`"""

from __future__ import annotations

import argparse
from pathlib import Path

from ..config import MOST_CANDIDATES
from ..errors import InputError
from ..files import check_folder
from .console import report, report_note
from .method import add_method_arguments, load_models, read_config
from .prompting import add_prompt_arguments, check_prompt_arguments, discover, read_prompts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `layers`."""
    parser.add_argument("photo", type=Path, help="any picture Pillow reads")
    add_prompt_arguments(parser, several=True)
    parser.add_argument("--most", type=int, default=3, metavar="N",
                        help="objects that --auto finds at most (default 3)")
    parser.add_argument("--candidates", type=int, default=1, metavar="N",
                        help="paintings to choose from behind every object (default 1)")
    parser.add_argument("--shadow", action="store_true", help="take the objects' shadows out with them")
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
    for name in ("most", "candidates"):
        if not 1 <= getattr(options, name) <= MOST_CANDIDATES:
            raise InputError(f"--{name} must be 1 to {MOST_CANDIDATES}, not {getattr(options, name)}")
    target = options.output or options.photo.parent / f"{options.photo.stem}.ora"
    _check_target(target)

    from ..files import read_photo
    from ..layers import NamedLayer, peel, save_openraster, save_png_set

    config = read_config(options)
    image = read_photo(options.photo)
    prompts = read_prompts(options, tuple(image.shape[1:]))
    models = load_models(options)
    if options.auto and prompts != [None]:
        prompts = [discover(image, prompt, models.encoder) for prompt in prompts]
    found = peel(image, None if prompts == [None] else prompts, models.painter, models.encoder, config, options.seed,
                 options.candidates, options.shadow, options.most, None if options.quiet else _show)
    if not options.quiet:
        report_note(found.note)
    layers = [*(NamedLayer(f"object {number}", layer) for number, layer in enumerate(found.layers, start=1)),
              NamedLayer("background", found.plates[-1])]
    if target.suffix.lower() == ".ora":
        save_openraster(target, layers)
        print(target)
    else:
        for path in save_png_set(target, layers):
            print(path)


def _show(share: float) -> None:
    report(f"{share:.0%} of the objects taken out")


def _check_target(target: Path) -> None:
    if target.suffix.lower() == ".ora":
        check_folder(target, "-o")
    elif target.suffix or target.is_file():
        raise InputError(f"-o must be a file named .ora or a folder, not {target.name!r}")
    else:
        check_folder(target / "layers.json" if target.is_dir() else target, "-o")
