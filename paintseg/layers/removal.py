"""Removal: the photo without an object, a clean plate (paper, appendix C).

The photo keeps its resolution and, outside the hole, every bit of its pixels. The painter sees a window around the hole
at its own size; what it paints smaller than the photo is enlarged and given the photo's grain (detail.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..amcp.loop import paint
from ..amcp.progress import Progress, part, watched
from ..encoders import Encoder
from ..errors import InputError
from ..ops.boxes import bounding_box, box_around
from ..ops.images import check_size, size_of
from ..ops.memory import says_shortage
from ..ops.morphology import components, dilate
from ..ops.seeds import seeded
from ..painters import Painter
from .detail import add_detail
from .plausibility import strangeness
from .seam import join
from .shadow import find_shadow
from .transparency import plate_with, split_alpha
from .window import nearby, show, show_hole, window

RIM = 0.03
"""Width of the contact rim over the root of the object's area: antialiasing, JPEG rings, the darkest of a shadow."""

SHARES = (1 / 2, 1.0, 1 / 3)
"""How much of the painter's side a large hole takes, candidate by candidate.

Shown small, it has more of the photo in the painter's reach and less room for things to be invented in; shown
large, it needs less borrowed detail. Neither is best on most photos.
"""

CANDIDATES = 3
"""Paintings that the nodes choose from unless told otherwise."""

SHADOW_SHARE = 0.2
"""How much of the work the search for a shadow counts as, for the progress."""

APART = 1 / 16
"""Parts of the hole further apart than twice this share of the photo's longer side are painted one by one."""


@dataclass(frozen=True)
class Removal:
    """What `paint_out` did.

    Attributes:
        plate: 3 x H x W, the photo without the object; 4 x H x W with alpha if the photo had one.
        hole: H x W bool; outside it `plate` is the photo bit for bit.
        scores: for every part of the hole, every candidate's strangeness; empty when there was nothing to choose.
    """

    plate: Tensor
    hole: Tensor
    scores: tuple[tuple[float, ...], ...]


def remove(image: Tensor, mask: Tensor, painter: Painter, seed: int = 0, **options: Any) -> Tensor:
    """The photo without the object, 3 x H x W; `options` as of `paint_out`."""
    return paint_out(image, mask, painter, seed, **options).plate


@says_shortage
def paint_out(
    image: Tensor,
    mask: Tensor,
    painter: Painter,
    seed: int = 0,
    grow: int | None = None,
    candidates: int = 1,
    shadow: bool = False,
    encoder: Encoder | None = None,
    progress: Progress | None = None,
) -> Removal:
    """Paint an object out of a photo of any size.

    Args:
        image: 3 x H x W in [0, 1], or 4 x H x W with its alpha; where the object was the plate is as transparent as
            around it.
        mask: H x W, bool or in [0, 1], the object.
        painter: fills the hole.
        seed: same seed, same plate, bit by bit on the CPU.
        grow: pixels the hole reaches beyond the mask; None takes `RIM` of the object's size.
        candidates: paintings to choose from by `strangeness`. They show a large hole at several scales.
        shadow: take the object's shadow out with it.
        encoder: judges the candidates; needed for more than one.
        progress: told of every painting, and of the plate's surroundings of the hole after it.

    Raises InputError: no photo, a mask of another size, an empty one, one that leaves nothing of the photo, or several
    candidates and no encoder.
    """
    photo, alpha = split_alpha(image)
    solid = check_mask(mask, size_of(image))
    if candidates < 1:
        raise InputError(f"at least one candidate must be asked for, not {candidates}")
    if candidates > 1 and encoder is None:
        raise InputError(
            f"choosing between {candidates} candidates takes an encoder; pass one, or ask for one candidate"
        )
    if grow is not None and grow < 0:
        raise InputError(f"the hole can grow by 0 pixels or more, not {grow}")
    begun = 0.0
    if shadow:
        begun = SHADOW_SHARE
        told = part(progress, 0, begun)
        solid[find_shadow(photo, solid > 0.5, watched(painter, told), seeded(seed))] = 1.0
    rim = contact_rim(solid) if grow is None else grow
    hole = hole_of(solid, rim)
    if hole.all():
        raise InputError("the object, grown by its rim, covers the whole image; nothing is left to paint from")
    del solid
    generator = seeded(seed)
    plate, unpainted, scores = photo.clone(), hole.clone(), []
    parts = apart(hole)
    step = (1 - begun) / (len(parts) * candidates)
    for number, own in enumerate(parts):
        (x0, y0, x1, y1), marks = box_around(own[None, None], "hole"), []
        rows, columns = nearby(own, max(x1 - x0, y1 - y0) // 2)
        place, before, inside = plate[:, y0:y1, x0:x1], photo[:, y0:y1, x0:x1], own[y0:y1, x0:x1]
        for candidate in range(candidates):
            done = begun + (number * candidates + candidate) * step
            told = part(progress, done, done + step)
            share = SHARES[candidate % len(SHARES)]
            patch = _filling(plate, own, unpainted, rim // 2, watched(painter, told), share, generator)
            place.copy_(patch)
            marks.append(strangeness(plate, own, encoder) if candidates > 1 and encoder is not None else 0.0)
            if told is not None:
                told(1.0, plate[:, rows, columns])
            place.copy_(torch.where(inside, before, place))
            if candidate == min(range(len(marks)), key=marks.__getitem__):
                best = patch
        place.copy_(best)
        if candidates > 1:
            scores.append(tuple(marks))
        unpainted &= ~own
    return Removal(plate=plate_with(plate, alpha, hole), hole=hole, scores=tuple(scores))


def check_mask(mask: Tensor, size: tuple[int, int], name: str = "mask") -> Tensor:
    """A mask H x W of an image of `size` as float in [0, 1], never the mask itself. Raises InputError."""
    check_size(mask, size, name)
    values = mask.float()
    low, high = (float(value) for value in values.aminmax())  # of NaN both are
    if not (math.isfinite(low) and math.isfinite(high)):
        raise InputError(f"the {name} holds NaN or infinite values")
    if not high > 0.5:
        raise InputError(f"the {name} is empty: no pixel is above 0.5")
    return values.clamp(0, 1)


def contact_rim(mask: Tensor) -> int:
    """Pixels by which the hole should be larger than the object, H x W in [0, 1]."""
    return 5 + round(RIM * float((mask > 0.5).sum()) ** 0.5)


def hole_of(mask: Tensor, rim: int) -> Tensor:
    """H x W bool: the object with its soft edge, grown by `rim` pixels."""
    rows, columns = nearby(mask > 0.5, 3 * rim)
    near = mask[rows, columns]
    solid = near > 0.5
    # faint values far from the object are the segmenter's doubt, not its hair
    touched = solid | ((near > 0.1) & dilate(solid, 2 * rim, "disc"))
    hole = torch.zeros(mask.shape, dtype=torch.bool, device=mask.device)
    hole[rows, columns] = dilate(touched, rim, "disc")
    return hole


def apart(hole: Tensor) -> list[Tensor]:
    """The hole, H x W bool, split into parts that lie far from each other, each H x W bool."""
    reach = round(APART * max(hole.shape))
    rows, columns = nearby(hole, reach)
    near = hole[rows, columns]
    labels, (count,) = components(dilate(near, reach)[None, None])
    parts = [torch.zeros_like(hole) for _ in range(count)]
    for number, own in enumerate(parts, start=1):
        own[rows, columns] = near & (labels[0, 0] == number)
    return parts


def _filling(
    photo: Tensor, own: Tensor, unpainted: Tensor, fade: int, painter: Painter, share: float, generator: torch.Generator
) -> Tensor:
    """What the photo becomes inside the bounding box of a part of the hole, `own`, when that is filled.

    Other unpainted parts are hidden from the painter.
    """
    view = window(own, painter, share=share)
    x0, y0, x1, y1 = view.box
    height, width = view.content
    seen, hole = photo[:, y0:y1, x0:x1], own[y0:y1, x0:x1]
    painted = paint(painter, show(photo, view), show_hole(unpainted, view), 1, generator)[0].to(photo)
    box = bounding_box(hole[None, None])
    filled = add_detail(seen, unpainted[y0:y1, x0:x1], painted[:, :height, :width], box)
    return join(seen, filled, hole, fade, box)
