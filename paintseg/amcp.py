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

from .chunks import says_shortage
from .clustering import kmeans1d
from .config import Config, Direction
from .contrast import Crop, against, color_term, contrast, hold
from .encoders import Encoder
from .errors import InputError, PainterError
from .morphology import closing, dilate, inner_ring, opening, outer_ring
from .painters import Painter, keep_outside, round_trip
from .potential import Potential
from .saving import Mark, agree, has_room, mark, portions, settled
from .scene import Scene, generator_for

__all__ = [
    "State",
    "accumulate",
    "clean",
    "color_term",
    "contrast",
    "hole_around",
    "paint",
    "repainted_region",
    "run",
    "start",
    "step",
    "update",
]


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
        marks: of the steps done, by which `run` decides whether to go on (saving.py).
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
    marks: tuple[Mark, ...] = ()


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
    while (ready := due(state)) is not None:
        direction = config.direction(ready.step)
        state = step(ready, direction, inpainter if direction == "I" else outpainter, encoder, crop)
        yield state


def due(state: State) -> State | None:
    """The state as its next step finds it, steps that need not be made counted; None when the loop has ended."""
    config = state.scene.config
    while state.step < config.steps and not settled(state.mask, state.marks, config):
        idle = config.direction(state.step) == "O" and state.step
        if not (config.skip_idle and idle and not has_room(state.mask, state.scene.allowed, config)):
            return state
        state = replace(state, step=state.step + 1)
    return None


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
    done = replace(state, step=state.step + 1, direction=direction, region=region, potential=None, note="")
    standard = phi = painting = None
    for count in portions(config):
        fresh = paint(painter, scene.canvas[0], hole[0], count, generator)
        painting = fresh if painting is None else torch.cat([painting, fresh])
        done = replace(done, painting=painting)
        if torch.equal(painting, scene.canvas.expand_as(painting)):
            return marked(state, done, "the painting is the photo itself; the mask is kept")
        if standard is None:
            reference = round_trip(painter, scene.canvas[0], hole[0])
            standard = against(state.mask, region, direction, scene, encoder, reference, crop)
        phi = hold(fresh, standard, scene, encoder, phi)
        done = replace(done, potential=phi)
        if not torch.isfinite(phi.paint).all():
            raise InputError(f"the encoder {encoder.name} returned NaN or infinite features; try another precision")
        try:
            margin = distance_to_cut(phi, direction, config.clusters_at(state.step, scene.prompt.kind))
        except InputError:  # of finite numbers it refuses only fewer than k different ones
            return marked(state, done, "the potential is the same everywhere; the mask is kept")
        object_votes = (margin > 0) & phi.scope
        votes = torch.cat([update(state.mask, vote[None], direction, scene.shown, config) for vote in object_votes])
        if agree(votes, state.mask, config):
            break

    mask = clean(votes.float().mean(0, keepdim=True) > 0.5, scene.view.content, config) & scene.allowed
    deviation = phi.total[:, phi.scope[0]].std().clamp_min(1e-12)
    evidence, weight = accumulate(state, margin.mean(0, keepdim=True) / deviation, phi.scope)
    if not mask.any():
        return marked(state, done, "nothing of the object was left; the last mask is kept")
    return marked(state, replace(done, mask=mask, evidence=evidence, weight=weight))


def distance_to_cut(phi: Potential, direction: Direction, k: int) -> Tensor:
    """Eq. 3, jointly over the N paintings: how far Phi is on the object's side of the cut, N x 1 x h x w.

    The highest cluster differs; what lies between two thresholds, k = 3, is ambiguous and left out of the object.
    Raises InputError when Phi has fewer than k values.
    """
    clusters = kmeans1d(phi.total[:, phi.scope[0]], k)
    return phi.total - clusters.thresholds[-1] if direction == "I" else clusters.thresholds[0] - phi.total


def marked(before: State, done: State, problem: str = "") -> State:
    """The state after a step, with its note and with what `run` decides by."""
    scene, phi = before.scene, done.potential
    left = mark(before.mask, None if phi is None else phi.paint, done.direction, scene.shown, scene.config)
    return replace(done, marks=(*before.marks, left), note=f"step {done.step}: {problem}" if problem else "")


def paint(painter: Painter, image: Tensor, hole: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """`count` paintings of the hole, count x 3 x h x w, held to the painter's protocol; none is asked for no hole.

    Raises PainterError for another number or size and for NaN.
    """
    if not hole.any():
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
    config = scene.config
    if direction == "I":
        return dilate(region, config.pixels(config.hole_grow)) & scene.shown
    if config.outer_hole:
        return region & dilate(~region & scene.shown, config.pixels(config.outer_hole))
    return region


def update(mask: Tensor, object_vote: Tensor, direction: Direction, shown: Tensor, config: Config) -> Tensor:
    """Eq. 4: the I-step may only cut, within the inner ring; the O-step may only add, within the outer ring.

    An object that fills the image, as at the start of points and strokes, has no boundary yet and so no ring: its
    first I-step may cut anywhere, or it would never become smaller.

    Args:
        mask: M_t. object_vote: 1 x 1 x h x w bool, where this painting says object.
        shown: 1 x 1 x h x w bool, the canvas without its padding, whose edge is no boundary of the object.
    """
    if not config.adversarial:
        return object_vote
    if direction == "I":
        width = config.pixels(config.inner_ring)
        ring = mask & inner_ring(mask | ~shown, width) if width else mask
        return mask & (object_vote | ~ring) if ring.any() else mask & object_vote
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
    return cleaned if cleaned.any() else mask


def accumulate(state: State, margin: Tensor, scope: Tensor) -> tuple[Tensor, Tensor]:
    """The running mean of the steps' margins where they were measured."""
    weight = state.weight + scope.float()
    evidence = torch.where(scope, (state.evidence * state.weight + margin) / weight.clamp_min(1), state.evidence)
    return evidence, weight
