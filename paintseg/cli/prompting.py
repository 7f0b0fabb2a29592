"""The arguments that point at an object, and the prompt they make."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from ..encoders import Encoder
    from ..prompts import Box, Point, Prompt


def box(text: str) -> Box:
    """`x0,y0,x1,y1` in pixels."""
    return _numbers(text, 4, "a box is x0,y0,x1,y1")


def point(text: str) -> Point:
    """`x,y` in pixels."""
    return _numbers(text, 2, "a point is x,y")


def add_prompt_arguments(parser: argparse.ArgumentParser, several: bool = False) -> None:
    """Add --box, --point and the others; with `several` every box names an object of its own."""
    group = parser.add_argument_group(
        "the object", "In pixels of the upright photo, x right, y down. Box, points and strokes add up.")
    group.add_argument("--box", type=box, metavar="X0,Y0,X1,Y1", action="append", default=[],
                       help="a box around the object; x1 and y1 are the first pixels behind it"
                            + ("; repeat it for several objects" if several else ""))
    group.add_argument("--point", type=point, action="append", default=[], metavar="X,Y",
                       help="a point on the object; repeat it for more")
    group.add_argument("--negative", type=point, action="append", default=[], metavar="X,Y",
                       help="a point on what is not the object; repeat it for more")
    group.add_argument("--scribble", type=Path, metavar="FILE",
                       help="a picture with white strokes on the object")
    group.add_argument("--negative-scribble", type=Path, metavar="FILE",
                       help="a picture with white strokes on what is not the object")
    group.add_argument("--mask", type=Path, metavar="FILE",
                       help="a coarse mask of the object, white on black, of any size")
    group.add_argument("--auto", action="store_true", help="find the most salient object (TokenCut)")
    parser.set_defaults(several=several)


def check_prompt_arguments(options: argparse.Namespace) -> None:
    """Refuse arguments that point at nothing, before anything is loaded. Raises InputError."""
    if options.auto and options.mask:
        raise InputError("--auto makes a coarse mask and --mask is one; give one of them")
    if not (options.auto or options.mask or options.box or options.scribble or options.point):
        raise InputError("nothing points at the object; give --box, --point, --scribble, --mask or --auto")
    if len(options.box) > 1 and not options.several:
        raise InputError(f"one object has one box, not {len(options.box)}")
    if len(options.box) > 1 and (options.auto or options.mask or options.scribble or options.point):
        raise InputError("several boxes are several objects; points, strokes and masks go with one box")


def read_prompts(options: argparse.Namespace, size: tuple[int, int]) -> list[Prompt | None]:
    """The prompts for a photo of (H, W), one per object; None: all is left to --auto. Raises InputError."""
    from ..files import read_mask
    from ..parsing import fit_mask, fit_strokes
    from ..prompts import Prompt

    maps = {name: read_mask(getattr(options, name)) for name in ("scribble", "negative_scribble", "mask")
            if getattr(options, name)}
    maps = {name: (fit_mask if name == "mask" else fit_strokes)(values, size) for name, values in maps.items()}
    common = dict(size=size, points=tuple(options.point), negative_points=tuple(options.negative), **maps)
    if options.auto and not (options.box or options.point or options.scribble):
        if options.negative or options.negative_scribble:
            raise InputError("--auto finds an object and --negative keeps off one; add --box")
        return [None]
    return [Prompt(box=given, **common) for given in options.box or [None]]


def discover(image: Tensor, prompt: Prompt | None, encoder: Encoder) -> Prompt:
    """Add TokenCut's coarse mask of a photo 3 x H x W to what was given. Raises InputError."""
    from dataclasses import replace

    from ..discovery import coarse_mask
    from ..prompts import mask_prompt

    mask = coarse_mask(image, encoder)
    return mask_prompt(mask) if prompt is None else replace(prompt, mask=mask)


def _numbers(text: str, count: int, wanted: str) -> tuple[float, ...]:
    try:
        values = tuple(float(part) for part in text.replace(" ", "").split(","))
    except ValueError:
        values = ()
    if len(values) != count or not all(map(math.isfinite, values)):
        raise argparse.ArgumentTypeError(f"{wanted} in pixels, {count} numbers with commas, not {text!r}")
    return values
