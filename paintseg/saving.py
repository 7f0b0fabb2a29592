"""Calls of the models that a loop need not make: when it may end, which steps it may skip, which paintings it needs.

None of it is the paper's, whose loop makes all its steps with all its paintings; every rule is a parameter of `Config`
and off by default.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from .config import Config, Direction
from .morphology import inner_ring, outer_ring


@dataclass(frozen=True)
class Mark:
    """What a step leaves for the decision whether to go on.

    Attributes:
        direction: of the step.
        before: M_t, 1 x 1 x h x w bool, the mask it started from.
        gain: its term of eq. 6, the mean of Phi_paint over the ring inside (I) or outside (O) the mask it started
            from; None when that is not asked for, or there was no ring or no contrast.
    """

    direction: Direction
    before: Tensor
    gain: float | None


def mark(before: Tensor, paint: Tensor | None, direction: Direction, shown: Tensor, config: Config) -> Mark:
    """The mark of a step.

    Args:
        before: M_t, 1 x 1 x h x w bool.
        paint: Phi_paint, N x 1 x h x w; None without one.
        shown: 1 x 1 x h x w bool, the canvas without its padding.
    """
    if paint is None or not config.stop_score:
        return Mark(direction, before, None)
    width = config.pixels(32)  # section 5.2, whatever the rings of eq. 4 are
    ring = shown & (inner_ring(before | ~shown, width) & before if direction == "I" else outer_ring(before, width))
    return Mark(direction, before, float(paint.mean(0, keepdim=True)[ring].mean()) if ring.any() else None)


def settled(mask: Tensor, marks: Sequence[Mark], config: Config) -> bool:
    """Whether the loop may end at this mask: it no longer moves, or eq. 6 no longer climbs.

    The mask no longer moves when it is nearly what it was before the last step of each kind, be it that neither did
    anything or that the one took back what the other did. A term of eq. 6 is measured by every second step, on the
    painting it makes anyway; eq. 6 no longer climbs when the term just measured is not above what it was two steps
    before, the other term being that of the step in between.
    """
    kinds = len(set(config.directions))
    if config.stop_change and len(marks) >= kinds:
        before = marks[-kinds].before
        if (mask ^ before).sum() < config.stop_change * before.sum():
            return True
    if not config.stop_score or len(marks) <= kinds:
        return False
    last, earlier = marks[-1].gain, marks[-1 - kinds].gain
    return last is not None and earlier is not None and last <= earlier


def has_room(mask: Tensor, allowed: Tensor, config: Config) -> bool:
    """Whether an O-step could add anything to a mask, 1 x 1 x h x w bool, where the object may be."""
    if not config.adversarial:
        return True
    width = config.pixels(config.outer_ring)
    around = outer_ring(mask, width) if width else ~mask
    return bool((around & allowed).any())


def agree(votes: Tensor, mask: Tensor, config: Config) -> bool:
    """Whether paintings agree well enough that no more are needed.

    Args:
        votes: N x 1 x h x w bool, what each makes of the mask. mask: 1 x 1 x h x w bool, M_t.
    """
    disputed = (votes != votes[:1]).any(0).sum()
    return bool(disputed <= config.first_agreement * mask.sum())


def portions(config: Config) -> tuple[int, ...]:
    """How many paintings of a step are made at first, and how many more if those disagree."""
    first, count = config.first_paintings, config.paintings
    return (first, count - first) if 0 < first < count else (count,)
