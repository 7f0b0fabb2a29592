"""The prompts an instance is tried with, made from its human mask as the paper made them."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import InputError
from ..prompts import Prompt
from .datasets import Instance

SIDES = {"box": (0.0, 0.0), "loose_box": (0.0, 0.25), "jitter_box": (-0.1, 0.1)}
"""How far outwards each side of the tight box moves, least and most, in widths or heights of the box."""

STROKES = {"scribble": 1, "scribble2": 2, "strokes": 1, "strokes2": 2}
"""Which of a set's two drawings the kind is made from."""

KINDS = (*SIDES, "point", "inner_point", *STROKES, "mask", "auto")

CELLS = 8
"""Cells along the longer side of the box that the coarse mask of the prompt "mask" is made of."""


def make_prompt(
    instance: Instance,
    kind: str,
    size: tuple[int, int],
    noise: float = 0.0,
    seed: int = 0,
    discover: Callable[[], Tensor] | None = None,
) -> Prompt:
    """The prompt of one kind for one instance.

    Args:
        kind: see docs/evaluation.md; "strokes" and "strokes2" are those on the object alone, as in the paper; "auto" is
            what `discover` finds, without the human mask.
        size: (H, W) of the photo.
        noise: percent of half the diagonal of the object's box by which the prompt is moved in a random
            direction (Table 5 of the paper).
        seed: of that direction, which also depends on the instance's name but not on the amount of noise, and of the
            sides of boxes.
        discover: returns an automatic coarse mask, H x W in [0, 1].

    Raises InputError for an unknown kind, and when the set has no strokes.
    """
    dx, dy = offset(instance, size, noise, seed)
    if kind in SIDES:
        x0, y0, x1, y1 = drawn_box(instance, size, *SIDES[kind], seed=seed)
        return Prompt(size=size, box=(x0 + dx, y0 + dy, x1 + dx, y1 + dy))
    if kind in ("point", "inner_point"):
        x, y = instance.centroid if kind == "point" else instance.inner
        return Prompt(size=size, points=((_clip(x + dx, size[1]), _clip(y + dy, size[0])),))
    if kind in STROKES:
        strokes, negative = (shift(part, dx, dy) for part in instance.scribbles(STROKES[kind]))
        both = kind.startswith("scribble") and negative.any()
        return Prompt(size=size, scribble=strokes, negative_scribble=negative if both else None)
    if kind == "mask":
        coarse = coarsen(torch.from_numpy(instance.mask() == 255), instance.box)
        return Prompt(size=size, mask=shift(coarse, dx, dy))
    if kind == "auto" and discover is not None:
        return Prompt(size=size, mask=shift(discover(), dx, dy))
    raise InputError(f"the prompt must be one of {', '.join(KINDS)}, not {kind!r}")


def dice(instance: Instance, seed: int, what: str = "") -> np.random.Generator:
    """Chance that depends on the instance's name, the seed and what it is for, and on nothing else."""
    name = zlib.crc32(f"{instance.dataset}/{instance.stem}".encode())
    return np.random.default_rng((name, seed, zlib.crc32(what.encode())) if what else (name, seed))


def drawn_box(
    instance: Instance, size: tuple[int, int], least: float, most: float, seed: int
) -> tuple[float, float, float, float]:
    """The tight box as a hand draws it: every side moved outwards by a share of the box of its own, in whole pixels.

    Args:
        instance, size, seed: as in `make_prompt`.
        least, most: between which that share is uniform; below 0 is inwards.

    Returns (x0, y0, x1, y1) in the photo, of a pixel at least.
    """
    if least == most == 0:
        return instance.box
    left, up, right, down = dice(instance, seed, "sides").uniform(least, most, 4)
    x0, y0, x1, y1 = instance.box
    x0, x1 = _between(x0 - left * (x1 - x0), x1 + right * (x1 - x0), size[1])
    y0, y1 = _between(y0 - up * (y1 - y0), y1 + down * (y1 - y0), size[0])
    return x0, y0, x1, y1


def offset(instance: Instance, size: tuple[int, int], noise: float, seed: int) -> tuple[float, float]:
    """How far noise moves the prompt, in pixels along x and y; the middle of the box stays in the photo."""
    x0, y0, x1, y1 = instance.box
    length = noise / 100 * np.hypot(x1 - x0, y1 - y0) / 2
    angle = dice(instance, seed).uniform(0, 2 * np.pi)
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    return (
        _clip(x + length * np.cos(angle), size[1]) - _clip(x, size[1]),
        _clip(y + length * np.sin(angle), size[0]) - _clip(y, size[0]),
    )


def shift(values: Tensor, dx: float, dy: float) -> Tensor:
    """Move a map H x W by whole pixels; what leaves the photo is lost, but never all: then half as far."""
    height, width = values.shape
    right, down = min(max(round(dx), -width), width), min(max(round(dy), -height), height)
    moved = F.pad(values, (right, -right, down, -down))
    if (right or down) and (values > 0.5).any() and not (moved > 0.5).any():
        return shift(values, dx / 2, dy / 2)
    return moved


def coarsen(mask: Tensor, box: tuple[float, float, float, float]) -> Tensor:
    """A mask H x W bool as a crude brush draws it: every cell of a grid that it covers by a quarter.

    The grid has `CELLS` cells along the longer side of the box; it is float 0 or 1.
    """
    side = max(1, round(max(box[2] - box[0], box[3] - box[1]) / CELLS))
    height, width = mask.shape
    padded = F.pad(mask.float()[None, None], (0, -width % side, 0, -height % side))
    cells = F.avg_pool2d(padded, side)
    drawn = (cells >= min(0.25, float(cells.max()))).float()
    return drawn.repeat_interleave(side, 2).repeat_interleave(side, 3)[0, 0, :height, :width]


def _between(low: float, high: float, length: int) -> tuple[float, float]:
    """Two ends in whole pixels, in 0..length and a pixel apart at least."""
    start = min(max(round(low), 0), length - 1)
    return float(start), float(max(min(round(high), length), start + 1))


def _clip(value: float, length: int) -> float:
    return float(min(max(value, 0.0), length - 1.0))
