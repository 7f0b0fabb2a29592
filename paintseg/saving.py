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
        changed: pixels of the mask it changed over the mask's own.
        gain: its term of eq. 6, the mean of Phi_paint over the ring inside (I) or outside (O) the mask it started
            from; None when there was no ring or no contrast.
    """

    direction: Direction
    changed: float
    gain: float | None


def mark(before: Tensor, after: Tensor, paint: Tensor | None, direction: Direction, shown: Tensor,
         config: Config) -> Mark:
    """The mark of a step.

    Args:
        before, after: M_t and M_t+1, 1 x 1 x h x w bool.
        paint: Phi_paint, N x 1 x h x w.
        shown: 1 x 1 x h x w bool, the canvas without its padding.
    """
    changed = float((before ^ after).sum() / before.sum().clamp_min(1))
    if paint is None or not config.stop_score:
        return Mark(direction, changed, None)
    width = config.pixels(32)  # section 5.2, whatever the rings of eq. 4 are
    ring = shown & (inner_ring(before | ~shown, width) & before if direction == "I" else outer_ring(before, width))
    return Mark(direction, changed, float(paint.mean(0, keepdim=True)[ring].mean()) if ring.any() else None)


def settled(marks: Sequence[Mark], config: Config) -> bool:
    """Whether the loop may end: the mask no longer moves, or eq. 6 no longer climbs.

    The mask no longer moves when one step of each kind in a row changed next to nothing. A term of eq. 6 is measured by
    every second step, on the painting it makes anyway; eq. 6 no longer climbs when the term just measured is not above
    what it was two steps before, the other term being that of the step in between.
    """
    kinds = len(set(config.directions))
    if config.stop_change and len(marks) >= kinds and sum(one.changed for one in marks[-kinds:]) < config.stop_change:
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
