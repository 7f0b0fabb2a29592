"""Fully connected conditional random field: a mask drawn to the photo's edges.

Kraehenbuehl & Koltun, "Efficient Inference in Fully Connected CRFs with Gaussian Edge Potentials" (NeurIPS
2011). Every pair of pixels pays for different labels, the more the closer the pixels are (Gaussian kernel)
and the closer and more alike in colour (bilateral kernel). Mean field inference repeats: smooth the label
probabilities with both kernels, add the result to the unary term, normalise.

Kernels, units and normalisation are those of pydensecrf with its defaults (Potts compatibility,
NORMALIZE_SYMMETRIC), and so is the result: on photos the probabilities differ by about 0.001 in the mean. Two
things are done otherwise. The Gaussian kernel is an exact convolution instead of a second lattice. And of L
labels only L - 1 are smoothed, since the message of all labels together is known beforehand.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .errors import InputError
from .lattice import Lattice

__all__ = ["DenseCRF", "Lattice"]

BACKENDS = ("auto", "torch", "pydensecrf")
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
        if not _in_unit_range(image):
            raise InputError("image must hold finite values in [0, 1]")
        for name in ("sxy_gaussian", "sxy_bilateral", "srgb"):
            if not (getattr(self, name) > 0 and math.isfinite(getattr(self, name))):
                raise InputError(f"{name} must be above 0; got {getattr(self, name)!r}")
        for name in ("compat_gaussian", "compat_bilateral"):
            if not (getattr(self, name) >= 0 and math.isfinite(getattr(self, name))):
                raise InputError(f"{name} must be 0 or more; got {getattr(self, name)!r}")

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
        self._check(probability, "probability")
        if not _in_unit_range(probability):
            raise InputError("probability must hold finite values in [0, 1]")
        unary = -probability.float().clamp(min=_LEAST_PROBABILITY).log()
        return self.infer_energy(unary, iterations, backend)

    @torch.no_grad()
    def infer_energy(self, unary: Tensor, iterations: int = 10, backend: str = "auto") -> Tensor:
        """As `infer`, from finite unary energies (negative logarithms of probabilities) of the same shape."""
        self._check(unary, "unary")
        if isinstance(iterations, bool) or not isinstance(iterations, int) or iterations < 0:
            raise InputError(f"iterations must be a whole number, 0 or more; got {iterations!r}")
        if backend not in BACKENDS:
            raise InputError(f"backend must be one of {', '.join(BACKENDS)}; got {backend!r}")
        energy = unary.detach().to(self._device, torch.float32)
        if not bool(torch.isfinite(energy.sum())):
            raise InputError("unary must be finite; it holds NaN or infinity")
        batch = energy if energy.ndim == 4 else energy[None]
        run = _infer_with_pydensecrf if backend == "pydensecrf" else _mean_field
        return run(self, batch, iterations).reshape(unary.shape).to(unary.device)

    def _check(self, labels: Tensor, name: str) -> None:
        height, width = self.image.shape[1:]
        fits = labels.ndim in (3, 4) and labels.shape[-2:] == (height, width) and labels.shape[-3] >= 2
        if not fits or labels.numel() == 0:
            wanted = f"L x {height} x {width} or B x L x {height} x {width} with L of 2 or more"
            raise InputError(f"{name} must be {wanted}; got {tuple(labels.shape)}")

    @property
    def _device(self) -> torch.device:
        # the 64-bit sorting the lattice needs is not there on other accelerators
        return self.image.device if self.image.device.type in ("cpu", "cuda") else torch.device("cpu")

    @cached_property
    def _terms(self) -> list[_Term]:
        ones, terms = torch.ones(1, *self.image.shape[1:], device=self._device), []
        if self.compat_gaussian:
            terms.append(_Term(_Convolution(self.sxy_gaussian, self._device), self.compat_gaussian, ones))
        if self.compat_bilateral:
            terms.append(_Term(_Bilateral(self), self.compat_bilateral, ones))
        return terms


class _Bilateral:
    """Smooths C x H x W over position and colour."""

    def __init__(self, crf: DenseCRF) -> None:
        image = crf.image.detach().to(crf._device, torch.float32)
        height, width = image.shape[1:]
        y, x = (torch.arange(n, device=image.device) / crf.sxy_bilateral for n in (height, width))
        position = torch.stack(torch.meshgrid(x, y, indexing="xy"))
        self.lattice = Lattice(torch.cat([position, image * (255 / crf.srgb)]).flatten(1).t())

    def __call__(self, planes: Tensor) -> Tensor:
        return self.lattice.filter(planes.flatten(1).t()).t().reshape(planes.shape)


class _Convolution:
    """Smooths C x H x W over position, with a Gaussian cut at four standard deviations and 0 outside.

    Blocks of rows are products of a band matrix and the rows in reach, which is quicker than a convolution of
    one channel is in torch.
    """

    def __init__(self, deviation: float, device: torch.device) -> None:
        self.reach = math.ceil(4 * deviation)
        self.block = max(32, self.reach)
        rows, taps = torch.arange(self.block), torch.arange(self.block + 2 * self.reach)
        distance = (taps[None] - self.reach - rows[:, None]).abs()
        weight = torch.exp(-0.5 * (distance / deviation) ** 2)
        self.band = torch.where(distance <= self.reach, weight, 0).to(device)

    def __call__(self, planes: Tensor) -> Tensor:
        return self._rows(self._rows(planes).mT).mT.contiguous()

    def _rows(self, planes: Tensor) -> Tensor:
        height = planes.shape[1]
        below = self.reach + -height % self.block
        windows = F.pad(planes, (0, 0, self.reach, below)).unfold(1, self.band.shape[1], self.block)
        return (self.band @ windows.mT).flatten(1, 2)[:, :height]


class _Term:
    """A kernel k of the energy with its weight, normalised to k(i, j) / sqrt(sum_j k(i, j) sum_i k(i, j))."""

    def __init__(self, smooth: _Bilateral | _Convolution, weight: float, ones: Tensor) -> None:
        self.smooth = smooth
        self.before = (smooth(ones) + 1e-20).rsqrt()
        self.after = weight * self.before
        self.total = self.message(ones)

    def message(self, planes: Tensor) -> Tensor:
        return self.smooth(self.before * planes).mul_(self.after)


def _mean_field(crf: DenseCRF, energy: Tensor, iterations: int) -> Tensor:
    """Algorithm 1 of the paper, B x L x H x W energies to probabilities.

    Everything is relative to label 0: `q` holds labels 1.., and label 0's message is the total less theirs.
    """
    unary = energy[:, :1] - energy[:, 1:]
    q = _probabilities(unary)
    for term in crf._terms:
        unary = unary - term.total
    for _ in range(iterations if crf._terms else 0):
        message = sum(term.message(q.flatten(0, 1)) for term in crf._terms).view_as(q)
        q = _probabilities(unary + message + message.sum(1, keepdim=True))
    return torch.cat([1 - q.sum(1, keepdim=True), q], 1).clamp_(min=0)


def _probabilities(advantage: Tensor) -> Tensor:
    """Softmax over labels 0.. given the advantage of labels 1.. over label 0, without label 0."""
    if advantage.shape[1] == 1:
        return advantage.sigmoid()
    return F.pad(advantage, (0, 0, 0, 0, 1, 0)).softmax(1)[:, 1:]


def _infer_with_pydensecrf(crf: DenseCRF, energy: Tensor, iterations: int) -> Tensor:
    try:
        from pydensecrf import densecrf
    except ImportError as missing:
        raise InputError(
            "backend pydensecrf is not installed here; install pydensecrf2 or choose backend auto"
        ) from missing
    labels, height, width = energy.shape[1:]
    field = densecrf.DenseCRF2D(width, height, labels)
    pixels = (crf.image.detach().float().cpu() * 255).round().byte().permute(1, 2, 0).contiguous().numpy()
    if crf.compat_gaussian:
        field.addPairwiseGaussian(sxy=crf.sxy_gaussian, compat=crf.compat_gaussian)
    if crf.compat_bilateral:
        field.addPairwiseBilateral(
            sxy=crf.sxy_bilateral, srgb=crf.srgb, rgbim=pixels, compat=crf.compat_bilateral
        )
    results = []
    for unary in energy.cpu().flatten(2):
        field.setUnaryEnergy(unary.contiguous().numpy())
        results.append(np.array(field.inference(iterations)))
    return torch.from_numpy(np.stack(results)).view(energy.shape)


def _in_unit_range(values: Tensor) -> bool:
    low, high = values.detach().aminmax()  # NaN comes through, and compares false
    return bool((low >= 0) & (high <= 1))
