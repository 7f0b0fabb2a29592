"""Bringing a request to a size the model likes, with nothing of what is in the hole left in it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ..ops.images import padded, pull_push, resize, rounded_up


@dataclass(frozen=True)
class Fit:
    """A photo scaled into the top left of a canvas; beyond it the photo's edge repeats.

    Attributes:
        request: (H, W) of the photo in pixels.
        content: (h, w) it is scaled to.
        canvas: (h, w) the model is given.
    """

    request: tuple[int, int]
    content: tuple[int, int]
    canvas: tuple[int, int]

    def show_image(self, image: Tensor) -> Tensor:
        """3 x H x W in [0, 1] on the canvas."""
        return padded(resize(image[None], self.content), self.canvas, "replicate")[0]

    def show_hole(self, hole: Tensor) -> Tensor:
        """1 x H x W on the canvas as 0 and 1: every pixel that some of the hole falls on."""
        covered = functional.interpolate((hole > 0.5).float()[None], self.content, mode="area") > 0
        return padded(covered.float(), self.canvas)[0]

    def restore(self, painted: Tensor) -> Tensor:
        """N x 3 x h x w of the canvas as N x 3 x H x W of the photo."""
        return resize(painted[..., : self.content[0], : self.content[1]], self.request)


def fit(request: tuple[int, int], multiple: int, size: int = 0, square: bool = False) -> Fit:
    """The canvas for a photo.

    Args:
        request: (H, W) of the photo in pixels.
        multiple: the canvas' sides are multiples of it.
        size: longer side the photo is scaled to; 0 keeps its scale.
        square: whether the canvas must be one.
    """
    longer = max(request)
    height, width = (max(1, round(side * size / longer)) if size else side for side in request)
    content = height, width
    canvas = rounded_up(content, multiple)
    return Fit(request, content, (max(canvas), max(canvas)) if square else canvas)


def fill_smoothly(image: Tensor, hole: Tensor) -> Tensor:
    """The photo with its surroundings spread over the hole, so that no trace of what was there is left.

    Where nothing is known, mid-grey.

    Args:
        image: 3 x H x W. hole: 1 x H x W, above 0.5 where the photo is to be forgotten.
    """
    known = (hole <= 0.5)[None]
    if not known.any():
        return torch.full_like(image, 0.5)
    spread = pull_push(torch.where(known, image[None], 0.0).float(), known.float())[0]
    return torch.where(known[0], image, spread.to(image))


def soften(mask: Tensor, reach: int) -> Tensor:
    """A mask N x 1 x h x w of 0 and 1 with a ramp of `reach` pixels outside it, down to 0 beyond."""
    ramp = mask
    for distance in range(1, reach + 1):
        mask = functional.max_pool2d(mask, 3, stride=1, padding=1)
        ramp = torch.maximum(ramp, mask * (1 - distance / (reach + 1)))
    return ramp
