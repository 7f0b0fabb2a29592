"""Further clicks: each changes what it is about and leaves the rest of the answer as it is.

A click that the answer agrees with changes nothing. Any other one says that a part around it is on the wrong side. How
large a part is told by how deep the click lies in what is wrong: nobody clicks a hair's breadth beside an edge to have
half of the object taken away. Near the edge colours decide (pixel_walk.py). Deeper inside the encoder's patches are
asked as well: those that walks from the click visit more than walks from the clicks that say the contrary, as in M2N2
(Karmann & Urfalioglu 2025), unless the colours around the click end at harder edges. What would change far more than a
click so deep can be about is left to the colours, near the click.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..config import Config
from ..finish.refine import Finish
from ..ops.coordinates import Point
from ..ops.images import resize, size_of
from ..ops.morphology import dilate
from ..views.looks import digest
from .pixel_walk import depth_at, flipped, leak, piece_at
from .region import RESTART, first_met, standardise
from .walks import Walk, log_visits, walk_over

Change = tuple[np.ndarray, np.ndarray]
"""h x w bool, what changes its side, and h x w in [0, 1], how likely each pixel is of the side clicked."""

_NEAR = 1.5  # patches; a click less deep is about something the encoder's patches are too coarse for
_REACH = 3.0  # how far a click's colours reach, in units of its depth
_SEED = 0.7  # radius of a click in units of its depth: that far around it all is wrong
_DEEPEST, _MORE = 2.0, 2.0  # depth of what may change, in units of the click's depth, and pixels beyond
_LARGEST = 5.0  # area that a click inside a part may change, in discs as large as the click is deep
_SCALES = (0.5, 1.0, 2.0, 4.0)  # patches; depths tried for a click that lies deep in a part with edges of its own
_TIGHT = 0.2  # leak from which colours around a click are no part of their own
_TWIN = 0.7  # cosine of keys; twins have 0.8 and more, parts of one object 0.1 to 0.66
_STRONG = 1.5  # evidence for the side that a click says, in the patches that it is about
_HELD = 5.0  # the same at the click
_DOT = 2.0  # its radius in pixels
_DOUBT, _EDGE = 0.49, 3  # at most, of what a click has changed; and pixels from the rest within which there is any
_AROUND = 1.5  # patches around those that change in which the finish may move the edge
_KEPT = 24  # answers of earlier clicks, for each image
_known: WeakKeyDictionary[Finish, dict[Hashable, Tensor]] = WeakKeyDictionary()
_lock = Lock()


@dataclass(frozen=True)
class Sight:
    """What a correction goes by.

    Attributes:
        keys: 1 x C x h x w, of the encoder's patches of a part of the photo; None where no frame shows it, and colours
            decide alone.
        finish: of the same part's pixels.
    """

    keys: Tensor | None
    finish: Finish

    @property
    def grid(self) -> tuple[int, int]:
        """(h, w) of the patches."""
        return self.finish.size if self.keys is None else size_of(self.keys)

    @cached_property
    def walk(self) -> Walk:
        """Over the patches, where there are any."""
        if self.keys is None:
            raise LookupError("no frame shows this part of the photo")
        return walk_over(self.keys)

    @cached_property
    def digest(self) -> bytes:
        """Of the keys."""
        return b"" if self.keys is None else digest(self.keys)

    @property
    def patch(self) -> float:
        """The side of a patch in pixels of the finish's image."""
        return max(side / cells for side, cells in zip(self.finish.size, self.grid, strict=True))


def corrected(soft: Tensor, sight: Sight, clicks: Sequence[tuple[Point, bool]], config: Config) -> Tensor:
    """An answer that agrees with all clicks.

    Clicks are taken in their order, and each knows of those before it alone: what comes later changes nothing of how an
    earlier answer was found.

    Args:
        soft: h x w in [0, 1], the answer so far, at the size of the finish's image.
        sight: of the part of the photo that the answer is for.
        clicks: (x, y) in that image, and whether it is on the object.
        config: the parameters, for the finish.

    Returns:
        h x w in [0, 1], above 0.5 at every click on the object and not above at the others; where two clicks say both
        of one pixel, the later one is right.
    """
    said = {_pixel(point, soft): side for point, side in clicks}
    before: list[tuple[tuple[int, int], bool]] = []
    for at, side in said.items():
        if bool(soft[at] > 0.5) != side:
            soft = _changed(soft, sight, at, side, [one for one, other in before if other != side], config)
        before.append((at, side))
    for at, side in before:  # what went with something else that was clicked later
        if bool(soft[at] > 0.5) != side:
            soft = soft.clone()
            soft[at] = 0.51 if side else 0.49
    return soft


def _changed(
    soft: Tensor, sight: Sight, at: tuple[int, int], side: bool, others: Sequence[tuple[int, int]], config: Config
) -> Tensor:
    """`_change`, remembered: of a conversation all clicks are taken again, and only the last is new."""
    key = digest(soft), sight.digest, at, side, tuple(others), config
    with _lock:
        known = _known.setdefault(sight.finish, {})
        found = known.get(key)
    if found is None:
        found = _change(soft, sight, at, side, others, config)
        with _lock:
            known[key] = found
            while len(known) > _KEPT:
                del known[next(iter(known))]
    return found


def _change(
    soft: Tensor, sight: Sight, at: tuple[int, int], side: bool, others: Sequence[tuple[int, int]], config: Config
) -> Tensor:
    """The answer after one click, at (row, column), that it does not agree with."""
    mask = soft > 0.5
    deep, depth = depth_at(mask, at)
    opposed = np.array(others).reshape(-1, 2)
    limit = (deep <= _DEEPEST * depth + _MORE).numpy()
    if sight.keys is None or depth < _NEAR * sight.patch:
        change = _part_near_the_edge(sight, mask, at, depth, opposed)
    else:
        cells = [_cells([one], size_of(soft), sight.grid) for one in (at, *others)]
        alone = None if _has_twin(sight.keys, *cells) else _piece_of_its_own(sight, mask, at, depth, opposed)
        change = alone or _part_by_patches(soft, sight, sight.keys, at, side, others, config)
        most = _LARGEST * np.pi * depth**2
        if (change[0] & limit).sum() > most:  # of such jumps most make the answer worse
            part, likely = _part_near_the_edge(sight, mask, at, depth, opposed)
            near = _within(at, mask, _LARGEST**0.5 * depth) if (part & limit).sum() > most else limit
            change = part & near, likely
    part, likely = change
    part = piece_at((part & limit) | (_dot(at, mask) & (mask != side)).numpy(), at)
    # On the side that was clicked, whatever rounding says. The user has said it, so doubt is left at the edge alone; a
    # cut-out would show more of it as a ghost of what was taken away, or as an object that one sees through.
    changed = torch.from_numpy(part)
    beside = dilate(changed, round(_AROUND * sight.patch)) & (mask == side)
    doubt = torch.where(changed, torch.from_numpy(1 - likely), 1 - soft if side else soft)
    doubt = doubt.clamp(0, _DOUBT) * dilate((mask != side) & ~changed, _EDGE)
    return torch.where(changed | beside, 1 - doubt if side else doubt, soft)


def _part_near_the_edge(sight: Sight, mask: Tensor, at: tuple[int, int], depth: float, others: np.ndarray) -> Change:
    """What colours change around a click: all of a disc around it is wrong, unless less has harder edges."""
    lab, before, reach = sight.finish.lab.cpu().numpy(), mask.numpy(), _REACH * max(depth, 1)
    wide = flipped(lab, before, at, reach, max(_DOT, _SEED * depth), others)
    if _SEED * depth <= 2 * _DOT:
        return wide
    narrow = flipped(lab, before, at, reach, _DOT, others)
    return narrow if leak(lab, narrow[0], before) < _TIGHT else wide


def _piece_of_its_own(
    sight: Sight, mask: Tensor, at: tuple[int, int], depth: float, others: np.ndarray
) -> Change | None:
    """What the colours around a click make a part with edges all around; None when they make none."""
    lab, best, least = sight.finish.lab.cpu().numpy(), None, _TIGHT
    for scale in _SCALES:
        if scale * sight.patch > depth:
            break
        change = flipped(lab, mask.numpy(), at, _REACH * scale * sight.patch, _DOT, others)
        if (open_ := leak(lab, change[0], mask.numpy())) < least:
            best, least = change, open_
    return best


def _part_by_patches(
    soft: Tensor,
    sight: Sight,
    keys: Tensor,
    at: tuple[int, int],
    side: bool,
    others: Sequence[tuple[int, int]],
    config: Config,
) -> Change:
    """The pixels that the patches around a click change, as colours then place their edge."""
    grid, size = sight.grid, size_of(soft)
    cover = F.interpolate(soft[None, None], grid, mode="area")[0, 0]
    here = _cells([at], size, grid)
    wrong = ((cover < 0.5) if side else (cover >= 0.5)) | here
    about = torch.from_numpy(
        piece_at(_alike(sight, keys, here, wrong, [_cells([one], size, grid) for one in others]), _first(here))
    )
    share = resize(about[None, None].float(), size)[0, 0]
    sign = 1.0 if side else -1.0
    evidence = (2 * soft - 1) * (1 - share) + sign * _STRONG * share
    dot = _dot(at, soft > 0.5)
    evidence[dot] = sign * _HELD
    new = sight.finish(evidence, torch.ones_like(dot), config).cpu()
    near = dilate((share > 0.01) | dot, round(_AROUND * sight.patch))
    part = near & ((new > 0.5) == side) & ((soft > 0.5) != side)
    return part.numpy(), (new if side else 1 - new).numpy()


def _alike(sight: Sight, keys: Tensor, here: Tensor, wrong: Tensor, others: Sequence[Tensor]) -> np.ndarray:
    """Which of the wrong patches, h x w bool, belong with the click's rather than with any of the others'."""
    walk, seeds, chosen = sight.walk, dilate(here, 1), wrong.flatten()
    visits = log_visits(walk, seeds.flatten(), RESTART)
    clear = torch.full_like(visits, -1.0)
    clear[chosen] = standardise(visits[chosen])
    alike = (clear > 0).view_as(wrong)
    for other in others:
        around = dilate(other, 1) & ~here
        rival = log_visits(walk, around.flatten(), RESTART)
        if _has_twin(keys, here, other):  # only the way there tells them apart
            met = first_met(keys, wrong | around, seeds.flatten() & ~around.flatten(), around.flatten())
            alike = wrong & (met > 0.5) & (alike | (len(others) == 1))
        else:
            alike &= (visits > rival).view_as(wrong)
    return (alike | here).numpy()


def _has_twin(keys: Tensor, here: Tensor, *others: Tensor) -> bool:
    """Whether what was clicked looks like what any of the others lies on; all are h x w bool, a cell each."""
    vectors = F.normalize(keys[0], dim=0)
    own, *theirs = (F.normalize(vectors[:, dilate(cell, 1)].mean(1), dim=0) for cell in (here, *others))
    return any(float(own @ one) > _TWIN for one in theirs)


def _within(at: tuple[int, int], like: Tensor, radius: float) -> np.ndarray:
    """h x w bool: the pixels of an image so large that are no further from (row, column) than that."""
    rows, columns = (np.arange(length) - place for length, place in zip(like.shape, at, strict=True))
    return rows[:, None] ** 2 + columns[None] ** 2 <= radius**2


def _dot(at: tuple[int, int], like: Tensor) -> Tensor:
    """h x w bool: the pixels that are the click beyond doubt."""
    return torch.from_numpy(_within(at, like, _DOT))


def _pixel(point: Point, like: Tensor) -> tuple[int, int]:
    """(row, column) of the pixel that holds (x, y)."""
    column, row = (min(max(0, int(value)), side - 1) for value, side in zip(point, reversed(like.shape), strict=True))
    return row, column


def _cells(places: Sequence[tuple[int, int]], size: tuple[int, int], grid: tuple[int, int]) -> Tensor:
    """h x w bool: the cells of a grid over an image of (H, W) that hold pixels (row, column)."""
    hit = torch.zeros(grid, dtype=torch.bool)
    for row, column in places:
        hit[row * grid[0] // size[0], column * grid[1] // size[1]] = True
    return hit


def _first(cells: Tensor) -> tuple[int, int]:
    row, column = cells.nonzero()[0].tolist()
    return row, column
