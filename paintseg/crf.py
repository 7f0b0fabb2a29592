"""Fully connected conditional random field: a mask drawn to the photo's edges.

Kraehenbuehl & Koltun, "Efficient Inference in Fully Connected CRFs with Gaussian Edge Potentials" (NeurIPS
2011). Every pair of pixels pays for different labels, the more the closer the pixels are (Gaussian kernel)
and the closer and more alike in colour (bilateral kernel). Mean field inference repeats: smooth the label
probabilities with both kernels, add the result to the unary term, normalise.

Kernels, units and normalisation are those of pydensecrf with its defaults (Potts compatibility,
NORMALIZE_SYMMETRIC), and so is the result: on photos the probabilities differ by about 0.001 in the mean. Two
things are done otherwise. The Gaussian kernel is an exact convolution instead of a second lattice. And of L
labels only L - 1 are smoothed, since the message of all labels together is known beforehand.

As in `lattice`, the same lines run on NumPy arrays for the CPU, there one thread per mask, and on torch tensors
for all masks at once elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from .errors import InputError
from .lattice import Array, Lattice, library

__all__ = ["DenseCRF", "Lattice"]

BACKENDS = ("auto", "torch", "pydensecrf")
LARGEST = 1e6  # of widths and weights: far beyond what means anything, far below what float32 holds
_LEAST_PROBABILITY = 1e-5  # as pydensecrf's unary_from_softmax: keeps energies finite


@dataclass(frozen=True, eq=False)
class DenseCRF:
    """The random field of one image (or crop), for any number of masks.

    What depends on the image alone (features, lattice, normalisation) is computed at the first call and kept,
    so make one per crop and pass it all masks, together or one after the other.

    Attributes:
        image: 3 x H x W, float in [0, 1]; float images count as they are, not rounded to 8 bits.
        sxy_gaussian: standard deviation of the Gaussian kernel, pixels.
        compat_gaussian: weight of the Gaussian kernel; 0 leaves it out.
        sxy_bilateral: standard deviation of the bilateral kernel in space, pixels.
        srgb: standard deviation of the bilateral kernel in colour, in units of 0..255 as in pydensecrf.
        compat_bilateral: weight of the bilateral kernel; 0 leaves it out.

    The defaults are PaintSeg's (reference code). Raises InputError for an image of another shape, outside
    [0, 1] or with NaN, and for deviations not above 0 or negative weights.
    """

    image: Tensor
    sxy_gaussian: float = 3
    compat_gaussian: float = 7
    sxy_bilateral: float = 50
    srgb: float = 5
    compat_bilateral: float = 10

    def __post_init__(self) -> None:
        image = self.image
        if not isinstance(image, Tensor) or image.ndim != 3 or image.shape[0] != 3 or image.numel() == 0:
            found = tuple(image.shape) if isinstance(image, Tensor) else type(image).__name__
            raise InputError(f"image must be 3 x H x W; got {found}")
        if not _in_unit_range(self._array(image)):
            raise InputError("image must hold finite values in [0, 1]")
        for name in ("sxy_gaussian", "sxy_bilateral", "srgb"):
            if not 0 < getattr(self, name) <= LARGEST:  # NaN fails this too
                raise InputError(f"{name} must be above 0 and at most {LARGEST:g}; got {getattr(self, name)!r}")
        for name in ("compat_gaussian", "compat_bilateral"):
            if not 0 <= getattr(self, name) <= LARGEST:
                raise InputError(f"{name} must be 0 or more and at most {LARGEST:g}; got {getattr(self, name)!r}")

    @torch.no_grad()
    def infer(self, probability: Tensor, iterations: int = 10, backend: str = "auto") -> Tensor:
        """Label probabilities that agree with the image.

        Args:
            probability: L x H x W or B x L x H x W, L >= 2 labels, in [0, 1]; the probability of every label
                before looking at the image (below 1e-5 counts as 1e-5). Need not sum to 1.
            iterations: of mean field, 0 or more.
            backend: "torch"; "pydensecrf" if the user has it installed (CPU; rounds the image to 8 bits);
                "auto", which is torch, being the quicker of the two.

        Returns:
            The shape of `probability`, float32, summing to 1 over labels. Masks of a batch do not influence
            each other. Deterministic on the CPU.

        Raises:
            InputError: another shape, values outside [0, 1] or NaN, negative iterations, an unknown back end
                or one that is not installed.
        """
        labels = self._labels(probability, "probability")
        if not _in_unit_range(labels):
            raise InputError("probability must hold finite values in [0, 1]")
        energy = -library(labels).log(labels.clip(min=_LEAST_PROBABILITY))
        return self._infer(energy, iterations, backend).reshape(probability.shape).to(probability.device)

    @torch.no_grad()
    def infer_energy(self, unary: Tensor, iterations: int = 10, backend: str = "auto") -> Tensor:
        """As `infer`, from finite unary energies (negative logarithms of probabilities) of the same shape."""
        energy = self._labels(unary, "unary")
        if not math.isfinite(float(energy.sum())):
            raise InputError("unary must be finite; it holds NaN or infinity")
        return self._infer(energy, iterations, backend).reshape(unary.shape).to(unary.device)

    def _infer(self, energy: Array, iterations: int, backend: str) -> Tensor:
        if isinstance(iterations, bool) or not isinstance(iterations, int) or iterations < 0:
            raise InputError(f"iterations must be a whole number, 0 or more; got {iterations!r}")
        if backend not in BACKENDS:
            raise InputError(f"backend must be one of {', '.join(BACKENDS)}; got {backend!r}")
        if backend == "pydensecrf":
            return _infer_with_pydensecrf(self, torch.as_tensor(energy).cpu().numpy(), iterations)
        run = _mean_field if isinstance(energy, Tensor) else _mean_field_in_threads
        return torch.as_tensor(run(self._terms, energy, iterations))

    def _labels(self, labels: Tensor, name: str) -> Array:
        """B x L x H x W."""
        height, width = self.image.shape[1:]
        fits = labels.ndim in (3, 4) and labels.shape[-2:] == (height, width) and labels.shape[-3] >= 2
        if not fits or labels.numel() == 0:
            wanted = f"L x {height} x {width} or B x L x {height} x {width} with L of 2 or more"
            raise InputError(f"{name} must be {wanted}; got {tuple(labels.shape)}")
        return self._array(labels if labels.ndim == 4 else labels[None])

    def _array(self, tensor: Tensor) -> Array:
        """The tensor where the work is done: on the image's GPU, or as a NumPy array."""
        tensor = tensor.detach().float()
        # the 64-bit sorting the lattice needs is not there on other accelerators
        return tensor.to(self.image.device) if self.image.device.type == "cuda" else tensor.cpu().numpy()

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
        """`smooth` sums C x H x W values with the kernel; `ones` is H x W and says where to compute."""
        self.smooth = smooth
        self.before = (smooth(ones[None])[0] + 1e-20) ** -0.5
        self.after = weight * self.before
        self.total = self.message(ones[None])[0]

    def message(self, planes: Array) -> Array:
        message = self.smooth(planes * self.before)
        message *= self.after
        return message


def _colour_smoother(crf: DenseCRF) -> Callable[[Array], Array]:
    """Sums over position and colour."""
    lattice = Lattice(torch.as_tensor(_features(crf)).t())
    return lambda planes: lattice.filter_planes(planes.reshape(len(planes), -1)).reshape(planes.shape)


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
        offsets = np.arange(-reach, reach + 1)
        taps = np.exp(-0.5 * (offsets / deviation) ** 2).astype(np.float32)
        matrix = sparse.diags(taps, offsets, shape=(length, length), format="csr", dtype=np.float32)
        # a sparse product is the quickest convolution with one channel on a CPU, a dense one is quick on a GPU
        return torch.from_numpy(matrix.toarray()).to(ones.device) if isinstance(ones, Tensor) else matrix

    rows, columns = map(band, ones.shape)

    def smooth(planes: Array) -> Array:
        if isinstance(planes, Tensor):
            return rows @ planes @ columns
        smoothed = np.empty_like(planes)  # in C order, which a sum of transposed arrays would lose
        for plane, out in zip(planes, smoothed, strict=True):
            out[:] = (columns @ (rows @ plane).T).T
        return smoothed

    return smooth


def _mean_field_in_threads(terms: list[_Term], energy: np.ndarray, iterations: int) -> np.ndarray:
    workers = min(len(energy), torch.get_num_threads())
    if workers == 1:
        return np.concatenate([_mean_field(terms, one[None], iterations) for one in energy])
    with ThreadPoolExecutor(workers) as pool:
        return np.concatenate(list(pool.map(lambda one: _mean_field(terms, one[None], iterations), energy)))


def _mean_field(terms: list[_Term], energy: Array, iterations: int) -> Array:
    """Algorithm 1 of the paper, B x L x H x W energies to probabilities.

    Everything is relative to label 0: `q` holds labels 1.., and label 0's message is the total less theirs.
    """
    unary = energy[:, :1] - energy[:, 1:]
    q = _probabilities(unary)
    for term in terms:
        unary = unary - term.total
    for _ in range(iterations if terms else 0):
        planes = q.reshape(-1, *q.shape[2:])
        message = sum(term.message(planes) for term in terms).reshape(q.shape)
        message += message.sum(1)[:, None]
        message += unary
        q = _probabilities(message)
    first = 1 - q.sum(1)[:, None]
    return library(q).concatenate([first.clip(min=0), q], 1)


def _probabilities(advantage: Array) -> Array:
    """Softmax over labels 0.. given the advantage of labels 1.. over label 0, without label 0."""
    xp = library(advantage)
    if advantage.shape[1] == 1:
        return 0.5 + 0.5 * xp.tanh(0.5 * advantage)  # the logistic function, without overflow
    highest = xp.amax(advantage, 1)[:, None].clip(min=0)
    weight = xp.exp(advantage - highest)
    return weight / (weight.sum(1)[:, None] + xp.exp(-highest))


def _infer_with_pydensecrf(crf: DenseCRF, energy: np.ndarray, iterations: int) -> Tensor:
    try:
        from pydensecrf import densecrf
    except ImportError as missing:
        raise InputError(
            "backend pydensecrf is not installed here; install pydensecrf2 or choose backend auto"
        ) from missing
    _, labels, height, width = energy.shape
    field = densecrf.DenseCRF2D(width, height, labels)
    if crf.compat_gaussian:
        field.addPairwiseGaussian(sxy=crf.sxy_gaussian, compat=crf.compat_gaussian)
    if crf.compat_bilateral:
        pixels = (crf.image.detach().float().cpu() * 255).round().byte().permute(1, 2, 0).contiguous().numpy()
        field.addPairwiseBilateral(
            sxy=crf.sxy_bilateral, srgb=crf.srgb, rgbim=pixels, compat=crf.compat_bilateral
        )
    results = []
    for unary in energy:
        field.setUnaryEnergy(np.ascontiguousarray(unary.reshape(labels, -1)))
        results.append(np.array(field.inference(iterations)))
    return torch.from_numpy(np.stack(results))


def _in_unit_range(values: Array) -> bool:
    return bool((values.min() >= 0) & (values.max() <= 1))  # NaN comes through, and compares false
