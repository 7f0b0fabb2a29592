"""Removal: the photo without an object, a clean plate (paper, appendix C).

The photo keeps its resolution and, outside the hole, every bit of its pixels. The painter sees a window
around the hole at its own size; what it paints smaller than the photo is enlarged and given the photo's grain
(detail.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ..amcp import paint
from ..chunks import says_shortage
from ..encoders import Encoder
from ..errors import InputError
from ..morphology import components, dilate
from ..painters import Painter
from ..scene import check_image, seeded
from .detail import add_detail
from .plausibility import strangeness
from .seam import join
from .shadow import find_shadow
from .window import show, show_hole, window

RIM = 0.03
"""Width of the contact rim over the root of the object's area: antialiasing, JPEG rings, the darkest of a
shadow."""

SHARES = (1 / 2, 1.0, 1 / 3)
"""How much of the painter's side a large hole takes, candidate by candidate.

Shown small, it has more of the photo in the painter's reach and less room for things to be invented in; shown
large, it needs less borrowed detail. Neither is best on most photos.
"""

APART = 1 / 16
"""Parts of the hole further apart than twice this share of the photo's longer side are painted one by one."""


@dataclass(frozen=True)
class Removal:
    """What `paint_out` did.

    Attributes:
        plate: 3 x H x W, the photo without the object.
        hole: H x W bool; outside it `plate` is the photo bit for bit.
        scores: for every part of the hole, every candidate's strangeness; empty when there was nothing to
            choose.
    """

    plate: Tensor
    hole: Tensor
    scores: tuple[tuple[float, ...], ...]


def remove(image: Tensor, mask: Tensor, painter: Painter, seed: int = 0, grow: int | None = None,
           candidates: int = 1, shadow: bool = False, encoder: Encoder | None = None,
           progress: Callable[[float], None] | None = None) -> Tensor:
    """The photo without the object, 3 x H x W; see `paint_out`."""
    return paint_out(image, mask, painter, seed, grow, candidates, shadow, encoder, progress).plate


@says_shortage
def paint_out(image: Tensor, mask: Tensor, painter: Painter, seed: int = 0, grow: int | None = None,
              candidates: int = 1, shadow: bool = False, encoder: Encoder | None = None,
              progress: Callable[[float], None] | None = None) -> Removal:
    """Paint an object out of a photo of any size.

    Args:
        image: 3 x H x W in [0, 1].
        mask: H x W, bool or in [0, 1], the object.
        painter: fills the hole.
        seed: same seed, same plate, to the bit on the CPU.
        grow: pixels the hole reaches beyond the mask; None takes `RIM` of the object's size.
        candidates: paintings to choose from by `strangeness`. They show a large hole at several scales.
        shadow: take the object's shadow out with it.
        encoder: judges the candidates; needed for more than one.
        progress: called with the share that is done, in (0, 1], after every painting; what it raises ends the
            work.

    Raises:
        InputError: no photo, a mask of another size, an empty one, one that leaves nothing of the photo, or
            several candidates and no encoder.
    """
    check_image(image)
    photo = image.float().clamp(0, 1)
    solid = check_mask(mask, tuple(image.shape[1:]))
    if candidates < 1:
        raise InputError(f"at least one candidate must be asked for, not {candidates}")
    if candidates > 1 and encoder is None:
        raise InputError(f"choosing between {candidates} candidates takes an encoder; "
                         "pass one, or ask for one candidate")
    if grow is not None and grow < 0:
        raise InputError(f"the hole can grow by 0 pixels or more, not {grow}")
    if shadow:
        dark = find_shadow(photo, solid > 0.5, painter, seeded(seed))
        solid = solid.masked_fill(dark, 1.0)
    rim = contact_rim(solid) if grow is None else grow
    hole = hole_of(solid, rim)
    if hole.all():
        raise InputError("the mask, grown by its rim, covers the whole image; nothing is left to paint from")
    generator = seeded(seed)
    plate, unpainted, scores = photo.clone(), hole.clone(), []
    parts = apart(hole)
    for number, part in enumerate(parts):
        plates = []
        for painted in _paint(plate, part, unpainted, rim // 2, painter, candidates, generator):
            plates.append(painted)
            if progress is not None:
                progress((number + len(plates) / candidates) / len(parts))
        if candidates > 1:
            scores.append(tuple(strangeness(one, part, encoder) for one in plates))
            plate = plates[min(range(candidates), key=scores[-1].__getitem__)]
        else:
            plate = plates[0]
        unpainted &= ~part
    return Removal(plate=plate, hole=hole, scores=tuple(scores))


def check_mask(mask: Tensor, size: tuple[int, int], name: str = "mask") -> Tensor:
    """A mask H x W of an image of `size` as float in [0, 1]. Raises InputError."""
    if tuple(mask.shape) != size:
        raise InputError(f"the {name} must be H x W with the image's size {size[1]} x {size[0]}, "
                         f"not {' x '.join(str(side) for side in reversed(mask.shape))}")
    values = mask.float()
    if not torch.isfinite(values).all():
        raise InputError(f"the {name} holds NaN or infinite values")
    if not (values > 0.5).any():
        raise InputError(f"the {name} is empty: no pixel is above 0.5")
    return values.clamp(0, 1)


def contact_rim(mask: Tensor) -> int:
    """Pixels by which the hole should be larger than the object, H x W in [0, 1]."""
    return 5 + round(RIM * float((mask > 0.5).sum()) ** 0.5)


def hole_of(mask: Tensor, rim: int) -> Tensor:
    """H x W bool: the object with its soft edge, grown by `rim` pixels."""
    solid = mask > 0.5
    # faint values far from the object are the segmenter's doubt, not its hair
    touched = solid | ((mask > 0.1) & dilate(solid, 2 * rim, "disc"))
    return dilate(touched, rim, "disc")


def apart(hole: Tensor) -> list[Tensor]:
    """The hole, H x W bool, split into parts that lie far from each other, each H x W bool."""
    labels, (count,) = components(dilate(hole, round(APART * max(hole.shape)))[None, None])
    return [hole & (labels[0, 0] == number) for number in range(1, count + 1)]


def _paint(photo: Tensor, part: Tensor, unpainted: Tensor, fade: int, painter: Painter, count: int,
           generator: torch.Generator) -> Iterator[Tensor]:
    """`count` plates with this part of the hole filled; other unpainted parts are hidden from the painter."""
    for number in range(count):
        view = window(part, painter, share=SHARES[number % len(SHARES)])
        x0, y0, x1, y1 = view.box
        height, width = view.content
        seen, hole = photo[:, y0:y1, x0:x1], part[y0:y1, x0:x1]
        painted = paint(painter, show(photo, view), show_hole(unpainted, view), 1, generator)[0].to(photo)
        filled = add_detail(seen, unpainted[y0:y1, x0:x1], painted[:, :height, :width])
        plate = photo.clone()
        plate[:, y0:y1, x0:x1] = join(seen, filled, hole, fade)
        yield plate
