"""`python -m paintseg.eval.mattes DIR`: how exact mattes are, on composites whose matte is known.

Objects with a soft edge are drawn: a tuft of hair, a blob out of focus, a net. Each has the colours of one photo and
lies on another. Given the composite and the hard mask, the matte is compared with the truth in the band where
pixels may be mixed: sum of absolute differences, mean squared error and gradient error (Rhemann et al. 2009), beside
the hard mask, closed-form matting and KNN matting of pymatting, which are given the same band.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFilter
from scipy.ndimage import gaussian_gradient_magnitude
from torch import Tensor

from ..cli.console import report
from ..errors import InputError
from ..layers.matting import matte
from ..ops.boxes import box_around
from ..ops.images import resize
from ..ops.morphology import dilate, erode
from .datasets import Instance, read_manifest
from .study import Row, Table, command, counted_parser, row

SIDE = 320
"""Longer side of a composite in pixels."""

BAND = 0.06
"""Width of the band that mattes are worked out in, over the longer side of the object's box."""

_FINER = 4  # times, that shapes are drawn larger


@dataclass(frozen=True)
class Composite:
    """An object of known matte on a photo.

    Attributes:
        shape: its name. name: of the two photos. image: 3 x H x W in [0, 1].
        alpha: H x W in [0, 1], the truth. mask: H x W bool, where it exceeds 0.5.
        band: H x W bool, the pixels that count.
    """

    shape: str
    name: str
    image: Tensor
    alpha: Tensor
    mask: Tensor
    band: Tensor


def measured(options: argparse.Namespace) -> Iterator[Row]:
    ways = methods()
    for one in composites(read_manifest(options.folder), options.count, options.seed):
        yield row(one.shape, one.name, {way: errors(find(one), one.alpha, one.band) for way, find in ways.items()})


def methods() -> dict[str, Callable[[Composite], Tensor]]:
    """What finds a matte, by name; peers only where they are installed."""
    ways: dict[str, Callable[[Composite], Tensor]] = {
        "mask": lambda one: one.mask.float(),
        "matte": lambda one: matte(one.image, one.mask, BAND),
    }
    try:
        from pymatting import estimate_alpha_cf, estimate_alpha_knn
    except ImportError:
        report("pymatting is not installed and is left out; it is in the extra peers")
        return ways

    def peer(estimate: Callable[..., np.ndarray]) -> Callable[[Composite], Tensor]:
        def found(one: Composite) -> Tensor:
            trimap = torch.where(one.band, 0.5, one.mask.double()).numpy()
            pixels = np.ascontiguousarray(one.image.permute(1, 2, 0).double().numpy())
            return torch.from_numpy(estimate(pixels, trimap)).float()

        return found

    return ways | {"closed-form": peer(estimate_alpha_cf), "KNN": peer(estimate_alpha_knn)}


def errors(found: Tensor, truth: Tensor, band: Tensor) -> dict[str, float]:
    """Errors of a matte, all H x W: the sum of absolute differences in thousands, the mean squared error, and the sum
    of squared differences of the gradients' lengths (Gaussian derivatives of 1.4 pixels) in thousands; in the band."""
    apart = (found - truth)[band]
    steep, wanted = (gaussian_gradient_magnitude(one.double().numpy(), 1.4) for one in (found, truth))
    return {
        "sad": float(apart.abs().sum()) / 1000,
        "mse": float((apart**2).mean()),
        "gradient": float(((steep - wanted) ** 2)[band.numpy()].sum()) / 1000,
    }


def composites(instances: Sequence[Instance], count: int, seed: int = 0) -> Iterator[Composite]:
    """`count` composites, the shapes in turn, of photos drawn from the seed. Raises InputError for a single photo."""
    if len(instances) < 2:
        raise InputError("a composite is made of two photos; DIR holds fewer")
    draw = random.Random(seed)
    for number in range(count):
        front, behind = draw.sample(list(instances), 2)
        shape, draw_shape = list(SHAPES.items())[number % len(SHAPES)]
        ground = behind.image()
        ratio = SIDE / max(ground.shape[1:])
        size = max(64, round(ground.shape[1] * ratio)), max(64, round(ground.shape[2] * ratio))
        colours, ground = (resize(photo[None], size)[0] for photo in (front.image(), ground))
        alpha = draw_shape(size, draw)
        yield composite(shape, f"{front.stem} on {behind.stem}", colours, ground, alpha)


def composite(shape: str, name: str, colours: Tensor, ground: Tensor, alpha: Tensor) -> Composite:
    """Colours 3 x H x W over ground 3 x H x W by a matte H x W."""
    mask = alpha > 0.5
    x0, y0, x1, y1 = box_around(mask[None, None])
    reach = max(2, round(BAND * max(x1 - x0, y1 - y0)))
    band = (dilate(mask, reach, "disc") & ~erode(mask, reach, "disc")) | ((alpha > 0) & (alpha < 1))
    return Composite(shape, name, alpha * colours + (1 - alpha) * ground, alpha, mask, band)


def hair(size: tuple[int, int], draw: random.Random) -> Tensor:
    """A head with strands a pixel and less wide, bent at random."""
    picture, (x, y, radius) = _canvas(size)
    pen = ImageDraw.Draw(picture)
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    for _ in range(160):
        angle, bend = draw.uniform(0, 2 * math.pi), draw.uniform(-0.5, 0.5)
        ends = [(radius * (0.9 + 0.05 * step), angle + bend * (step / 8) ** 2) for step in range(9)]
        line = [(x + far * math.cos(turn), y + far * math.sin(turn)) for far, turn in ends]
        pen.line(line, fill=255, width=draw.randint(1, _FINER))
    return _matte(picture, size)


def defocus(size: tuple[int, int], draw: random.Random) -> Tensor:
    """A blob as out of focus as a near object in a portrait."""
    picture, (x, y, radius) = _canvas(size)
    pen = ImageDraw.Draw(picture)
    for _ in range(5):
        angle, far = draw.uniform(0, 2 * math.pi), radius * draw.uniform(0.2, 0.5)
        centre, reach = (x + far * math.cos(angle), y + far * math.sin(angle)), radius * draw.uniform(0.5, 0.9)
        pen.ellipse((centre[0] - reach, centre[1] - reach, centre[0] + reach, centre[1] + reach), fill=255)
    return _matte(picture.filter(ImageFilter.GaussianBlur(_FINER * draw.uniform(1, 3))), size)


def net(size: tuple[int, int], draw: random.Random) -> Tensor:
    """A plate with bars and slanting ropes, one to three pixels wide, standing out of it."""
    picture, (x, y, radius) = _canvas(size)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((x - radius, y - radius / 2, x + radius, y + radius / 2), fill=255)
    for _ in range(24):
        foot, lean = x + radius * draw.uniform(-0.95, 0.95), radius * draw.uniform(-0.15, 0.15)
        end = y + radius * draw.choice((-0.62, 0.62))
        pen.line((foot, y, foot + lean, end), fill=255, width=draw.randint(_FINER, 3 * _FINER))
    return _matte(picture, size)


SHAPES: dict[str, Callable[[tuple[int, int], random.Random], Tensor]] = {"hair": hair, "defocus": defocus, "net": net}


def _canvas(size: tuple[int, int]) -> tuple[Image.Image, tuple[float, float, float]]:
    """A black picture for a matte of that size, and the centre x, y and the radius of what is drawn on it."""
    height, width = (_FINER * side for side in size)
    return Image.new("L", (width, height)), (width / 2, height / 2, 0.33 * min(height, width))


def _matte(picture: Image.Image, size: tuple[int, int]) -> Tensor:
    small = picture.resize((size[1], size[0]), Image.Resampling.BOX)
    return torch.from_numpy(np.asarray(small, np.float32) / 255)


main = command(
    partial(counted_parser, "mattes", "Errors of mattes on composites.", 12, "composites"),
    measured,
    (
        Table("mean squared error", "mse", 1, 4),
        Table("sum of absolute differences, thousands", "sad", 1, 3),
        Table("gradient error, thousands", "gradient", 1, 3),
    ),
)

if __name__ == "__main__":
    sys.exit(main())
