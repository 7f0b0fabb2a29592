"""The finish: the loop's evidence refined by what object and background look like, at the photo's own resolution.

The encoder's grid is coarse. Two things at pixel resolution are added to its evidence: colour models of object and
background, fitted anew to the current answer as in GrabCut (Rother et al. 2004), and a fully connected CRF that lets
an edge fall where the photo has one (Kraehenbuehl & Koltun 2011; DenseCut, Cheng et al. 2015, joins the two likewise).
"""

from __future__ import annotations

import numpy as np
import torch
from kornia.color import rgb_to_lab
from scipy.ndimage import gaussian_filter
from torch import Tensor

from .config import Config
from .crf import DenseCRF

_BINS = 24
_CERTAIN = 8.0  # log-odds of what the prompt has settled


def refine(image: Tensor, evidence: Tensor, allowed: Tensor, config: Config) -> Tensor:
    """Probability of the object.

    Args:
        image: 3 x h x w in [0, 1].
        evidence: h x w, in deviations, above 0 for the object.
        allowed: h x w bool, where the object may be.

    Returns:
        h x w in [0, 1], 0 where not allowed.
    """
    side = max(evidence.shape)
    crf = DenseCRF(
        image,
        sxy_gaussian=config.finish_near * side,
        compat_gaussian=3.0,
        sxy_bilateral=config.finish_far * side,
        srgb=config.finish_srgb,
        compat_bilateral=config.finish_compat,
    )
    lab = rgb_to_lab(image[None])[0]
    fixed = (config.finish_evidence * evidence).clamp(-4.5, 4.5)
    probability = _infer(crf, fixed, allowed)
    for _ in range(config.finish_rounds):
        colour = colour_log_ratio(lab, probability).clamp(-6, 6)
        probability = _infer(crf, fixed + config.finish_colour * colour, allowed)
    return probability * allowed


def colour_log_ratio(lab: Tensor, probability: Tensor) -> Tensor:
    """Log of how much likelier a pixel's colour is on the object than off it.

    Smoothed joint histograms over the colours' own range, weighted by the probability.

    Args:
        lab: 3 x h x w, any three-channel colours. probability: h x w in [0, 1].

    Returns:
        h x w.
    """
    colours, weight = lab.flatten(1).T.cpu().numpy(), probability.flatten().double().cpu().numpy()
    low, span = colours.min(0), np.ptp(colours, axis=0) + 1e-6
    cells = np.ravel_multi_index(((colours - low) / span * _BINS).astype(int).clip(0, _BINS - 1).T, (_BINS,) * 3)
    shares = []
    for part in (weight, 1 - weight):
        histogram = np.bincount(cells, part, _BINS**3).reshape((_BINS,) * 3)
        smooth = gaussian_filter(histogram, 1.0)
        shares.append(np.log(smooth / max(smooth.sum(), 1e-12) + 1e-6).reshape(-1)[cells])
    return torch.from_numpy(shares[0] - shares[1]).to(lab).view(probability.shape)


def _infer(crf: DenseCRF, logit: Tensor, allowed: Tensor) -> Tensor:
    chance = torch.sigmoid(torch.where(allowed, logit, torch.full_like(logit, -_CERTAIN)))
    return crf.infer(torch.stack([1 - chance, chance]), iterations=5)[1]
