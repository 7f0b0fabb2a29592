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

from .clustering import kmeans1d
from .config import Config, Direction
from .crf import DenseCRF
from .encoders import Encoder
from .errors import InputError, PainterError
from .frames import box_frame, seen_as
from .morphology import Box, bounding_box, box_mask, closing, dilate, grow_box, inner_ring, opening, outer_ring
from .painters import Painter, keep_outside, round_trip
from .potential import Potential, combine, paint_term, prompt_term
from .scene import Scene, generator_for


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
    while state.step < state.scene.config.steps:
        direction = state.scene.config.direction(state.step)
        state = step(state, direction, inpainter if direction == "I" else outpainter, encoder)
        yield state


@torch.no_grad()
def step(state: State, direction: Direction, painter: Painter, encoder: Encoder) -> State:
    """One I- or O-step (sections 4.1 to 4.3). When it cannot say anything it keeps the mask and leaves a note.

    Raises PainterError when the painter returns something that is no painting.
    """
    scene, config = state.scene, state.scene.config
    region = repainted_region(state.mask, direction, scene)
    hole = hole_around(region, direction, scene)
    painting = paint(painter, scene.canvas[0], hole[0], config.paintings, generator_for(state.seed, state.step))
    done = replace(
        state,
        step=state.step + 1,
        direction=direction,
        region=region,
        painting=painting,
        potential=None,
        note="",
    )
    if torch.equal(painting, scene.canvas.expand_as(painting)):
        return replace(done, note=f"step {done.step}: the painting is the photo itself; the mask is kept")

    reference = round_trip(painter, scene.canvas[0], hole[0])
    phi = contrast(state.mask, region, painting, direction, scene, encoder, reference)
    done = replace(done, potential=phi)
    inside = phi.total[:, phi.scope[0]]
    k = config.clusters_at(state.step, scene.prompt.kind)
    if not torch.isfinite(phi.paint).all():
        raise InputError(f"the encoder {encoder.name} returned NaN or infinite features; try another precision")
    try:
        clusters = kmeans1d(inside, k)  # eq. 3, jointly over the N paintings
    except InputError:  # of finite numbers it refuses only fewer than k different ones
        return replace(done, note=f"step {done.step}: the potential is the same everywhere; the mask is kept")
    # The highest cluster differs; between two thresholds, k = 3, lies what is ambiguous and left out of the object.
    cut = clusters.thresholds[-1] if direction == "I" else clusters.thresholds[0]
    margin = (phi.total - cut) if direction == "I" else (cut - phi.total)
    object_votes = (margin > 0) & phi.scope

    votes = torch.cat([update(state.mask, vote[None], direction, scene.shown, config) for vote in object_votes])
    mask = clean(votes.float().mean(0, keepdim=True) > 0.5, scene.view.content, config) & scene.allowed
    evidence, weight = accumulate(state, margin.mean(0, keepdim=True) / inside.std().clamp_min(1e-12), phi.scope)
    if not mask.any():
        return replace(done, note=f"step {done.step}: nothing of the object was left; the last mask is kept")
    return replace(done, mask=mask, evidence=evidence, weight=weight)


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


def contrast(
    mask: Tensor,
    region: Tensor,
    painting: Tensor,
    direction: Direction,
    scene: Scene,
    encoder: Encoder,
    reference: Tensor | None = None,
) -> Potential:
    """Phi, eq. 1, inside the contrast box B.

    Args:
        mask: M_t. region: R_t. painting: N x 3 x h x w. direction: of the step.
        reference: 1 x 3 x h x w, what the painting is held against; None takes the photo (painters.round_trip).
    """
    config, canvas = scene.config, tuple(scene.canvas.shape[-2:])
    box = grow_box(bounding_box(mask), config.box_rate, scene.view.content)
    scope = box_mask(box, canvas) & scene.allowed
    wanted = set(config.paint_contexts or config.contexts)
    lasting = [frame for frame in scene.frames if wanted & set(frame.serves)]
    if reference is not None:
        lasting = [seen_as(frame, reference, encoder) for frame in lasting]
    seen = scene.canvas if reference is None else reference
    frames = [*lasting, *([box_frame(seen, box, encoder, config)] if "box" in wanted else [])]
    paint = sum(paint_term(frame, painting, encoder, config.distance) for frame in frames) / len(frames)
    color = color_term(region, box, scene) if config.l_color else None
    prompt = prompt_term(scene.points, scene.negative_points, bounding_box(mask), canvas, config.prompt_sigma)
    return combine(paint, color, prompt, scene.affinity, scope, 1.0 if direction == "I" else -1.0, config)


def color_term(region: Tensor, box: Box, scene: Scene) -> Tensor:
    """Phi_color = C(R_t in B, I in B), 1 x 1 x h x w: how likely a pixel belongs with the repainted region by its
    colour and place alone (eq. 1). It is 0 outside the contrast box."""
    config = scene.config
    x0, y0, x1, y1 = box
    crf = DenseCRF(
        scene.canvas[0, :, y0:y1, x0:x1],
        sxy_bilateral=config.crf_sxy,
        srgb=config.crf_srgb,
        compat_bilateral=config.crf_compat,
    )
    chance = torch.sigmoid(2 * region[0, 0, y0:y1, x0:x1].float() - 1)  # the softmax of the region's two maps
    term = torch.zeros(1, 1, *region.shape[-2:])
    term[..., y0:y1, x0:x1] = crf.infer(torch.stack([1 - chance, chance]), iterations=config.crf_iterations)[1]
    return term


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
