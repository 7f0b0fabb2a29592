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
from typing import Literal

import torch
from torch import Tensor

from .clustering import kmeans1d
from .config import Config
from .crf import DenseCRF
from .encoders import Encoder
from .errors import InputError
from .frames import box_frame
from .morphology import bounding_box, closing, dilate, grow_box, inner_ring, opening, outer_ring
from .painters import Painter
from .potential import Potential, combine, paint_term, prompt_term
from .scene import Scene, generator_for

Direction = Literal["I", "O"]


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
            N x 3 x h x w, `region` 1 x 1 x h x w bool, what was repainted.
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
    """M_0: the box or coarse mask itself, for points and strokes what `Config.start` says (section 4.3)."""
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


def step(state: State, direction: Direction, painter: Painter, encoder: Encoder) -> State:
    """One I- or O-step (sections 4.1 and 4.2)."""
    scene, config = state.scene, state.scene.config
    region = repainted_region(state.mask, direction, scene)
    generator = generator_for(state.seed, state.step)
    painting = painter.paint(
        scene.canvas[0], hole_around(region, direction, scene)[0].float(), config.paintings, generator
    )
    phi = contrast(state.mask, region, painting, direction, scene, encoder)
    done = replace(
        state,
        step=state.step + 1,
        direction=direction,
        region=region,
        painting=painting,
        potential=phi,
        note="",
    )

    inside = phi.total[:, phi.scope[0]]
    k = config.clusters_at(state.step, scene.prompt.kind)
    try:
        clusters = kmeans1d(inside, k)  # eq. 3, jointly over the N paintings
    except InputError:
        return replace(done, note=f"step {done.step}: the painting differs nowhere from the photo; the mask is kept")
    # The highest cluster differs; between two thresholds, k = 3, lies what is ambiguous and left out of the object.
    cut = clusters.thresholds[-1] if direction == "I" else clusters.thresholds[0]
    margin = (phi.total - cut) if direction == "I" else (cut - phi.total)
    object_votes = (margin > 0) & phi.scope

    votes = torch.cat([update(state.mask, vote[None], direction, scene) for vote in object_votes])
    mask = clean(votes.float().mean(0, keepdim=True) > 0.5, config) & scene.allowed
    evidence, weight = accumulate(state, margin.mean(0, keepdim=True) / inside.std().clamp_min(1e-12), phi.scope)
    if not mask.any():
        return replace(done, note=f"step {done.step}: nothing of the object was left; the last mask is kept")
    return replace(done, mask=mask, evidence=evidence, weight=weight)


def repainted_region(mask: Tensor, direction: Direction, scene: Scene) -> Tensor:
    """R_t: the object region in an I-step, its complement in an O-step (section 4.1)."""
    return mask if direction == "I" else ~mask & scene.shown


def hole_around(region: Tensor, direction: Direction, scene: Scene) -> Tensor:
    """The painter's hole for a region: a little more than the object, so that its rim gives nothing away."""
    config = scene.config
    if direction == "I":
        return dilate(region, config.pixels(config.hole_grow)) & scene.shown
    if config.outer_hole:
        return region & dilate(~region, config.pixels(config.outer_hole))
    return region


def contrast(
    mask: Tensor, region: Tensor, painting: Tensor, direction: Direction, scene: Scene, encoder: Encoder
) -> Potential:
    """Phi, eq. 1, inside the contrast box B.

    Args:
        mask: M_t. region: R_t. painting: N x 3 x h x w. direction: of the step.
    """
    config, canvas = scene.config, tuple(scene.canvas.shape[-2:])
    box = grow_box(bounding_box(mask), config.box_rate, scene.view.content)
    scope = torch.zeros_like(mask)
    scope[..., box[1] : box[3], box[0] : box[2]] = True
    scope &= scene.allowed
    frames = [
        *scene.frames,
        *([box_frame(scene.canvas, box, encoder, config)] if "box" in config.contexts else []),
    ]
    paint = sum(paint_term(frame, painting, encoder, config.distance) for frame in frames) / len(frames)
    color = color_term(region, scene) if config.l_color else None
    prompt = prompt_term(scene.points, scene.negative_points, bounding_box(mask), canvas, config.prompt_sigma)
    return combine(paint, color, prompt, scene.affinity, scope, 1.0 if direction == "I" else -1.0, config)


def color_term(region: Tensor, scene: Scene) -> Tensor:
    """Phi_color = C(R_t, I): how likely a pixel belongs with the repainted region by colour and place (eq. 1)."""
    probability = torch.softmax(torch.stack([1.0 - region.float(), region.float()]).squeeze(1), dim=0)
    crf = DenseCRF(
        scene.canvas[0],
        sxy_bilateral=scene.config.crf_sxy,
        srgb=scene.config.crf_srgb,
        compat_bilateral=scene.config.crf_compat,
    )
    return crf.infer(probability[:, 0], iterations=scene.config.crf_iterations)[1][None, None]


def update(mask: Tensor, object_vote: Tensor, direction: Direction, scene: Scene) -> Tensor:
    """Eq. 4: the I-step may only cut, within the inner ring; the O-step may only add, within the outer ring.

    Args:
        mask: M_t. object_vote: 1 x 1 x h x w bool, where this painting says object.
    """
    config = scene.config
    if not config.adversarial:
        return object_vote
    if direction == "I":
        width = config.pixels(config.inner_ring)
        return mask & (object_vote | ~inner_ring(mask, width)) if width else mask & object_vote
    width = config.pixels(config.outer_ring)
    addable = outer_ring(mask, width) if width else ~mask
    return mask | (addable & object_vote)


def clean(mask: Tensor, config: Config) -> Tensor:
    """Open against specks and close against holes (section 4.2); a mask too thin to survive stays as it is."""
    radius = config.kernel // 2
    cleaned = closing(opening(mask, radius), radius)
    return cleaned if cleaned.any() else mask


def accumulate(state: State, margin: Tensor, scope: Tensor) -> tuple[Tensor, Tensor]:
    """The running mean of the steps' margins where they were measured."""
    weight = state.weight + scope.float()
    evidence = torch.where(scope, (state.evidence * state.weight + margin) / weight.clamp_min(1), state.evidence)
    return evidence, weight
