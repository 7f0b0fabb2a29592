"""Shadows: what an object darkens around it, found the way the method finds objects.

A painter that sees neither the object nor a wide ring around it paints the ground as if nothing stood there. Where the
photo is darker than that, in the same hue, and it hangs together with the object, the object throws its shadow.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..amcp.loop import paint
from ..ops.images import resize
from ..ops.morphology import closing, components, dilate, opening
from ..painters import Painter
from .window import nearby, show, show_hole, window

REACH = 0.45
"""Width of the ring searched, over the root of the object's area."""

SIZE = 256
"""Longer side of the view that is painted; a shadow has no detail."""

PAINTINGS = 3

DARKER, DIMMER = 0.75, 0.87
"""A shadow's core has at most the first share of the light that was expected, its fringe the second."""

DARKEST = 0.12
"""With less light than this share it is a dark thing, not a shadow."""

UNSURE = 0.125
"""A painting that misses the light of the ground by more than this (log, median) says nothing about shadows."""

SAME_HUE = 0.12
"""Largest change of a colour channel's share of the light: a shadow dims, an object tints."""


def find_shadow(photo: Tensor, mask: Tensor, painter: Painter, generator: torch.Generator) -> Tensor:
    """Where an object throws a shadow.

    Args:
        photo: 3 x H x W in [0, 1]. mask: H x W bool, the object.
        painter: paints the ground without it.

    Returns H x W bool, outside the mask; often empty.
    """
    reach = max(4, round(REACH * float(mask.sum()) ** 0.5))
    ring = torch.zeros_like(mask)
    rows, columns = nearby(mask, reach)
    ring[rows, columns] = dilate(mask[rows, columns], reach, "disc")
    if ring.all():
        return torch.zeros_like(mask)
    view = window(ring, painter, size=SIZE)
    canvas, hole = show(photo, view), show_hole(ring, view)
    expected = paint(painter, canvas, hole, PAINTINGS, generator).to(canvas).median(0).values
    light, usual = _light(canvas), _light(expected)
    hue = (canvas / light.clamp_min(0.02) - expected / usual.clamp_min(0.02)).abs().amax(0) / 3
    share = light / usual.clamp_min(0.02)
    thing = show_hole(mask, view)[0] > 0.5
    dimmed = (share > DARKEST) & (hue < SAME_HUE) & (hole[0] > 0.5) & ~thing
    core = closing(opening(dimmed & (share < DARKER), 1), 2) & ~thing
    core = _hanging_on(core, dilate(thing, 2))
    found = dilate(core | (dimmed & (share < DIMMER) & dilate(core, 4)), 2)
    ground = share[(hole[0] > 0.5) & ~found & ~thing]
    if not len(ground) or ground.clamp_min(1e-3).log().abs().median() > UNSURE:
        return torch.zeros_like(mask)
    (x0, y0, x1, y1), (height, width) = view.box, view.content
    shadow, place = torch.zeros_like(mask), (slice(y0, y1), slice(x0, x1))
    seen = resize(found[None, None, :height, :width], (y1 - y0, x1 - x0))[0, 0].to(mask.device)
    shadow[place] = (seen > 0.5) & ring[place] & ~mask[place]
    return shadow


def _hanging_on(region: Tensor, seed: Tensor) -> Tensor:
    """The parts of a region, h x w bool, that touch or overlap `seed`."""
    labels = components((region | seed)[None, None])[0][0, 0]
    return region & torch.isin(labels, labels[seed].unique())


def _light(image: Tensor) -> Tensor:
    """Brightness h x w, smoothed a little: texture is no shadow."""
    height, width = image.shape[1:]
    coarse = resize(image.mean(0)[None, None], (max(1, height // 4), max(1, width // 4)))
    return resize(coarse, (height, width))[0, 0]
