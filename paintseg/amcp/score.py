"""How good a mask is, judged without labels: what the alternation of steps climbs (Li et al. 2023, eq. 6).

A good mask has, right inside its edge, an object that nobody would paint there who sees the background only, and right
outside its edge a background that nobody would paint who sees the object only. Too large a mask fails the first: what
it holds too much of is painted as it was. Too small a mask fails the second.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..config import Direction
from ..encoders import Encoder
from ..ops.memory import says_shortage
from ..ops.morphology import inner_ring, outer_ring
from ..ops.seeds import generator_for
from ..painters import Painter, round_trip
from . import loop as amcp
from .contrast import contrast

_RING = 32
"""Width of both neighbourhoods in pixels at a 512-px view (section 5.2)."""


@dataclass(frozen=True)
class Score:
    """The terms of eq. 6, each a mean over its ring and over the paintings, in the distance of `Config.distance`.

    Attributes:
        inside: between photo and inpainting in the inner neighbourhood.
        outside: between photo and outpainting in the outer neighbourhood; 0 when the object fills the view.
    """

    inside: float
    outside: float

    @property
    def total(self) -> float:
        """Eq. 6."""
        return self.inside + self.outside


@says_shortage
@torch.no_grad()
def score(mask: Tensor, state: amcp.State, inpainter: Painter, outpainter: Painter, encoder: Encoder) -> Score:
    """Paint a mask's object out and its background anew, and compare both with the photo.

    Args:
        mask: H x W bool, at the photo's resolution.
        state: any state of a loop over that photo; its seed decides the paintings.
        inpainter, outpainter, encoder: as in `segmentation.segment`.
    """
    scene = state.scene
    mask = (scene.view.crop_mask(mask[None, None]) > 0.5).to(scene.shown.device) & scene.shown
    mask = mask if mask.any() else state.mask  # thinner than a pixel of the view
    width = max(1, scene.config.pixels(_RING))
    inside = _difference(mask, "I", inpainter, state, encoder)
    outside = _difference(mask, "O", outpainter, state, encoder)
    return Score(
        inside=_mean(inside, inner_ring(mask, width) & scene.shown),
        outside=_mean(outside, outer_ring(mask, width) & scene.shown),
    )


def _difference(mask: Tensor, direction: Direction, painter: Painter, state: amcp.State, encoder: Encoder) -> Tensor:
    """Phi_paint of eq. 1, the mean of the paintings', 1 x 1 x h x w."""
    # Only the term that needs a painting is wanted.
    scene = replace(state.scene, config=replace(state.scene.config, l_color=0.0, l_paint_sure=0.0))
    region = amcp.repainted_region(mask, direction, scene)
    hole = amcp.hole_around(region, direction, scene)[0]
    # A painting of its own: the loop's last one is what the mask was fitted to.
    generator = generator_for(state.seed, scene.config.steps + "IO".index(direction))
    painting = amcp.paint(painter, scene.canvas[0], hole, scene.config.paintings, generator)
    reference = round_trip(painter, scene.canvas[0], hole)
    return contrast(mask, region, painting, direction, scene, encoder, reference).paint.mean(0, keepdim=True)


def _mean(values: Tensor, ring: Tensor) -> float:
    return float(values[ring].mean()) if bool(ring.any()) else 0.0
