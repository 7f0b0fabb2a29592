"""How far a painter is believed on this photo: the weight of its painting in eq. 1, found without labels.

An I-step paints over the object and over what else its region holds of the background. Where the painting comes out
almost as the photo, there was background, and the painter knows how such a background goes on. Where it comes out as
something else, there was an object, or the painter guessed wrong. A painter that guesses wrong everywhere is far from
the photo everywhere. So the two levels of Phi_paint, the clusters of eq. 3, tell its worth: the nearer the lower one is
to 0, measured in the higher one, the more weight the painting gets. Measured in docs/experiments/belief.md.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from ..config import Config
from ..ops.kmeans import two_means
from .potential import values_at

CLEAR, VAGUE = 0.3, 0.45
"""The lower level over the higher: up to here a painting is believed in full, from there on no more than `l_paint`."""
CLOSER = 1 / 3
"""Belief above which a painting is worth looking at as closely as the photo was (`Config.paint_size`)."""


def belief(paint: Tensor, places: Tensor) -> float:
    """How far paintings are believed, 0 to 1.

    Args:
        paint: Phi_paint, N x 1 x h x w.
        places: the repainted pixels of the contrast box, from `places_in`.

    Returns:
        0 where nothing was repainted there, or nothing of it differs.
    """
    values = values_at(paint, places)
    if not values.numel():
        return 0.0
    clusters, means = two_means(values)
    low, high, told = torch.cat([clusters.centers, means[None]]).tolist()  # a GPU is asked once
    return min(max((VAGUE - low / high) / (VAGUE - CLEAR), 0.0), 1.0) if told and high > 0 else 0.0


def believed(config: Config, share: float) -> Config:
    """The parameters with the painting's weight between `l_paint` and `l_paint_sure`; the affinity has the rest."""
    paint = config.l_paint + share * (config.l_paint_sure - config.l_paint)
    return replace(config, l_paint=paint, l_affinity=max(0.0, config.l_affinity + config.l_paint - paint))
