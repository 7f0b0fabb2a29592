"""Walks from pixel to pixel around one click: how far what was clicked reaches where colours decide.

A walk steps to a neighbour the likelier the more alike the two pixels are (Grady 2006), and ends at each step with a
small chance as what the pixel was taken for before. The farther from a click, the less it changes: that is the screened
Poisson equation (screened.py), whose length of reach is a parameter here.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from torch import Tensor

from .screened import screened

DOT = 2.0
"""Radius in pixels of what is a click beyond doubt."""

_LEAST = 1e-4  # weight of a step across the hardest edge
_WINDOW = 3.0  # reaches around the click beyond which nothing changes


def met(lab: np.ndarray, mask: np.ndarray, at: tuple[int, int], reach: float, others: np.ndarray) -> np.ndarray:
    """How many of the walks from each pixel meet a click on a wrong pixel before they end as what the answer was.

    Args:
        lab: 3 x h x w, colours.
        mask: h x w bool, the answer so far.
        at: (row, column) of the click.
        reach: length in pixels over which the click's say falls to 1/e in a flat area.
        others: n x 2, (row, column) of the clicks that say the contrary.

    Returns:
        h x w float32 in [0, 1], a share of 1 on what was of the click's side before; 0 far from the click.
    """
    window = square_around(at, _WINDOW * reach, mask.shape)
    colours, before = lab[:, window[0], window[1]], mask[window]
    rows, columns = np.indices(before.shape)
    here = np.array(at) - [window[0].start, window[1].start]
    away = np.hypot(rows - here[0], columns - here[1])
    towards = np.where(before == before[tuple(here)], 1.0, -1.0)  # of the side that the click says is wrong
    held = np.zeros_like(before)
    for row, column in np.asarray(others).reshape(-1, 2) - [window[0].start, window[1].start]:
        near = np.hypot(rows - row, columns - column) <= DOT
        held |= near
        towards[near] = 1.0
    clicked = away <= DOT
    held |= clicked
    towards[clicked] = -1.0
    shares = np.zeros(mask.shape, np.float32)
    shares[window] = ((1 - screened(_edges(colours), reach**-2.0, towards, held)) / 2).clip(0, 1)
    return shares


def piece_at(region: np.ndarray, at: tuple[int, int]) -> np.ndarray:
    """The piece of h x w bool that holds (row, column), touching by corners too; empty where it lies in none."""
    labels, _ = ndimage.label(region, np.ones((3, 3)))
    return (labels == labels[at]) & (labels[at] > 0)


def square_around(at: tuple[int, int], radius: float, size: tuple[int, ...]) -> tuple[slice, slice]:
    """The rows and columns of an image of (h, w) that are no further from (row, column) than that, or than 8."""
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


def depth_at(mask: Tensor, at: tuple[int, int]) -> float:
    """How deep in pixels a click lies in its side of h x w bool; infinite where the other side is nowhere."""
    side = (mask if bool(mask[at]) else ~mask).numpy()
    return float("inf") if side.all() else float(ndimage.distance_transform_edt(side)[at])
