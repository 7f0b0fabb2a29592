"""AMCP, adversarial mask contrastive painting: section 4 of Li et al. 2023, arXiv 2305.19406.

    region   R_t     what is repainted: the object in an I-step, its background in an O-step
    painting I_paint the region as the painter expects it to be
    potential Phi    how far the photo is from the painting (eq. 1, potential.py)
    differs          the cluster of the highest potential (eq. 3, clustering.py)
    update           the I-step cuts the object, the O-step adds to it, each in its ring (eq. 4)

`run` yields a State per step; stopping it at any point leaves nothing behind. Tensors of this file are on the canvas
of a view (view.py): 1 x 1 x h x w for masks, 3 x h x w for images.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..config import Config, Direction
from ..encoders import Encoder
from ..errors import InputError, PainterError
from ..ops.boxes import bounding_box_and
from ..ops.memory import says_shortage
from ..ops.morphology import closing, dilate, inner_ring, opening, outer_ring
from ..ops.seeds import generator_for
from ..painters import Painter, keep_outside, round_trip
from .clustering import cut_unseen
from .contrast import Crop, contrast
from .potential import Potential
from .scene import Scene

NOTHING_PAINTED = "the painting is the photo itself; the mask is kept"


@dataclass(frozen=True)
class State:
    """What a step hands to the next one.

    Attributes:
        scene: the photo, the prompt and what was computed from them once.
        step: steps done.
        mask: M_t, 1 x 1 x h x w bool.
        evidence: 1 x 1 x h x w, mean over the steps of how far Phi was from the cut, in deviations; above 0 speaks
            for the object.
        weight: 1 x 1 x h x w, the number of steps that `evidence` is the mean of.
        seed: of the whole run; a step's randomness depends on it and on `step` alone.
        direction, region, painting, potential: of the last step; None before the first. `painting` is
            N x 3 x h x w, `region` 1 x 1 x h x w bool, what was repainted. `potential` is None too after a painting
            that is the photo itself.
        note: one sentence when the step could not do what it should have, else empty.
    """

    scene: Scene
    step: int
    mask: Tensor
    evidence: Tensor
    weight: Tensor
    seed: int
    direction: Direction | None = None
    region: Tensor | None = None
    painting: Tensor | None = None
    potential: Potential | None = None
    note: str = ""


def start(scene: Scene, seed: int = 0) -> State:
    """M_0: the box or coarse mask itself, for points and strokes what `Config.start` says (section 5.2)."""
    unknown = torch.zeros_like(scene.start, dtype=torch.float32)
    return State(
        scene=scene,
        step=0,
        mask=scene.start & scene.allowed,
        evidence=unknown,
        weight=unknown.clone(),
        seed=seed,
    )


def run(state: State, inpainter: Painter, outpainter: Painter, encoder: Encoder) -> Iterator[State]:
    """The loop: alternate I- and O-steps (section 4.3), yielding the state after each.

    Args:
        state: from `start`, or any later one to go on from there.
        inpainter: phi, paints the I-steps. outpainter: psi, paints the O-steps; may be the same.
        encoder: the one the scene was prepared with.
    """
    config, crop = state.scene.config, Crop()
    while state.step < config.steps:
        direction = config.direction(state.step)
        state = step(state, direction, inpainter if direction == "I" else outpainter, encoder, crop)
        yield state


@says_shortage
@torch.no_grad()
def step(state: State, direction: Direction, painter: Painter, encoder: Encoder, crop: Crop | None = None) -> State:
    """One I- or O-step (sections 4.1 to 4.3). When it cannot say anything it keeps the mask and leaves a note.

    `crop` carries from step to step what depends on the contrast box alone; None makes it anew.

    Raises PainterError when the painter returns something that is no painting.
    """
    scene, config = state.scene, state.scene.config
    region = repainted_region(state.mask, direction, scene)
    hole = hole_around(region, direction, scene)
    generator = generator_for(state.seed, state.step)
    around, holed = bounding_box_and(state.mask, hole)
    painting = paint(painter, scene.canvas[0], hole[0], config.paintings, generator, holed)
    done = replace(
        state, step=state.step + 1, direction=direction, region=region, painting=painting, potential=None, note=""
    )
    if not holed:
        return noted(done, NOTHING_PAINTED)
    reference = round_trip(painter, scene.canvas[0], hole[0])
    phi = contrast(state.mask, region, painting, direction, scene, encoder, reference, crop, around)
    # A GPU is waited for once, when all is done: what went wrong on the way is asked then.
    finite, painted = torch.isfinite(phi.paint).all(), (painting != scene.canvas).any()
    try:
        margin, told = cut_unseen(phi, direction, config.clusters_at(state.step, scene.prompt.kind))
    except InputError:  # of finite numbers it refuses only fewer than k different ones
        margin, told = torch.zeros_like(phi.total), torch.zeros_like(finite)

    votes = torch.cat(
        [
            update(state.mask, vote[None], direction, scene.shown, config, scene.kept_clear)
            for vote in (margin > 0) & phi.scope
        ]
    )
    mask = clean(votes.float().mean(0, keepdim=True) > 0.5, scene.view.content, config) & scene.allowed
    finite, painted, told, left = torch.stack([finite, painted, told, mask.any()]).tolist()
    if not painted:
        return noted(done, NOTHING_PAINTED)
    if not finite:
        raise InputError(f"the encoder {encoder.name} returned NaN or infinite features; try another precision")
    done = replace(done, potential=phi)
    if not told:
        return noted(done, "the potential is the same everywhere; the mask is kept")
    if not left:
        return noted(done, "nothing of the object was left; the last mask is kept")
    deviation = phi.values.std().clamp_min(1e-12)
    evidence, weight = accumulate(state, margin.mean(0, keepdim=True) / deviation, phi.scope)
    return replace(done, mask=mask, evidence=evidence, weight=weight)


def noted(done: State, problem: str) -> State:
    """The state after a step that could not do what it should have."""
    return replace(done, note=f"step {done.step}: {problem}")


def paint(
    painter: Painter, image: Tensor, hole: Tensor, count: int, generator: torch.Generator, holed: bool | None = None
) -> Tensor:
    """`count` paintings of the hole, count x 3 x h x w, checked against the protocol; without a hole none is asked for.

    `holed`: whether there is a hole, where that is known. Raises PainterError for another number or size and for NaN.
    """
    if not (hole.any() if holed is None else holed):
        return image.expand(count, -1, -1, -1)
    painted = painter.paint(image, hole.float(), count, generator)
    if len(painted) != count:
        raise PainterError(f"the painter returned {len(painted)} paintings where {count} were asked for")
    return keep_outside(image, hole, painted)


def repainted_region(mask: Tensor, direction: Direction, scene: Scene) -> Tensor:
    """R_t: the object region in an I-step, its complement in an O-step (section 4.1)."""
    return mask if direction == "I" else ~mask & scene.shown


def hole_around(region: Tensor, direction: Direction, scene: Scene) -> Tensor:
    """The painter's hole for a region: a little more than the object, so that its rim gives nothing away."""
    if direction == "O":
        return region
    return dilate(region, scene.config.pixels(scene.config.hole_grow)) & scene.shown


def update(
    mask: Tensor,
    object_vote: Tensor,
    direction: Direction,
    shown: Tensor,
    config: Config,
    kept_clear: Tensor | None = None,
) -> Tensor:
    """Eq. 4: the I-step may only cut, within the inner ring; the O-step may only add, within the outer ring.

    An object that fills the image, as at the start of points and strokes, has no boundary yet and so no ring: its
    first I-step may cut anywhere, or it would never become smaller. What negative points keep clear of the object is
    no boundary either, as long as there is no other.

    Args:
        mask: M_t. object_vote: 1 x 1 x h x w bool, where this painting says object.
        shown: 1 x 1 x h x w bool, the canvas without its padding, whose edge is no boundary of the object.
        kept_clear: 1 x 1 x h x w bool, what is around negative points; None without any.
    """
    if not config.adversarial:
        return object_vote
    if direction == "I":
        width = config.pixels(config.inner_ring)
        outside = shown & ~mask
        if not width:
            return mask & object_vote
        bounded = (outside if kept_clear is None else outside & ~kept_clear).any()  # a GPU is not asked for its value
        ring = inner_ring(mask | ~shown, width)
        return mask & (object_vote | (bounded & ~ring))
    width = config.pixels(config.outer_ring)
    ring = outer_ring(mask, width) if width else ~mask
    return mask | (ring & shown & object_vote)


def clean(mask: Tensor, content: tuple[int, int], config: Config) -> Tensor:
    """Open against specks and close against holes (section 5.2); a mask too thin to survive stays as it is.

    Args:
        mask: 1 x 1 x h x w bool. content: (h, w) of the canvas without its padding; the photo's edge eats nothing.
    """
    radius, (height, width) = config.kernel // 2, content
    cleaned = torch.zeros_like(mask)
    cleaned[..., :height, :width] = closing(opening(mask[..., :height, :width], radius), radius)
    return torch.where(cleaned.any(), cleaned, mask)


def accumulate(state: State, margin: Tensor, scope: Tensor) -> tuple[Tensor, Tensor]:
    """The running mean of the steps' margins where they were measured."""
    weight = state.weight + scope.float()
    evidence = torch.where(scope, (state.evidence * state.weight + margin) / weight.clamp_min(1), state.evidence)
    return evidence, weight
