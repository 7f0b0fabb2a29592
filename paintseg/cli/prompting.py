"""The arguments that point at an object, and the prompt they make."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from .console import report_note

if TYPE_CHECKING:
    from torch import Tensor

    from ..encoders import Encoder
    from ..ops.coordinates import Box
    from ..prompts import Prompt


def _numbers(count: int, wanted: str, text: str) -> tuple[float, ...]:
    try:
        values = tuple(float(part) for part in text.replace(" ", "").split(","))
    except ValueError:
        values = ()
    if len(values) != count or not all(map(math.isfinite, values)):
        raise argparse.ArgumentTypeError(f"{wanted} in pixels, {count} numbers with commas, not {text!r}")
    return values


box = partial(_numbers, 4, "a box is x0,y0,x1,y1")
point = partial(_numbers, 2, "a point is x,y")


def add_prompt_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --box, --point and the others; every box names an object of its own."""
    group = parser.add_argument_group(
        "the object", "In pixels of the upright photo, x right, y down. Box, points and strokes add up."
    )
    group.add_argument(
        "--box",
        type=box,
        metavar="X0,Y0,X1,Y1",
        action="append",
        default=[],
        help="a box around the object; x1 and y1 are the first pixels behind it; repeat it for several objects",
    )
    for name, what in (("--point", "the object"), ("--negative", "what is not the object")):
        told = f"a point on {what}; repeat it for more"
        group.add_argument(name, type=point, action="append", default=[], metavar="X,Y", help=told)
    group.add_argument(
        "--scribble",
        type=Path,
        metavar="FILE",
        help="a picture with strokes on the object, white on black or on transparency",
    )
    group.add_argument(
        "--negative-scribble", type=Path, metavar="FILE", help="a picture with strokes on what is not the object"
    )
    group.add_argument(
        "--mask",
        type=Path,
        metavar="FILE",
        help="a coarse mask of the object, of any size: white on black; or a photo that is "
        "transparent where the object is, as ComfyUI's mask editor saves it; or a palette picture "
        "of labels, of which all above 0 count",
    )
    group.add_argument(
        "--invert",
        action="store_true",
        help="these pictures mean the opposite: black, or what is opaque, as in a cut-out",
    )
    group.add_argument("--auto", action="store_true", help="find the most salient object (TokenCut)")


def check_prompt_arguments(options: argparse.Namespace) -> None:
    """Refuse arguments that point at nothing, before anything is loaded. Raises InputError."""
    if options.invert and not (options.mask or options.scribble or options.negative_scribble):
        raise InputError("--invert goes with --mask, --scribble or --negative-scribble")
    if options.auto and options.mask:
        raise InputError("--auto makes a coarse mask and --mask is one; give one of them")
    if not (options.auto or options.mask or options.box or options.scribble or options.point):
        raise InputError("nothing points at the object; give --box, --point, --scribble, --mask or --auto")
    if len(options.box) > 1 and (options.auto or options.mask or options.scribble or options.point):
        raise InputError("several boxes are several objects; points, strokes and masks go with one box")


def read_prompts(options: argparse.Namespace, size: tuple[int, int]) -> list[Prompt]:
    """The prompts for a photo of (H, W), one per object; none: all is left to --auto. Raises InputError."""
    from ..io.masks import read_maps
    from ..ops.coordinates import place_boxes, place_points
    from ..prompts import MAPS, Prompt

    maps = read_maps({name: getattr(options, name) for name in MAPS}, size, options.invert)
    points, negative, note = place_points(options.point, options.negative, size)
    boxes, other = place_boxes(options.box, size)
    for sentence in (note, other):
        if not options.quiet:
            report_note(sentence)
    if options.auto and not (options.box or options.point or options.scribble):
        if options.negative or options.negative_scribble:
            raise InputError("--auto finds an object and --negative keeps off one; add --box")
        return []
    objects: Sequence[Box | None] = boxes or [None]
    return [Prompt(size, box, points=points, negative_points=negative, **maps) for box in objects]


def discover(image: Tensor, prompt: Prompt | None, encoder: Encoder) -> Prompt:
    """Add TokenCut's coarse mask of a photo 3 x H x W to what was given. Raises InputError."""
    from dataclasses import replace

    from ..locate.discovery import coarse_mask
    from ..prompts import mask_prompt

    mask = coarse_mask(image, encoder)
    return mask_prompt(mask) if prompt is None else replace(prompt, mask=mask)
