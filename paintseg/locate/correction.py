"""Further clicks: each changes what it is about and leaves the rest of the answer as it is.

A click that the answer agrees with changes nothing. Any other one says that a part around it is on the wrong side. How
far that part may reach is told by how deep the click lies in what is wrong: nobody clicks a hair's breadth beside an
edge to have half of the object taken away. Which pixels it holds is a sum of three log-odds: of walks from pixel to
pixel that meet the click before they end as what the answer was (random walks with priors: Grady 2005), of the colours
nearby on either side, and of the encoder's patches there. The sum is taken twice, since what it changes first tells
more of what the click's side looks like. A small part is looked at closer: it has patches of its own then.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..finish.refine import Finish, colour_log_ratio
from ..ops.boxes import PixelBox
from ..ops.coordinates import Point
from ..ops.images import resize, size_of
from ..ops.morphology import dilate
from ..views.looks import digest
from .pixel_walk import DOT, depth_at, met, piece_at, square_around
from .region import first_met, patches_at

_WALK, _COLOUR, _PATCHES = 1.4, 0.3, 3.2  # weights of the three log-odds
_ROUNDS = 2
_REACH = 5.0  # how far walks carry a click's say, in units of its depth
_OUTWARDS = 3.0  # the same of a deep click on what is missed: there is no end to the other side that would hold it back
_NEARBY = 8.0  # how far around a click anything may change or is learnt from, in the same units
_DISC = 0.7  # radius of what is taken to be wrong with the click, in the same units
_DEEP = 2.2  # patches; a click deeper than that is about something that its surroundings do not look like
_SAID = 0.5  # share of the disc in what the side of such a click looks like
_TWIN = 0.75  # cosine of keys; twins have 0.8 and more, parts of one object 0.1 to 0.66
_DEPTH_OF_ALL = 0.25  # of a click where the other side is nowhere, over the image's longer side
_DOUBT, _EDGE = 0.49, 3  # at most, of what a click has changed; and pixels from the rest within which there is any
_AROUND = 1.5  # patches around those that change in which nothing of the click's side is left in doubt
_NARROW = 0.6  # patches; a click less deep than that is about something that they are too coarse for
_LEAST_LOOK = 0.09  # how far a closer look reaches around a click at least, over the image's longer side
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
        closer: the keys of a box of the finish's image, 1 x C x h' x w' from an image of its own; None for a box of too
            few pixels.
    """

    keys: Tensor | None
    finish: Finish
    closer: Callable[[PixelBox], Tensor | None] = lambda box: None

    @property
    def grid(self) -> tuple[int, int]:
        """(h, w) of the patches."""
        return self.finish.size if self.keys is None else size_of(self.keys)

    @cached_property
    def directions(self) -> Tensor | None:
        """C x h x w, the keys at unit length."""
        return None if self.keys is None else F.normalize(self.keys[0], dim=0)

    def directions_in(self, look: tuple[slice, slice]) -> Tensor | None:
        """C x h' x w', keys at unit length of a closer look at those rows and columns; None where there is none."""
        rows, columns = look
        keys = self.closer((columns.start, rows.start, columns.stop, rows.stop))
        return None if keys is None else F.normalize(keys[0], dim=0)

    @cached_property
    def digest(self) -> bytes:
        """Of the keys."""
        return b"" if self.keys is None else digest(self.keys)

    @property
    def patch(self) -> float:
        """The side of a patch in pixels of the finish's image."""
        return max(side / cells for side, cells in zip(self.finish.size, self.grid, strict=True))


def corrected(soft: Tensor, sight: Sight, clicks: Sequence[tuple[Point, bool]]) -> Tensor:
    """An answer that agrees with all clicks.

    Clicks are taken in their order, and each knows of those before it alone: what comes later changes nothing of how an
    earlier answer was found.

    Args:
        soft: h x w in [0, 1], the answer so far, at the size of the finish's image.
        sight: of the part of the photo that the answer is for.
        clicks: (x, y) in that image, and whether it is on the object.

    Returns:
        h x w in [0, 1], above 0.5 at every click on the object and not above at the others; where two clicks say both
        of one pixel, the later one is right.
    """
    said = {_pixel(point, soft): side for point, side in clicks}
    before: list[tuple[tuple[int, int], bool]] = []
    for at, side in said.items():
        if bool(soft[at] > 0.5) != side:
            soft = _changed(soft, sight, at, side, [one for one, other in before if other != side])
        before.append((at, side))
    for at, side in before:  # what went with something else that was clicked later
        if bool(soft[at] > 0.5) != side:
            soft = soft.clone()
            soft[at] = 0.51 if side else 0.49
    return soft


def _changed(soft: Tensor, sight: Sight, at: tuple[int, int], side: bool, others: Sequence[tuple[int, int]]) -> Tensor:
    """`_change`, remembered: of a conversation all clicks are taken again, and only the last is new."""
    key = digest(soft), sight.digest, at, side, tuple(others)
    with _lock:
        known = _known.setdefault(sight.finish, {})
        found = known.get(key)
    if found is None:
        found = _change(soft, sight, at, side, others)
        with _lock:
            known[key] = found
            while len(known) > _KEPT:
                del known[next(iter(known))]
    return found


def _change(soft: Tensor, sight: Sight, at: tuple[int, int], side: bool, others: Sequence[tuple[int, int]]) -> Tensor:
    """The answer after one click, at (row, column), that it does not agree with.

    `others` are the clicks before it that say the contrary.
    """
    wrong = (soft > 0.5) != side
    likely = _likely(wrong, sight, at, side, others)
    changed = _part(likely, wrong, at)
    # On the side that was clicked, whatever rounding says. The user has said it, so doubt is left at the edge alone; a
    # cut-out would show more of it as a ghost of what was taken away, or as an object that one sees through.
    beside = dilate(changed, round(_AROUND * sight.patch)) & ~wrong
    doubt = torch.where(changed, 1 - likely, 1 - soft if side else soft)
    doubt = doubt.clamp(0, _DOUBT) * dilate(wrong & ~changed, _EDGE)
    return torch.where(changed | beside, 1 - doubt if side else doubt, soft)


def _likely(wrong: Tensor, sight: Sight, at: tuple[int, int], side: bool, others: Sequence[tuple[int, int]]) -> Tensor:
    """How likely each pixel is of the side that a click says, h x w in [0, 1]; 0 far from the click.

    `wrong` is h x w bool, what the answer has on the other side.
    """
    depth = depth_at(wrong, at)
    depth = max(1.0, depth if np.isfinite(depth) else _DEPTH_OF_ALL * max(wrong.shape))
    lab, deep = sight.finish.lab.cpu(), depth >= _DEEP * sight.patch
    reach = (_OUTWARDS if deep and side else _REACH) * depth
    rows, columns = window = square_around(at, _NEARBY * depth, wrong.shape)
    walked = torch.from_numpy(met(lab.numpy(), wrong.numpy(), at, reach, np.array(others).reshape(-1, 2)))
    walked = walked[window].clamp(1e-3, 1 - 1e-3).logit()
    nearby, disc = _within(at, wrong, _NEARBY * depth), wrong & _within(at, wrong, _DISC * depth)
    own, likely = ~wrong & nearby, torch.zeros(wrong.shape)
    twins = _twins_apart(sight, wrong, at, others) if deep else None
    look, directions = _looked_at(sight, at, depth)
    patches = torch.zeros(wrong.shape) if twins is None else twins
    for _ in range(_ROUNDS):
        own = own | _part(likely, wrong, at)
        alike = _mixed(own, disc) if deep else (own | disc).float()
        other = (nearby & ~own & ~disc).float()
        colours = colour_log_ratio(lab[:, rows, columns], alike[window], other[window])
        if twins is None:
            patches[look] = _PATCHES * _contrast(directions, alike[look], other[look])
        odds = _WALK * walked + _COLOUR * colours + patches[window]
        likely[window] = torch.where(nearby[window], odds.sigmoid(), 0.0)
    return likely


def _looked_at(sight: Sight, at: tuple[int, int], depth: float) -> tuple[tuple[slice, slice], Tensor | None]:
    """The rows and columns whose patches tell what a click is about, and these patches' keys at unit length: all that
    is in sight, or a closer look at what is narrower than a patch."""
    if depth <= _NARROW * sight.patch:
        size = sight.finish.size
        look = square_around(at, max(_NEARBY * depth, _LEAST_LOOK * max(size)), size)
        closer = sight.directions_in(look)
        if closer is not None:
            return look, closer
    return (slice(None), slice(None)), sight.directions


def _part(likely: Tensor, wrong: Tensor, at: tuple[int, int]) -> Tensor:
    """h x w bool: what of the wrong side changes, in one piece with the click; the click itself always does."""
    changes = wrong & ((likely > 0.5) | _within(at, wrong, DOT))
    return torch.from_numpy(piece_at(changes.numpy(), at))


def _mixed(own: Tensor, disc: Tensor) -> Tensor:
    """Weights h x w of what a side looks like: the disc has its share of them, however small it is."""
    of_side, of_disc = (part.float() / part.sum().clamp_min(1) for part in (own, disc))
    return (1 - _SAID) * of_side + _SAID * of_disc


def _contrast(directions: Tensor | None, alike: Tensor, other: Tensor) -> Tensor:
    """How much more the patches at each pixel look like those of one part than like those of another, h x w in [-2, 2].

    Args:
        directions: C x h' x w', keys at unit length; None gives 0 everywhere.
        alike, other: h x w, weights of the pixels of either part; a part without any gives 0 everywhere.
    """
    if directions is None or not alike.any() or not other.any():
        return torch.zeros(alike.shape)
    shares = (F.interpolate(one[None, None], size_of(directions), mode="area")[0] for one in (alike, other))
    towards, away = (F.normalize((directions * share).sum((1, 2)), dim=0) for share in shares)
    cosines = torch.einsum("chw,c->hw", directions, towards - away)
    return resize(cosines[None, None], size_of(alike), clamp=False)[0, 0]


def _twins_apart(sight: Sight, wrong: Tensor, at: tuple[int, int], others: Sequence[tuple[int, int]]) -> Tensor | None:
    """Log-odds, h x w, of walks from patch to patch that meet the click before the clicks that say the contrary.

    None unless one of those lies on a twin of what was clicked: only the way there tells twins apart.
    """
    if sight.keys is None or sight.directions is None or not others:
        return None
    size, grid = size_of(wrong), sight.grid
    here, *there = (patches_at(torch.tensor([[column, row]]), size, grid) for row, column in (at, *others))
    looks = sight.directions.flatten(1)
    own, *theirs = (F.normalize(looks[:, place].mean(1), dim=0) for place in (here, *there))
    if all(float(own @ other) <= _TWIN for other in theirs):
        return None
    opposed = torch.stack(there).any(0) & ~here
    walked = (F.interpolate(wrong[None, None].float(), grid, mode="area")[0, 0] >= 0.5) | (here | opposed).view(grid)
    first = first_met(sight.keys, walked, here, opposed).clamp(0.02, 0.98).logit()
    return resize(first[None, None], size, clamp=False)[0, 0]


def _within(at: tuple[int, int], like: Tensor, radius: float) -> Tensor:
    """h x w bool: the pixels of an image so large that are no further from (row, column) than that."""
    rows, columns = (torch.arange(length) - place for length, place in zip(like.shape, at, strict=True))
    return rows[:, None] ** 2 + columns[None] ** 2 <= radius**2


def _pixel(point: Point, like: Tensor) -> tuple[int, int]:
    """(row, column) of the pixel that holds (x, y)."""
    column, row = (min(max(0, int(value)), side - 1) for value, side in zip(point, reversed(like.shape), strict=True))
    return row, column
