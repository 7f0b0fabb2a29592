"""Peers without training, as everybody has them: OpenCV's GrabCut, scikit-image's random walker, TokenCut.

They come with the extra `peers`; nothing else in the project needs them.
"""

from __future__ import annotations

import warnings

import numpy as np
from scipy import ndimage
from torch import Tensor

from ..encoders import Encoder
from ..errors import InputError
from ..io.formats import to_image
from ..locate.discovery import coarse_mask
from ..ops.boxes import whole_pixels
from ..prompts import Prompt
from .task import Method

GRABCUT_ROUNDS = 5


def filled_box() -> Method:
    """The box, or the coarse mask, taken for the object."""
    return lambda image, prompt: prompt.start_region().numpy()


def opencv_grabcut() -> Method:
    """OpenCV's GrabCut, 5 iterations (Rother et al. 2004).

    All of a box may be the object, nothing beyond. The inside of a coarse mask is likely object, the rest
    likely background. What is under strokes is certain, and so is a disc at a click; the rest is likely what
    the nearest of them is. (On ten photos with GrabCut's two kinds of strokes this start had 85 and 83 IoU, "likely
    background" 69 and 89, "likely object" 53 and 51.) Without background strokes it is likely background.
    """
    try:
        import cv2
    except ImportError as missing:
        raise InputError("opencv-grabcut needs opencv-python-headless; install the extra peers") from missing

    def method(image: Tensor, prompt: Prompt) -> np.ndarray:
        pixels = np.array(to_image(image))[..., ::-1].copy()
        certain, other = _seeds(prompt)
        labels = np.full(prompt.size, cv2.GC_PR_BGD, np.uint8)
        if prompt.mask is not None:
            labels[:] = np.where(prompt.start_region().numpy(), cv2.GC_PR_FGD, cv2.GC_PR_BGD)
        elif prompt.box is not None:
            labels[:] = np.where(prompt.start_region().numpy(), cv2.GC_PR_FGD, cv2.GC_BGD)
        elif certain.any() and other.any():
            near, far = (ndimage.distance_transform_edt(~seeds) for seeds in (certain, other))
            labels[near < far] = cv2.GC_PR_FGD
        labels[certain], labels[other] = cv2.GC_FGD, cv2.GC_BGD
        sides = {int(label) % 2 for label in np.unique(labels)}
        if len(sides) < 2:  # GrabCut's two colour models need samples of both
            return labels % 2 == 1
        cv2.setRNGSeed(0)
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(pixels, labels, None, *models, GRABCUT_ROUNDS, cv2.GC_INIT_WITH_MASK)
        return labels % 2 == 1

    return method


def random_walker() -> Method:
    """scikit-image's random walker (Grady 2006), its default parameters, conjugate gradients.

    The walk starts from the strokes, from a disc at the click, from the middle half of a box, from a coarse
    mask without its rim. Background is what strokes say, what lies outside the box, else the photo's border.
    """
    try:
        from skimage.segmentation import random_walker as walk
    except ImportError as missing:
        raise InputError("random-walker needs scikit-image; install the extra peers") from missing

    def method(image: Tensor, prompt: Prompt) -> np.ndarray:
        labels = np.zeros(prompt.size, np.uint8)
        certain, other = _seeds(prompt)
        if prompt.mask is not None:
            region = prompt.start_region().numpy()
            reach = max(1, round(np.sqrt(region.sum()) / 10))
            kernel = np.ones((2 * reach + 1,) * 2, bool)
            certain |= ndimage.binary_erosion(region, kernel)
            other |= ~ndimage.binary_dilation(region, kernel)
        elif prompt.box is not None:
            x0, y0, x1, y1 = whole_pixels(prompt.box)
            rows, columns = (
                slice((3 * y0 + y1) // 4, (y0 + 3 * y1 + 3) // 4),
                slice((3 * x0 + x1) // 4, (x0 + 3 * x1 + 3) // 4),
            )
            certain[rows, columns] = True
            other |= ~prompt.start_region().numpy()
        if not other.any():
            other[0], other[-1], other[:, 0], other[:, -1] = True, True, True, True
        labels[other], labels[certain] = 2, 1
        if not certain.any() or (labels != 2).all():
            return certain
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that probabilities are a thousandth off
            return walk(np.array(to_image(image)) / 255, labels, mode="cg_j", tol=1e-3, channel_axis=-1) == 1

    return method


def tokencut(encoder: Encoder) -> Method:
    """TokenCut (Wang et al. 2022) alone: of the whole photo, or within the box as the paper compares it."""

    def method(image: Tensor, prompt: Prompt) -> np.ndarray:
        if prompt.box is None or prompt.mask is not None:
            return (coarse_mask(image, encoder) > 0.5).numpy()
        x0, y0, x1, y1 = whole_pixels(prompt.box)
        mask = np.zeros(prompt.size, bool)
        mask[y0:y1, x0:x1] = (coarse_mask(image[:, y0:y1, x0:x1], encoder) > 0.5).numpy()
        return mask

    return method


def _seeds(prompt: Prompt) -> tuple[np.ndarray, np.ndarray]:
    """H x W bool each: what is certainly object, and not. A click is a disc of 1 % of the photo's side."""
    seeds = []
    radius = max(1.0, max(prompt.size) / 100)
    ys, xs = np.mgrid[: prompt.size[0], : prompt.size[1]]
    for strokes, points in ((prompt.scribble, prompt.points), (prompt.negative_scribble, prompt.negative_points)):
        drawn = np.zeros(prompt.size, bool) if strokes is None else strokes.numpy().copy()
        for x, y in points:
            drawn |= (xs - x) ** 2 + (ys - y) ** 2 <= radius**2
        seeds.append(drawn)
    return seeds[0], seeds[1]
