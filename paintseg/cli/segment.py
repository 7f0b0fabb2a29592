"""`python -m paintseg segment photo.jpg --box 40,30,200,180 -o mask.png`"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from .console import report
from .prompting import add_prompt_arguments, check_prompt_arguments, discover, read_prompt

if TYPE_CHECKING:
    from torch import Tensor

    from ..amcp import State
    from ..config import Config
    from ..models import Models
    from ..segment import Result

OUTPUTS = ("output", "soft", "plate", "cutout")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `segment`."""
    parser.add_argument("photo", type=Path, help="any picture Pillow reads")
    add_prompt_arguments(parser)
    group = parser.add_argument_group("what to write")
    group.add_argument("-o", "--output", type=Path, metavar="FILE",
                       help="the mask, white on black (without any of these: PHOTO_mask.png beside the photo)")
    group.add_argument("--soft", type=Path, metavar="FILE", help="the probability of the object, in grey")
    group.add_argument("--plate", type=Path, metavar="FILE", help="the photo without the object")
    group.add_argument("--cutout", type=Path, metavar="FILE", help="the object on transparency")
    add_method_arguments(parser)


def add_method_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments that say how: preset, parameters, seed, device."""
    group = parser.add_argument_group("how")
    group.add_argument("--preset", default="balanced", help="fast, balanced (default), best or paper")
    group.add_argument("--set", action="append", default=[], dest="options", metavar="NAME=VALUE",
                       help="change one parameter of the preset (repeat it for more)")
    group.add_argument("--size", type=int, metavar="PIXELS", help="longer side of what the painter works on")
    group.add_argument("--seed", type=int, default=0, help="the same seed gives the same result (default 0)")
    group.add_argument("--device", default="cpu", help="where the models run: cpu (default) or cuda")
    group.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: what torch chooses)")
    group.add_argument("-q", "--quiet", action="store_true", help="no progress")


def run(options: argparse.Namespace) -> None:
    """Segment one photo and write what was asked for."""
    check_prompt_arguments(options)
    targets = _targets(options)

    from ..files import read_photo, to_image, write_images

    config = read_config(options)
    image = read_photo(options.photo)
    prompt = read_prompt(options, tuple(image.shape[1:]))
    models = load_models(options)
    if options.auto:
        prompt = discover(image, prompt, models.encoder)
    from ..segment import segment

    result = segment(image, prompt, models.painter, models.encoder, config, options.seed,
                     progress=None if options.quiet else _progress(config))
    pictures = {path: to_image(values)
                for path, values in _results(image, result, targets, models, options.seed).items()}
    write_images(pictures)
    if result.note and not options.quiet:
        report(result.note)
    for path in pictures:
        print(path)


def read_config(options: argparse.Namespace) -> Config:
    """The parameters asked for. Raises InputError."""
    from ..config import preset
    from ..options import parse_options

    changes = parse_options(options.options)
    if options.size is not None:
        changes["size"] = options.size
    if not 0 <= options.seed < 2**63:
        raise InputError(f"the seed must be a whole number from 0 to {2**63 - 1}, not {options.seed}")
    return preset(options.preset, **changes)


def load_models(options: argparse.Namespace) -> Models:
    """The embedded models on the device asked for. Raises InputError."""
    import torch

    from ..models import embedded_models

    if options.threads is not None:
        if options.threads < 1:
            raise InputError(f"--threads must be at least 1, not {options.threads}")
        torch.set_num_threads(options.threads)
    return embedded_models(options.device)


def _targets(options: argparse.Namespace) -> dict[str, Path]:
    """What to write where, checked before any work."""
    from ..files import check_target

    targets = {name: getattr(options, name) for name in OUTPUTS if getattr(options, name) is not None}
    if not targets:
        targets = {"output": options.photo.with_name(f"{options.photo.stem}_mask.png")}
    taken = {options.photo.resolve(): "the photo itself"}
    for name, path in targets.items():
        what = "-o" if name == "output" else f"--{name}"
        check_target(path, what, alpha=name == "cutout", lossless=name in ("output", "soft"))
        if path.resolve() in taken:
            raise InputError(f"{what} {path} is {taken[path.resolve()]}; give another name")
        taken[path.resolve()] = what
    return targets


def _results(image: Tensor, result: Result, targets: dict[str, Path], models: Models, seed: int) -> dict[Path, Tensor]:
    found: dict[Path, Tensor] = {}
    for name, path in targets.items():
        if name == "output":
            found[path] = result.mask
        elif name == "soft":
            found[path] = result.soft
        elif name == "plate":
            from ..layers import remove

            found[path] = remove(image, result.soft, models.painter, seed)
        else:
            from ..layers import cut_out

            found[path] = cut_out(image, result.soft)
    return found


def _progress(config: Config):
    def show(state: State) -> None:
        share = float(state.mask.float().sum() / state.scene.shown.sum())
        kind = "inpainting" if state.direction == "I" else "outpainting"
        report(f"step {state.step} of {config.steps}, {kind}: the object covers {share:.1%} of the view")

    return show
