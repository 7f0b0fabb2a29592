"""Pieces and holes: which crumbs of an answer go, and which gaps in it close.

The finish decides pixel by pixel from colours, and a few pixels of the object's colours are found anywhere. What it
leaves apart from the object, or open inside of it, needs a reason that is not a colour: the evidence of the loop there.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from ..config import Pieces
from ..ops.morphology import dilate

LEAST_PIECE = 0.01
"""Area of the smallest piece that may stay on evidence alone, over that of the largest."""
LARGEST_HOLE = 0.005
"""Area of the largest hole that is closed, over that of the object."""

_STAYS, _CLOSES = 0.25, 0.5  # mean evidence of a piece that stays and of a hole that closes, in deviations
_RIM = 3  # pixels around a piece that go with it, and around what stays that stay
_FAINT = 0.05  # probability below which a pixel has no part in a cut-out (layers/cutout.py)
_CORNERS, _SIDES = np.ones((3, 3)), None  # what pixels of one piece share


def tidied(soft: Tensor, evidence: Tensor, which: Pieces, held: Tensor, refused: Tensor, final: bool = True) -> Tensor:
    """An answer without the crumbs and gaps that nothing speaks for.

    Pieces are what is connected above 0.5. The largest stays, and those that the prompt points at;
    if it points at any, the largest of these counts as the largest. With "supported" others stay if they are no crumbs
    and the evidence is for them. Holes close if they are small and the evidence is that the object goes on there.

    Args:
        soft: h x w in [0, 1], on the CPU.
        evidence: h x w, in deviations, above 0 for the object.
        which: "all" changes nothing; "supported" as said; "largest" keeps no piece on evidence, and closes holes alike.
        held, refused: h x w bool, pixels said to be the object, and not to be.
        final: False for an answer that will be enlarged; what touches at corners alone would come apart then.

    Returns h x w; `soft` itself where there is nothing to tidy.
    """
    if which == "all":
        return soft
    chance, found = soft.numpy(), evidence.cpu().numpy()
    inside = chance > 0.5
    tidy = closed(inside, found, refused.numpy()) & ~_loose(
        inside, found, which, held.numpy(), _CORNERS if final else _SIDES
    )
    return _redrawn(soft, torch.from_numpy(inside), torch.from_numpy(tidy))


def largest_piece(soft: Tensor, threshold: float = 0.5) -> Tensor:
    """A mask's largest piece alone.

    Args:
        soft: H x W in [0, 1] or bool. threshold: pieces are what is connected above it, corners included.

    Returns:
        H x W, the mask's dtype and device, 0 off the piece and what lies around it below the threshold; the mask
        itself if it has no more than one piece.
    """
    inside = (soft > threshold).cpu()
    labels, count = ndimage.label(inside.numpy(), _CORNERS)
    if count < 2:
        return soft
    sizes = np.bincount(labels.ravel())[1:]
    kept = torch.from_numpy(labels == 1 + int(sizes.argmax()))
    return _redrawn(soft.cpu().float(), inside, kept).to(soft)


def closed(inside: np.ndarray, evidence: np.ndarray, refused: np.ndarray) -> np.ndarray:
    """A mask with those of its holes closed that the evidence says are none; arguments as for `tidied`, h x w bool."""
    labels, count = ndimage.label(~inside)
    if count < 2:
        return inside
    sizes, support = _sizes(labels, count), _means(evidence, labels, count)
    share = sizes / max(1, inside.sum())
    closes = (share <= LARGEST_HOLE) & (support > _CLOSES)
    closes[_met(labels, refused)] = False
    for side in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        closes[side] = False  # what reaches the photo's edge is no hole
    closes[0] = True  # the mask itself
    return closes[labels]


def _loose(
    inside: np.ndarray, evidence: np.ndarray, which: Pieces, held: np.ndarray, structure: np.ndarray | None
) -> np.ndarray:
    """h x w bool: the pieces of a mask that nothing speaks for."""
    labels, count = ndimage.label(inside, structure)
    if count < 2:
        return np.zeros_like(inside)
    sizes, pointed = _sizes(labels, count), _met(labels, held)
    among = pointed if pointed.any() else np.arange(count + 1) > 0
    largest = np.where(among, sizes, 0)
    stays = pointed | (np.arange(count + 1) == largest.argmax())
    if which == "supported":
        stays |= (sizes >= LEAST_PIECE * largest.max()) & (_means(evidence, labels, count) > _STAYS)
    return inside & ~stays[labels]


def _redrawn(soft: Tensor, before: Tensor, after: Tensor) -> Tensor:
    """Probabilities of a mask h x w bool of which pieces went and holes closed; the rim of what went goes too."""
    gone, filled = before & ~after, after & ~before
    soft = torch.where(filled, torch.ones_like(soft), soft)
    if gone.any():
        soft = soft * ~(dilate(gone, _RIM) & ~dilate(after, _RIM) | gone)
    labels, count = ndimage.label((soft > _FAINT).numpy(), _CORNERS)
    stays = _met(labels, after.numpy()) | (np.arange(count + 1) == 0)
    return soft * torch.from_numpy(stays[labels]) if not stays.all() else soft


def _sizes(labels: np.ndarray, count: int) -> np.ndarray:
    """Pixels of every label, count + 1; none of label 0."""
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    sizes[0] = 0
    return sizes


def _means(values: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    """Mean of the values in every label, count + 1."""
    numbers = np.bincount(labels.ravel(), minlength=count + 1).clip(1)
    return np.bincount(labels.ravel(), values.ravel(), count + 1) / numbers


def _met(labels: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Which labels have one of the pixels h x w bool, count + 1; label 0 never has."""
    met = np.zeros(int(labels.max()) + 1, bool)
    met[labels[pixels]] = True
    met[0] = False
    return met
