"""Walks from pixel to pixel around one click: how far what was clicked reaches where colours decide.

A walk steps to a neighbour the likelier the more alike the two pixels are (Grady 2006), and ends at each step with a
small chance as what the pixel was taken for before. The farther from a click, the less it changes: that is the screened
Poisson equation (screened.py), whose length of reach is a parameter here.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from .screened import screened

_LEAST = 1e-4  # weight of a step across the hardest edge
_OTHER = 2.0  # radius in pixels of the clicks that say the contrary
_WINDOW = 3.0  # reaches around the click beyond which nothing changes


def flipped(
    lab: np.ndarray, mask: np.ndarray, at: tuple[int, int], reach: float, seed: float, others: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What a click on a wrong pixel changes.

    Args:
        lab: 3 x h x w, colours.
        mask: h x w bool, the answer so far.
        at: (row, column) of the click; all of its piece of the mask, or of the background, may change.
        reach: length in pixels over which the click's say falls to 1/e in a flat area.
        seed: radius in pixels of the disc that is the click.
        others: n x 2, (row, column) of the clicks that say the contrary.

    Returns:
        h x w bool: the pixels whose side changes, connected to the click's. And h x w in [0, 1]: how likely each is
        to be of the click's side; 0 far from the click.
    """
    window = _window(at, _WINDOW * reach, mask.shape)
    colours, before = lab[:, window[0], window[1]], mask[window]
    rows, columns = np.indices(before.shape)
    here = np.array(at) - [window[0].start, window[1].start]
    away = np.hypot(rows - here[0], columns - here[1])
    towards = np.where(before == before[tuple(here)], 1.0, -1.0)  # of the side that the click says is wrong
    held = np.zeros_like(before)
    for row, column in np.asarray(others).reshape(-1, 2) - [window[0].start, window[1].start]:
        near = np.hypot(rows - row, columns - column) <= _OTHER
        held |= near
        towards[near] = 1.0
    clicked = away <= max(seed, 0.5)
    held |= clicked
    towards[clicked] = -1.0
    value = screened(_edges(colours), reach**-2.0, towards, held)
    changes = (value < 0) & (before == before[tuple(here)]) | clicked & (before == before[tuple(here)])
    part, likely = np.zeros_like(mask), np.zeros(mask.shape, np.float32)
    part[window] = piece_at(changes, (int(here[0]), int(here[1])))
    likely[window] = ((1 - value) / 2).clip(0, 1)
    return part, likely


def leak(lab: np.ndarray, part: np.ndarray, mask: np.ndarray) -> float:
    """Mean weight of the steps out of a part into what keeps its side, 0 where hard edges are all around it.

    Args:
        lab: 3 x h x w. part: h x w bool, what would change. mask: h x w bool, the answer so far.
    """
    wrong = mask if bool(mask[part][:1].all()) else ~mask
    total, count = 0.0, 0
    for axis, weights in enumerate(_edges(lab)):
        first, second = _pairs(part, axis)
        open_, other = _pairs(wrong, axis)
        out = (first ^ second) & open_ & other
        total, count = total + float(weights[out].sum()), count + int(out.sum())
    return total / max(count, 1)


def piece_at(region: np.ndarray, at: tuple[int, int]) -> np.ndarray:
    """The piece of h x w bool that holds (row, column), touching by corners too; empty where it lies in none."""
    labels, _ = ndimage.label(region, np.ones((3, 3)))
    return (labels == labels[at]) & (labels[at] > 0)


def _window(at: tuple[int, int], radius: float, size: tuple[int, ...]) -> tuple[slice, slice]:
    far = max(8, int(np.ceil(radius)))
    rows, columns = (
        slice(max(0, place - far), min(limit, place + far + 1)) for place, limit in zip(at, size, strict=True)
    )
    return rows, columns


def _edges(lab: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights of the steps down, (h - 1) x w, and across, h x (w - 1), in units of the mean difference."""
    apart = [np.square(np.diff(lab, axis=axis)).sum(0) for axis in (1, 2)]
    mean = max(float(np.concatenate([each.ravel() for each in apart]).mean()), 1e-3) if lab[0].size > 1 else 1.0
    down, across = (np.exp(-each / (2 * mean)) + _LEAST for each in apart)
    return down, across


def _pairs(plane: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """A plane's values on either end of the steps along an axis."""
    return (plane[:-1], plane[1:]) if axis == 0 else (plane[:, :-1], plane[:, 1:])


def depth_at(mask: Tensor, at: tuple[int, int]) -> tuple[Tensor, float]:
    """How deep the pixels of the click's side lie in it, h x w, and how deep the click lies; in pixels.

    Everything is infinitely deep where the other side is nowhere.
    """
    side = (mask if bool(mask[at]) else ~mask).numpy()
    if side.all():
        return torch.full(mask.shape, torch.inf), float("inf")
    deep = torch.from_numpy(ndimage.distance_transform_edt(side)).float()
    return deep, float(deep[at])
