"""The painter protocol: what the method asks of an inpainting model, and nothing more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from ..errors import InputError, PainterError


@runtime_checkable
class Painter(Protocol):
    """An inpainting model: phi of the I-step and psi of the O-step (Li et al. 2023, section 4.1).

    Attributes:
        name: short name for messages and result tables.
        multiple: sides of the image given to `paint` must be multiples of this many pixels.
        size: side in pixels at which the model paints best.
        stochastic: False when every painting of the same hole is the same whatever the seed.

    A painter may offer more: see `LatentPainter` and `ReportingPainter`.
    """

    # Properties, for the method only reads them: a class may have them as fields, constants or properties.
    @property
    def name(self) -> str: ...

    @property
    def multiple(self) -> int: ...

    @property
    def size(self) -> int: ...

    @property
    def stochastic(self) -> bool: ...

    def paint(self, image: Tensor, hole: Tensor, count: int, generator: torch.Generator | None) -> Tensor:
        """Fill the hole `count` times.

        Args:
            image: 3 x H x W in [0, 1]; H and W multiples of `multiple`.
            hole: 1 x H x W, 1 where the model must paint, 0 where the image is kept.
            count: number of paintings, at least 1.
            generator: CPU generator all randomness is drawn from; None draws from torch's global one.

        Returns count x 3 x H x W in [0, 1] on the image's device; outside the hole equal to the image bit for bit.
        """
        ...


@runtime_checkable
class LatentPainter(Painter, Protocol):
    """A painter that works on the latents of an autoencoder, and so changes what it only copies."""

    def round_trip(self, image: Tensor) -> Tensor | None:
        """The image 3 x H x W encoded and decoded again, unpainted; None when this one has no autoencoder."""
        ...


@runtime_checkable
class ReportingPainter(Painter, Protocol):
    """A painter that takes many steps and tells how far they are."""

    def reporting(self, report: Callable[[float, Any], None]) -> Painter:
        """The same painter; its paintings call `report` with the share that is done, 0 to 1, and a preview."""
        ...


def check_request(painter: Painter, image: Tensor, hole: Tensor, count: int) -> None:
    """Refuse what no painter could fill. Raises InputError."""
    if image.ndim != 3 or image.shape[0] != 3:
        raise InputError(f"a painter takes one image of 3 x H x W, not {tuple(image.shape)}")
    if hole.shape != (1, *image.shape[1:]):
        raise InputError(
            f"the hole must be 1 x {image.shape[1]} x {image.shape[2]} like the image, not {tuple(hole.shape)}"
        )
    if any(side % painter.multiple for side in image.shape[1:]):
        raise InputError(
            f"{painter.name} paints sides that are multiples of {painter.multiple} px, "
            f"not {image.shape[2]} x {image.shape[1]}"
        )
    if count < 1:
        raise InputError(f"at least one painting must be asked for, not {count}")


def round_trip(painter: Painter, image: Tensor, hole: Tensor) -> Tensor | None:
    """The photo with, in the hole, what the painter's autoencoder makes of it; None when the painter has none.

    A latent painter changes every pixel it writes a little, even where it paints just what was there. The photo and
    a painting that have both gone through the autoencoder differ by the paint alone.

    Args:
        painter: a `LatentPainter` if it has an autoencoder.
        image: 3 x H x W. hole: 1 x H x W.

    Returns 1 x 3 x H x W; outside the hole equal to the image bit for bit.
    """
    coded = painter.round_trip(image) if isinstance(painter, LatentPainter) else None
    return None if coded is None else keep_outside(image, hole, coded[None])


def keep_outside(image: Tensor, hole: Tensor, painted: Tensor) -> Tensor:
    """Paste `painted` (N x 3 x H x W) into the hole and keep the image elsewhere, bit for bit.

    Raises PainterError when the paintings have another size than the image or hold NaN.
    """
    if painted.shape[1:] != image.shape:
        raise PainterError(f"the painter returned {tuple(painted.shape[1:])} for an image of {tuple(image.shape)}")
    if not torch.isfinite(painted).all():
        raise PainterError("the painter returned NaN or infinite pixels; try another seed, sampler or precision")
    # `where`, not a blend: x * 1 + y * 0 is not x when y is huge, and a kept pixel must be kept exactly.
    return torch.where(hole[None] > 0.5, painted.clamp(0, 1).to(image), image[None])
