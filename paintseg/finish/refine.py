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

from ..config import Config
from ..ops.images import size_of
from ..ops.memory import sent
from .crf import DenseCRF

SIZE = 400
"""Longer side of the crop that is refined, px; a finer photo is upsampled along its edges."""

_EVIDENCE = 3.0  # weight of the loop's evidence
_ROUNDS = 2  # times the colour models are fitted anew
_NEAR, _FAR = 0.005, 0.1  # widths of the spatial and the bilateral kernel, over the crop's longer side
_SRGB, _COMPAT = 6.0, 6.0  # the bilateral kernel's width in colour, of 255, and its weight
_BINS = 24
_CERTAIN = 8.0  # log-odds of what the prompt rules out


class Finish:
    """What refines masks of one image, 3 x h x w in [0, 1]; of one image it is made once.

    Attributes:
        size: (h, w) of the image.
        lab: 3 x h x w, its colours in CIE L*a*b*.
    """

    def __init__(self, image: Tensor) -> None:
        self.size = size_of(image)
        side = max(self.size)
        self._crf = DenseCRF(
            image,
            sxy_gaussian=_NEAR * side,
            compat_gaussian=3.0,
            sxy_bilateral=_FAR * side,
            srgb=_SRGB,
            compat_bilateral=_COMPAT,
        )
        self.lab = rgb_to_lab(image[None])[0]

    def __call__(self, evidence: Tensor, allowed: Tensor, config: Config) -> Tensor:
        """Probability of the object, h x w in [0, 1], beside the image.

        Args:
            evidence: h x w, in deviations, above 0 for the object.
            allowed: h x w bool, where the object may be; elsewhere the probability is 0.
        """
        evidence, allowed = (sent(values, self.lab.device) for values in (evidence, allowed))
        fixed = (_EVIDENCE * evidence).clamp(-4.5, 4.5)
        probability = _infer(self._crf, fixed, allowed)
        for _ in range(_ROUNDS):
            colour = colour_log_ratio(self.lab, probability, 1 - probability).clamp(-6, 6)
            probability = _infer(self._crf, fixed + config.finish_colour * colour, allowed)
        return probability * allowed


def finish_size(size: tuple[int, int]) -> tuple[int, int]:
    """(H, W) that an image of that (H, W) is refined at."""
    ratio = min(1.0, SIZE / max(size))
    return max(1, round(size[0] * ratio)), max(1, round(size[1] * ratio))


def colour_log_ratio(lab: Tensor, on: Tensor, off: Tensor) -> Tensor:
    """Log of how much likelier a pixel's colour is on the object than off it.

    Smoothed joint histograms over the colours' own range, weighted.

    Args:
        lab: 3 x h x w, any three-channel colours.
        on, off: h x w, at least 0, how much each pixel counts for the object's colours and for the others.

    Returns h x w.
    """
    colours = lab.flatten(1).T.cpu().numpy()
    low, span = colours.min(0), np.ptp(colours, axis=0) + 1e-6
    cells = np.ravel_multi_index(((colours - low) / span * _BINS).astype(int).clip(0, _BINS - 1).T, (_BINS,) * 3)
    shares = []
    for part in (on, off):
        histogram = np.bincount(cells, part.flatten().double().cpu().numpy(), _BINS**3).reshape((_BINS,) * 3)
        smooth = gaussian_filter(histogram, 1.0)
        shares.append(np.log(smooth / max(smooth.sum(), 1e-12) + 1e-6).reshape(-1)[cells])
    return sent(torch.from_numpy(shares[0] - shares[1]).to(lab.dtype), lab.device).view(on.shape)


def _infer(crf: DenseCRF, logit: Tensor, allowed: Tensor) -> Tensor:
    chance = torch.sigmoid(torch.where(allowed, logit, torch.full_like(logit, -_CERTAIN)))
    return crf.infer(chance, iterations=5)
