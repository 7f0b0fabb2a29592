"""What the paintings of a step are held against, and how far the photo is from them: eq. 1, from models to maps."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from .config import Direction
from .crf import DenseCRF
from .encoders import Encoder
from .frames import Frame, box_frame, seen_as
from .morphology import Box, bounding_box, box_mask, grow_box
from .potential import Potential, combine, paint_term, prompt_term
from .scene import Scene


@dataclass
class Crop:
    """What was made of the contrast box last looked at, so that a step with the same box need not make it again.

    One lives as long as one loop: a lattice is too large to be kept for every step.
    """

    box: Box | None = None
    parts: dict[str, object] = field(default_factory=dict)

    def at(self, box: Box) -> dict[str, object]:
        """The parts made for this box; those of another one are forgotten."""
        if box != self.box:
            self.box, self.parts = box, {}
        return self.parts


@dataclass(frozen=True)
class Against:
    """All of eq. 1 that does not depend on the paintings.

    Attributes:
        frames: the contexts that paintings are shown in, with the photo's features.
        color, prompt: 1 x 1 x h x w or None, the terms of that name.
        scope: 1 x 1 x h x w bool, the contrast box B.
        sign: +1 in I-steps, -1 in O-steps.
    """

    frames: tuple[Frame, ...]
    color: Tensor | None
    prompt: Tensor | None
    scope: Tensor
    sign: float


def against(
    mask: Tensor,
    region: Tensor,
    direction: Direction,
    scene: Scene,
    encoder: Encoder,
    reference: Tensor | None = None,
    crop: Crop | None = None,
) -> Against:
    """Encode the photo where that is still to be done, and the terms of colour and prompt.

    Args:
        mask: M_t. region: R_t. direction: of the step.
        reference: 1 x 3 x h x w, what paintings are held against; None takes the photo (painters.round_trip).
        crop: what the step before made of its contrast box.
    """
    config, canvas = scene.config, tuple(scene.canvas.shape[-2:])
    box = grow_box(bounding_box(mask), config.box_rate, scene.view.content)
    parts = (crop or Crop()).at(box)
    wanted = set(config.paint_contexts or config.contexts)
    frames = [frame for frame in scene.frames if wanted & set(frame.serves)]
    if reference is not None:  # another one in every step
        frames = [seen_as(frame, reference, encoder) for frame in frames]
        parts.pop("frame", None)
    if "box" in wanted:
        if "frame" not in parts:
            seen = scene.canvas if reference is None else reference
            parts["frame"] = box_frame(seen, box, encoder, config)
        frames.append(parts["frame"])
    color = None
    if config.l_color:
        parts["field"] = parts.get("field") or color_field(box, scene)
        color = color_term(region, box, scene, parts["field"])
    return Against(
        frames=tuple(frames),
        color=color,
        prompt=prompt_term(
            scene.points, scene.negative_points, bounding_box(mask), canvas, config.prompt_sigma, mask.device
        ),
        scope=box_mask(box, canvas, mask.device) & scene.allowed,
        sign=1.0 if direction == "I" else -1.0,
    )


def hold(
    painting: Tensor, standard: Against, scene: Scene, encoder: Encoder, before: Potential | None = None
) -> Potential:
    """Phi, eq. 1, of N x 3 x h x w paintings; those that `before` is of come first and are not encoded again."""
    frames = standard.frames
    paint = sum(paint_term(frame, painting, encoder, scene.config.distance) for frame in frames) / len(frames)
    if before is not None:
        paint = torch.cat([before.paint, paint])
    return combine(
        paint, standard.color, standard.prompt, scene.affinity, standard.scope, standard.sign, scene.config
    )


def contrast(
    mask: Tensor,
    region: Tensor,
    painting: Tensor,
    direction: Direction,
    scene: Scene,
    encoder: Encoder,
    reference: Tensor | None = None,
) -> Potential:
    """Phi, eq. 1, inside the contrast box B; `painting` is N x 3 x h x w, the rest as in `against`."""
    return hold(painting, against(mask, region, direction, scene, encoder, reference), scene, encoder)


def color_field(box: Box, scene: Scene) -> DenseCRF:
    """The random field of the colours in a canvas box."""
    config, (x0, y0, x1, y1) = scene.config, box
    return DenseCRF(
        scene.canvas[0, :, y0:y1, x0:x1],
        sxy_bilateral=config.crf_sxy,
        srgb=config.crf_srgb,
        compat_bilateral=config.crf_compat,
    )


def color_term(region: Tensor, box: Box, scene: Scene, field: DenseCRF | None = None) -> Tensor:
    """Phi_color = C(R_t in B, I in B), 1 x 1 x h x w: how likely a pixel belongs with the repainted region by its
    colour and place alone (eq. 1). It is 0 outside the contrast box. `field`: from `color_field`."""
    x0, y0, x1, y1 = box
    field = field or color_field(box, scene)
    chance = torch.sigmoid(2 * region[0, 0, y0:y1, x0:x1].float() - 1)  # the softmax of the region's two maps
    term = torch.zeros(1, 1, *region.shape[-2:], device=region.device)
    labels = torch.stack([1 - chance, chance])
    term[..., y0:y1, x0:x1] = field.infer(labels, iterations=scene.config.crf_iterations)[1]
    return term
