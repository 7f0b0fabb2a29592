"""How far the photo is from the paintings of a step: eq. 1, from models to maps."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..config import Direction
from ..encoders import Encoder
from ..finish.crf import DenseCRF
from ..ops.boxes import PixelBox, box_around, box_mask, grow_box
from ..ops.images import size_of
from ..views.frames import Frame, box_frame, compared_smaller, seen_as
from .belief import CLOSER, belief, believed
from .potential import Potential, combine, paint_term, places_in, prompt_term
from .scene import Scene


@dataclass
class Crop:
    """What was made of the contrast box last looked at, so that a step with the same box need not make it again.

    One lives as long as one loop: a lattice is too large to be kept for every step.
    """

    box: PixelBox | None = None
    field: DenseCRF | None = None
    frame: Frame | None = None

    def at(self, box: PixelBox) -> Crop:
        """The same with what was made for this box; what was made for another one is forgotten."""
        if box != self.box:
            self.box, self.field, self.frame = box, None, None
        return self


def contrast(
    mask: Tensor,
    region: Tensor,
    painting: Tensor,
    direction: Direction,
    scene: Scene,
    encoder: Encoder,
    reference: Tensor | None = None,
    crop: Crop | None = None,
    around: PixelBox | None = None,
) -> Potential:
    """Phi, eq. 1, inside the contrast box B.

    Args:
        mask: M_t. region: R_t. painting: N x 3 x h x w. direction: of the step.
        reference: 1 x 3 x h x w, what paintings are compared with; None takes the photo (painters.round_trip).
        crop: what the step before made of its contrast box.
        around: the mask's bounding box, where that is known.
    """
    config, canvas = scene.config, size_of(scene.canvas)
    around, device = around or box_around(mask), mask.device
    box = grow_box(around, config.box_rate, scene.view.content)
    crop = (Crop() if crop is None else crop).at(box)
    scope = box_mask(box, canvas, device) & scene.allowed
    paint = _mean_term(contexts(box, scene, encoder, reference, crop), painting, scene, encoder)
    # Of an O-step nothing can be told: where it painted nothing, the painting is the photo.
    if config.l_paint_sure and direction == "I":
        repainted = places_in(region & scope)
        share = belief(paint, repainted)
        if share > CLOSER and (frames := closer(scene, encoder, reference)):
            paint = _mean_term(frames, painting, scene, encoder)
            share = belief(paint, repainted)
        config = believed(config, share)
    color = None
    if config.l_color:
        crop.field = crop.field or color_field(box, scene)
        color = color_term(region, box, scene, crop.field)
    return combine(
        paint=paint,
        color=color,
        prompt=prompt_term(scene.pointed, scene.refused, around, canvas, device=device),
        affinity=scene.affinity,
        scope=scope,
        sign=1.0 if direction == "I" else -1.0,
        config=config,
    )


def contexts(box: PixelBox, scene: Scene, encoder: Encoder, reference: Tensor | None, crop: Crop) -> list[Frame]:
    """The frames that paintings are shown in, with the features of the photo or of `reference`."""
    config = scene.config
    frames = list(scene.compared)
    if reference is not None:  # another one in every step
        frames = [seen_as(frame, reference, scene.canvas, encoder) for frame in frames]
        crop.frame = None
    if "box" in config.compared_contexts:
        if crop.frame is None:
            frame = box_frame(scene.canvas if reference is None else reference, box, encoder, config)
            crop.frame = replace(frame, image=frame.render(scene.canvas, frame.image))
        frames.append(crop.frame)
    return frames


def closer(scene: Scene, encoder: Encoder, reference: Tensor | None) -> list[Frame]:
    """The frames of `contexts` as large as affinities are measured on; none where paintings are compared so anyway."""
    shown = scene.canvas if reference is None else reference
    wanted = set(scene.config.compared_contexts)
    return [
        seen_as(frame, shown, scene.canvas, encoder)
        for frame in scene.frames
        if wanted & set(frame.serves) and compared_smaller(size_of(frame.image), scene.config)
    ]


def _mean_term(frames: list[Frame], painting: Tensor, scene: Scene, encoder: Encoder) -> Tensor:
    """Phi_paint, the mean over frames that hold the photo's features: N x 1 x h x w."""
    terms = [paint_term(frame, painting, scene.canvas, encoder, scene.config.distance) for frame in frames]
    return sum(terms[1:], terms[0]) / len(terms)


def color_field(box: PixelBox, scene: Scene) -> DenseCRF:
    """The random field of the colours in a canvas box."""
    x0, y0, x1, y1 = box
    return DenseCRF(scene.canvas[0, :, y0:y1, x0:x1], trusted=True)


def color_term(region: Tensor, box: PixelBox, scene: Scene, field: DenseCRF | None = None) -> Tensor:
    """Phi_color = C(R_t in B, I in B), 1 x 1 x h x w: how likely a pixel belongs with the repainted region by its
    colour and place alone (eq. 1). It is 0 outside the contrast box. `field`: from `color_field`."""
    x0, y0, x1, y1 = box
    field = field or color_field(box, scene)
    chance = torch.sigmoid(2 * region[0, 0, y0:y1, x0:x1].float() - 1)  # the softmax of the region's two maps
    term = torch.zeros(1, 1, *region.shape[-2:], device=region.device)
    term[..., y0:y1, x0:x1] = field.infer(chance)
    return term
