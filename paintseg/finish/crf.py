"""Fully connected conditional random field: a mask drawn to the photo's edges.

Kraehenbuehl & Koltun, "Efficient Inference in Fully Connected CRFs with Gaussian Edge Potentials" (NeurIPS
2011). Every pair of pixels pays for different labels, the more the closer the pixels are (Gaussian kernel)
and the closer and more alike in colour (bilateral kernel). Mean field inference repeats: smooth the label
probabilities with both kernels, add the result to the unary term, normalise.

Kernels, units and normalisation are those of pydensecrf with its defaults (Potts compatibility,
NORMALIZE_SYMMETRIC), and so is the result: on photos the probabilities differ by about 0.001 in the mean. Two
things are done otherwise. The Gaussian kernel is an exact convolution instead of a second lattice. And of the two
labels only one is smoothed, since the message of both together is known beforehand.

As in `lattice_tables`, the same lines run on NumPy arrays for the CPU and on torch tensors elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import add

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from ..errors import InputError
from ..ops.memory import sent
from .lattice import Lattice
from .lattice_tables import Array, library

BACKENDS = ("auto", "torch", "pydensecrf")
LARGEST = 1e6  # of widths and weights: far beyond what means anything, far below what float32 holds
_LEAST_PROBABILITY = 1e-5  # as pydensecrf's unary_from_softmax: keeps energies finite


@dataclass(frozen=True, eq=False)
class DenseCRF:
    """The random field of one image (or crop), for any number of masks of one object each.

    What depends on the image alone (features, lattice, normalisation) is computed at the first call and kept,
    so make one per crop and pass it all masks, one after the other.

    Attributes:
        image: 3 x H x W, float in [0, 1]; float images count as they are, not rounded to 8 bits.
        sxy_gaussian: standard deviation of the Gaussian kernel, pixels.
        compat_gaussian: weight of the Gaussian kernel; 0 leaves it out.
        sxy_bilateral: standard deviation of the bilateral kernel in space, pixels.
        srgb: standard deviation of the bilateral kernel in colour, in units of 0..255 as in pydensecrf.
        compat_bilateral: weight of the bilateral kernel; 0 leaves it out.
        trusted: whether image and masks are known to hold values in [0, 1]; a GPU would be waited for to find out.

    The defaults are PaintSeg's (reference code). Raises InputError for an image of another shape, outside
    [0, 1] or with NaN, and for deviations not above 0 or negative weights.
    """

    image: Tensor
    sxy_gaussian: float = 3
    compat_gaussian: float = 7
    sxy_bilateral: float = 50
    srgb: float = 5
    compat_bilateral: float = 10
    trusted: bool = False

    def __post_init__(self) -> None:
        image = self.image
        if not isinstance(image, Tensor) or image.ndim != 3 or image.shape[0] != 3 or image.numel() == 0:
            found = tuple(image.shape) if isinstance(image, Tensor) else type(image).__name__
            raise InputError(f"image must be 3 x H x W; got {found}")
        if not self.trusted and not _in_unit_range(self._array(image)):
            raise InputError("image must hold finite values in [0, 1]")
        for name in ("sxy_gaussian", "sxy_bilateral", "srgb"):
            if not 0 < getattr(self, name) <= LARGEST:  # NaN fails this too
                raise InputError(f"{name} must be above 0 and at most {LARGEST:g}; got {getattr(self, name)!r}")
        for name in ("compat_gaussian", "compat_bilateral"):
            if not 0 <= getattr(self, name) <= LARGEST:
                raise InputError(f"{name} must be 0 or more and at most {LARGEST:g}; got {getattr(self, name)!r}")

    @torch.no_grad()
    def infer(self, probability: Tensor, iterations: int = 10, backend: str = "auto") -> Tensor:
        """The probability of a mask's object that agrees with the image.

        Args:
            probability: H x W in [0, 1], of the object before looking at the image (the background has the rest;
                below 1e-5 either counts as 1e-5).
            iterations: of mean field, 0 or more.
            backend: "torch"; "pydensecrf" if the user has it installed (CPU; rounds the image to 8 bits);
                "auto", which is torch, being the quicker of the two.

        Returns H x W, float32. Deterministic on the CPU.

        Raises InputError: another shape, values outside [0, 1] or NaN, negative iterations, an unknown back end or one
        that is not installed.
        """
        if tuple(probability.shape) != tuple(self.image.shape[1:]):
            wanted = " x ".join(map(str, self.image.shape[1:]))
            raise InputError(f"probability must be {wanted} like the image; got {tuple(probability.shape)}")
        chance = self._array(probability)
        if not self.trusted and not _in_unit_range(chance):
            raise InputError("probability must hold finite values in [0, 1]")
        if isinstance(iterations, bool) or not isinstance(iterations, int) or iterations < 0:
            raise InputError(f"iterations must be a whole number, 0 or more; got {iterations!r}")
        if backend not in BACKENDS:
            raise InputError(f"backend must be one of {', '.join(BACKENDS)}; got {backend!r}")
        xp = library(chance)
        background, thing = (xp.log(label.clip(min=_LEAST_PROBABILITY)) for label in (1 - chance, chance))
        found: Array
        if backend == "pydensecrf":
            found = _infer_with_pydensecrf(self, [-torch.as_tensor(log) for log in (background, thing)], iterations)
        else:
            found = _mean_field(self._terms, thing - background, iterations)
        return torch.as_tensor(found).to(probability.device)

    def _array(self, tensor: Tensor) -> Array:
        """The tensor where the work is done: on the image's GPU, or as a NumPy array."""
        tensor = tensor.detach().float()
        # the 64-bit sorting the lattice needs is not there on other accelerators
        return sent(tensor, self.image.device) if self.image.device.type == "cuda" else tensor.cpu().numpy()

    @cached_property
    def _terms(self) -> list[_Term]:
        ones, terms = self._array(torch.ones(self.image.shape[1:])), []
        if self.compat_gaussian:
            terms.append(_Term(_position_smoother(ones, self.sxy_gaussian), self.compat_gaussian, ones))
        if self.compat_bilateral:
            terms.append(_Term(_colour_smoother(self), self.compat_bilateral, ones))
        return terms


class _Term:
    """A kernel k of the energy with its weight, normalised to k(i, j) / sqrt(sum_j k(i, j) sum_i k(i, j))."""

    def __init__(self, smooth: Callable[[Array], Array], weight: float, ones: Array) -> None:
        """`smooth` sums H x W values with the kernel; `ones` is H x W and says where to compute."""
        self.smooth = smooth
        self.before = (smooth(ones) + 1e-20) ** -0.5
        self.after = weight * self.before
        self.total = self.message(ones)

    def message(self, plane: Array) -> Array:
        message = self.smooth(plane * self.before)
        message *= self.after
        return message


def _colour_smoother(crf: DenseCRF) -> Callable[[Array], Array]:
    """Sums over position and colour."""
    lattice = Lattice(torch.as_tensor(_features(crf)).t())
    return lambda plane: lattice.filter(plane.reshape(-1)).reshape(plane.shape)


def _features(crf: DenseCRF) -> Array:
    """Position and colour in standard deviations, 5 x N."""
    height, width = crf.image.shape[1:]
    y, x = (crf._array(torch.arange(n) / crf.sxy_bilateral) for n in (height, width))
    colour = crf._array(crf.image) * (255 / crf.srgb)
    xp = library(colour)
    return xp.stack([*xp.meshgrid(x, y, indexing="xy"), *colour]).reshape(5, -1)


def _position_smoother(ones: Array, deviation: float) -> Callable[[Array], Array]:
    """Sums over position, with a Gaussian cut at four standard deviations and 0 outside the H x W image."""

    def band(length: int) -> sparse.csr_matrix | Tensor:
        reach = min(math.ceil(4 * deviation), length - 1)
        if isinstance(ones, Tensor):  # a dense product is quick on a GPU
            places = torch.arange(length, device=ones.device, dtype=ones.dtype)
            apart = (places[:, None] - places).abs()
            return torch.where(apart <= reach, torch.exp(-0.5 * (apart / deviation) ** 2), 0)
        offsets = np.arange(-reach, reach + 1)
        taps = np.exp(-0.5 * (offsets / deviation) ** 2).astype(np.float32)
        # a sparse product is the quickest convolution with one channel on a CPU
        return sparse.diags(taps, offsets, shape=(length, length), format="csr", dtype=np.float32)

    rows, columns = map(band, ones.shape)

    def smooth(plane: Array) -> Array:
        if isinstance(plane, Tensor):
            return rows @ plane @ columns
        return np.ascontiguousarray((columns @ (rows @ plane).T).T)  # or sums with it would lose their order

    return smooth


def _mean_field(terms: list[_Term], advantage: Array, iterations: int) -> Array:
    """Algorithm 1 of the paper for two labels, H x W: from log-odds of the object to its probability.

    What speaks for the background is the total less what speaks for the object, so that one plane does for both.
    """
    q = _probability(advantage)
    unary = advantage
    for term in terms:
        unary = unary - term.total
    for _ in range(iterations if terms else 0):
        message = reduce(add, (term.message(q) for term in terms))
        q = _probability(2 * message + unary)
    return q


def _probability(advantage: Array) -> Array:
    """The logistic function, without overflow; NumPy has none."""
    return advantage.sigmoid() if isinstance(advantage, Tensor) else 0.5 + 0.5 * np.tanh(0.5 * advantage)


def _infer_with_pydensecrf(crf: DenseCRF, energies: list[Tensor], iterations: int) -> Tensor:
    """H x W of the second of two labels, whose energies are H x W each."""
    try:
        from pydensecrf import densecrf
    except ImportError as missing:
        raise InputError(
            "backend pydensecrf is not installed here; install pydensecrf2 or choose backend auto"
        ) from missing
    height, width = energies[0].shape
    field = densecrf.DenseCRF2D(width, height, 2)
    if crf.compat_gaussian:
        field.addPairwiseGaussian(sxy=crf.sxy_gaussian, compat=crf.compat_gaussian)
    if crf.compat_bilateral:
        pixels = (crf.image.detach().float().cpu() * 255).round().byte().permute(1, 2, 0).contiguous().numpy()
        field.addPairwiseBilateral(sxy=crf.sxy_bilateral, srgb=crf.srgb, rgbim=pixels, compat=crf.compat_bilateral)
    field.setUnaryEnergy(np.ascontiguousarray(torch.stack(energies).flatten(1).cpu().numpy()))
    return torch.from_numpy(np.array(field.inference(iterations))[1].reshape(height, width))


def _in_unit_range(values: Array) -> bool:
    return bool((values.min() >= 0) & (values.max() <= 1))  # NaN comes through, and compares false
