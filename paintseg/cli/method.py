"""The arguments that say how, and the objects found that way; shared by the commands."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from .console import HALVES, report, report_note
from .parameters import add_parameters, parse_options
from .prompting import discover, read_prompts

if TYPE_CHECKING:
    from torch import Tensor

    from ..amcp.loop import State
    from ..config import Config
    from ..io.reading import Photo
    from ..models import Models
    from ..prompts import Prompt
    from ..segmentation import Result


def add_method_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how")
    add_parameters(group)
    group.add_argument("--largest-piece", action="store_true", help="one piece per mask, as --set pieces=largest")
    group.add_argument("--size", type=int, metavar="PIXELS", help="longer side of what the painter works on")
    group.add_argument("--seed", type=int, default=0, help="the same seed gives the same result (default 0)")
    group.add_argument("--device", default="cpu", help="where the models run: cpu (default) or cuda")
    add_half(group)
    group.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: what torch chooses)")
    group.add_argument("-q", "--quiet", action="store_true", help="no progress")


def add_half(group: argparse._ActionsContainer) -> None:
    """Add `--half`, alone or with a word."""
    group.add_argument(
        "--half",
        nargs="?",
        const="on",
        default="off",
        choices=HALVES,
        help="the encoder in bfloat16, faster where the device computes in it; auto: only there (default off)",
    )


def read_config(options: argparse.Namespace) -> Config:
    """The parameters asked for. Raises InputError."""
    from ..config import preset

    changes = parse_options(options.options)
    if getattr(options, "size", None) is not None:
        changes["size"] = options.size
    if getattr(options, "largest_piece", False):
        if changes.get("pieces", "largest") != "largest":
            raise InputError(f"--largest-piece and --set pieces={changes['pieces']} say different things; give one")
        changes["pieces"] = "largest"
    if not 0 <= options.seed < 2**63:
        raise InputError(f"the seed must be a whole number from 0 to {2**63 - 1}, not {options.seed}")
    most = 4 * (os.cpu_count() or 16)  # torch starts them all at once, and fails or hangs on thousands
    if options.threads is not None and not 1 <= options.threads <= most:
        raise InputError(f"--threads must be 1 to {most} on this machine, not {options.threads}")
    return preset(options.preset, **changes)


def chosen_models(options: argparse.Namespace) -> Models:
    """The embedded models on the device and with the threads asked for. Raises InputError."""
    import torch

    from ..models import load_models

    if options.threads is not None:
        torch.set_num_threads(options.threads)
    return load_models(options.device, options.half)


def beside(photo: Path, what: str) -> Path:
    """Where a result goes that nobody named: PHOTO_mask.png for the mask of a photo, in its folder."""
    return photo.parent / f"{photo.stem}_{what}.png"


def check_outputs(
    photo: Path, targets: Mapping[str, Path], alpha: tuple[str, ...] = (), lossless: tuple[str, ...] = ()
) -> None:
    """Refuse names that could not be written, or twice the same, before any work. Raises InputError.

    Args:
        photo: the one that is read, never to be overwritten.
        targets: by the argument that named them; those in `alpha` are transparent, those in `lossless` are no JPEG.
    """
    from ..io.pictures import check_target

    taken = {photo.resolve(): "the photo itself"}
    for name, path in targets.items():
        check_target(path, name, alpha=name in alpha, lossless=name in lossless)
        if path.resolve() in taken:
            raise InputError(f"{name} {path} is {taken[path.resolve()]}; give another name")
        taken[path.resolve()] = f"already {name}"


def check_photo(
    options: argparse.Namespace, photo: Photo, targets: Mapping[str, Path], pictures: tuple[str, ...] = ()
) -> None:
    """Refuse names whose format cannot hold what is made of this photo, before any work. Raises InputError.

    Args:
        targets: as in `check_outputs`. pictures: those that are as transparent as the photo.
    """
    from ..io.formats import WITH_ALPHA, check_side
    from ..ops.images import size_of

    for name, path in targets.items():
        check_side(path, name, size_of(photo.pixels))
        if photo.alpha is not None and name in pictures and path.suffix.lower() not in WITH_ALPHA:
            raise InputError(
                f"{options.photo} is transparent in places, which a {path.suffix} file cannot hold; "
                f"name {name} {', '.join(WITH_ALPHA)}"
            )


def find_objects(image: Tensor, options: argparse.Namespace, config: Config) -> tuple[Models, list[Result]]:
    """The models, and what they found for every prompt in the photo 3 x H x W. Raises InputError."""
    from ..ops.images import size_of

    prompts = read_prompts(options, size_of(image))
    models = chosen_models(options)
    if options.auto:
        said: Sequence[Prompt | None] = prompts or [None]
        prompts = [discover(image, prompt, models.encoder) for prompt in said]
    from ..segmentation import segment

    results, progress = [], show_steps(options, config)
    for prompt in prompts:
        result = segment(image, prompt, models.painter, models.encoder, config, options.seed, progress=progress)
        if not options.quiet:
            report_note(result.note)
        results.append(result)
    return models, results


def show_steps(options: argparse.Namespace, config: Config) -> Callable[[State], None] | None:
    """Progress on stderr, a line per step; None with --quiet."""

    def show(state: State) -> None:
        share = float(state.mask.float().sum() / state.scene.shown.sum())
        kind = "inpainting" if state.direction == "I" else "outpainting"
        report(f"step {state.step} of {config.steps}, {kind}: the object covers {share:.1%} of the view")

    return None if options.quiet else show
