"""`python -m paintseg layers photo.jpg --box 40,30,200,180 --box 90,20,300,210 -o photo.ora`"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..config import MOST_CHOICES
from ..errors import InputError
from ..io.pictures import check_folder
from .console import report, report_note
from .method import add_method_arguments, chosen_models, read_config
from .prompting import add_prompt_arguments, check_prompt_arguments, discover, read_prompts

if TYPE_CHECKING:
    from ..amcp.progress import Progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photo", type=Path, help="any picture Pillow reads")
    add_prompt_arguments(parser)
    parser.add_argument(
        "--most", type=int, default=3, metavar="N", help="objects that --auto finds at most (default 3)"
    )
    parser.add_argument(
        "--candidates",
        type=int,
        default=1,
        metavar="N",
        help="paintings to choose from behind every object (default 1)",
    )
    parser.add_argument("--shadow", action="store_true", help="take the objects' shadows out with them")
    group = parser.add_argument_group("what to write")
    group.add_argument(
        "--hidden-parts",
        action="store_true",
        help="what was hidden of an object becomes a layer of its own beneath it",
    )
    group.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE.ora, FILE.psd or FOLDER",
        help="an OpenRaster file, for Krita and GIMP, a PSD file, for Photoshop too, or a folder of PNGs "
        "(default: PHOTO.ora beside the photo)",
    )
    add_method_arguments(parser)


def run(options: argparse.Namespace) -> None:
    """Take the objects out of a photo one after the other, the one in front first, and keep each as a layer.

    Every object is looked for in the photo without those before it, so what they hid of it is painted.
    """
    check_prompt_arguments(options)
    for name in ("most", "candidates"):
        if not 1 <= getattr(options, name) <= MOST_CHOICES:
            raise InputError(f"--{name} must be 1 to {MOST_CHOICES}, not {getattr(options, name)}")
    target = options.output or options.photo.parent / f"{options.photo.stem}.ora"
    _check_target(target)

    from ..io.reading import load_photo
    from ..layers.amodal import peel
    from ..layers.openraster import save_openraster, save_png_set
    from ..layers.psd import save_psd
    from ..ops.images import size_of

    config = read_config(options)
    photo = load_photo(options.photo)
    image = photo.pixels
    prompts = read_prompts(options, size_of(image))
    models = chosen_models(options)
    if options.auto:
        prompts = [discover(image, prompt, models.encoder) for prompt in prompts]
    found = peel(
        photo.whole,
        prompts or None,
        models.painter,
        models.encoder,
        config,
        options.seed,
        options.candidates,
        options.shadow,
        options.most,
        None if options.quiet else _shown(),
    )
    if not options.quiet:
        report_note(found.note)
    layers = found.named("background", options.hidden_parts)
    save = {".ora": save_openraster, ".psd": save_psd}.get(target.suffix.lower())
    if save is not None:
        save(target, layers)
        print(target)
    else:
        for path in save_png_set(target, layers):
            print(path)


def _shown() -> Progress:
    """A line for every tenth of the work."""
    said = 0

    def show(share: float, _: object) -> None:
        nonlocal said
        if int(share * 10) > said:
            said = int(share * 10)
            report(f"{said * 10}% of the work is done")

    return show


def _check_target(target: Path) -> None:
    if target.suffix.lower() == ".ora":
        check_folder(target, "-o")
    elif target.suffix.lower() == ".psd":
        from ..layers.psd import check_psd

        check_psd(target, "-o")
    elif target.suffix or target.is_file():
        raise InputError(f"-o must be a file named .ora or .psd, or a folder, not {target.name!r}")
    else:
        check_folder(target / "layers.json" if target.is_dir() else target, "-o")
