"""The arguments that say how, and the objects found that way; shared by the commands."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from .console import report
from .prompting import discover, read_prompts

if TYPE_CHECKING:
    from torch import Tensor

    from ..amcp import State
    from ..config import Config
    from ..models import Models
    from ..segment import Result


def add_method_arguments(parser: argparse.ArgumentParser) -> None:
    """Add preset, parameters, seed, device."""
    group = parser.add_argument_group("how")
    group.add_argument("--preset", default="balanced", help="fast, balanced (default), best or paper")
    group.add_argument("--set", action="append", default=[], dest="options", metavar="NAME=VALUE",
                       help="change one parameter of the preset (repeat it for more)")
    group.add_argument("--size", type=int, metavar="PIXELS", help="longer side of what the painter works on")
    group.add_argument("--seed", type=int, default=0, help="the same seed gives the same result (default 0)")
    group.add_argument("--device", default="cpu", help="where the models run: cpu (default) or cuda")
    group.add_argument("--half", action="store_true", help="the encoder in bfloat16: faster where the device has it")
    group.add_argument("--compile", action="store_true", help="translate the encoder first (torch.compile)")
    group.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: what torch chooses)")
    group.add_argument("-q", "--quiet", action="store_true", help="no progress")


def read_config(options: argparse.Namespace) -> Config:
    """The parameters asked for. Raises InputError."""
    from ..config import preset
    from ..options import parse_options

    changes = parse_options(options.options)
    if getattr(options, "size", None) is not None:
        changes["size"] = options.size
    if not 0 <= options.seed < 2**63:
        raise InputError(f"the seed must be a whole number from 0 to {2**63 - 1}, not {options.seed}")
    most = 4 * (os.cpu_count() or 16)  # torch starts them all at once, and fails or hangs on thousands
    if options.threads is not None and not 1 <= options.threads <= most:
        raise InputError(f"--threads must be 1 to {most} on this machine, not {options.threads}")
    return preset(options.preset, **changes)


def load_models(options: argparse.Namespace) -> Models:
    """The embedded models on the device and with the threads asked for. Raises InputError."""
    import torch

    from ..models import embedded_models

    if options.threads is not None:
        torch.set_num_threads(options.threads)
    return embedded_models(options.device, options.half, options.compile)


def beside(photo: Path, what: str) -> Path:
    """Where a result goes that nobody named: PHOTO_mask.png for the mask of a photo, in its folder."""
    return photo.parent / f"{photo.stem}_{what}.png"


def check_outputs(photo: Path, targets: Mapping[str, Path], alpha: tuple[str, ...] = (),
                  lossless: tuple[str, ...] = ()) -> None:
    """Refuse names that could not be written, or twice the same, before any work. Raises InputError.

    Args:
        photo: the one that is read, never to be overwritten.
        targets: by the argument that named them; those in `alpha` are transparent, those in `lossless` are
            no JPEG.
    """
    from ..files import check_target

    taken = {photo.resolve(): "the photo itself"}
    for name, path in targets.items():
        check_target(path, name, alpha=name in alpha, lossless=name in lossless)
        if path.resolve() in taken:
            raise InputError(f"{name} {path} is {taken[path.resolve()]}; give another name")
        taken[path.resolve()] = f"already {name}"


def find_objects(image: Tensor, options: argparse.Namespace, config: Config) -> tuple[Models, list[Result]]:
    """The models, and what they found for every prompt in the photo 3 x H x W. Raises InputError."""
    prompts = read_prompts(options, tuple(image.shape[1:]))
    models = load_models(options)
    if options.auto:
        prompts = [discover(image, prompt, models.encoder) for prompt in prompts]
    from ..segment import segment

    results = []
    for prompt in prompts:
        result = segment(image, prompt, models.painter, models.encoder, config, options.seed,
                         progress=None if options.quiet else show_steps(config))
        if result.note and not options.quiet:
            report(result.note)
        results.append(result)
    return models, results


def show_steps(config: Config) -> Callable[[State], None]:
    """Progress on stderr, a line per step."""

    def show(state: State) -> None:
        share = float(state.mask.float().sum() / state.scene.shown.sum())
        kind = "inpainting" if state.direction == "I" else "outpainting"
        report(f"step {state.step} of {config.steps}, {kind}: the object covers {share:.1%} of the view")

    return show
