"""Gaussian filtering in many dimensions on a permutohedral lattice.

Adams, Baek & Davis, "Fast High-Dimensional Filtering Using the Permutohedral Lattice" (Eurographics 2010).
Every point is spread (splat) over the d + 1 corners of the simplex it lies in, the values at the corners are
blurred along the d + 1 directions of the lattice, and read back (slice) with the same weights. As in the
authors' implementation only corners that some point touches exist; the others count as 0.

On a CPU NumPy and SciPy do this as fast on one thread as torch does on two, and do not wait for busy cores.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from ..errors import InputError
from .lattice_tables import Array, Tables, build_tables


class Lattice:
    """The lattice of one set of points, built once and used for any number of values.

    With d = 5 it takes about 150 bytes per point while it is built.

    Attributes:
        size: number of lattice corners that some point touches.
        points: number N of points.
    """

    def __init__(self, features: Tensor) -> None:
        """Build the lattice.

        Args:
            features: N x d, finite, on CPU or CUDA; one unit is one standard deviation of the Gaussian.

        Raises InputError: no N x d features, NaN or infinity, or features that reach over too many standard deviations
        for 64-bit keys (about a thousand in each of five dimensions).
        """
        if features.ndim != 2 or 0 in features.shape:
            raise InputError(f"features must be N x d, not empty; got {tuple(features.shape)}")
        planes = features.detach().float().t()
        self._on_cpu = planes.device.type == "cpu"
        tables = build_tables(planes.numpy() if self._on_cpu else planes)
        self.size, self.points = tables.size, len(features)
        self._filter = _SparseFilter(tables) if self._on_cpu else _TensorFilter(tables)

    def filter(self, values: Array) -> Array:
        """Sum of the values of all points, weighted with the Gaussian of their distance in feature space.

        The weights carry an unknown constant factor; divide by `filter(ones)` for averages.

        Args:
            values: N, float32: a NumPy array if the features were on the CPU, else a tensor beside them.

        Returns:
            Likewise. Deterministic on the CPU.

        Raises InputError: values of another shape.
        """
        if values.ndim != 1 or len(values) != self.points:
            raise InputError(f"values must be {self.points} numbers; got {tuple(values.shape)}")
        return self._filter(values)


class _SparseFilter:
    """Splat and slice as sparse products, blur as gathers: the quickest on a CPU."""

    def __init__(self, tables: Tables) -> None:
        n, per_point = tables.corners.shape
        rows = np.arange(0, n * per_point + 1, per_point, dtype=np.int32)
        entries = tables.weights.ravel(), tables.corners.ravel(), rows
        self.reader = sparse.csr_matrix(entries, shape=(n, tables.after.shape[1] + 1))
        self.spreader = self.reader.T  # a view
        self.tables = tables

    def __call__(self, values: Array) -> np.ndarray:
        corners = self.spreader @ np.ascontiguousarray(values)
        for after, before in zip(self.tables.after, self.tables.before, strict=True):
            around = corners.take(after)
            around += corners.take(before)
            around *= 0.5
            corners[:-1] += around
        return self.reader @ corners


class _TensorFilter:
    """The same in torch, with as few calls as can be: a GPU takes longer to be asked than to answer."""

    def __init__(self, tables: Tables) -> None:
        after, before = torch.as_tensor(tables.after), torch.as_tensor(tables.before)
        self.size = after.shape[1]
        self.around = list(torch.cat([after, before], 1).long())
        self.corners, self.weights = torch.as_tensor(tables.corners).flatten().long(), torch.as_tensor(tables.weights)

    def __call__(self, values: Array) -> Tensor:
        values = torch.as_tensor(values)
        corners, both = values.new_zeros(self.size + 1), values.new_empty(2 * self.size)
        corners.index_add_(0, self.corners, (values[:, None] * self.weights).flatten())
        inner, after, before = corners[:-1], both[: self.size], both[self.size :]
        for around in self.around:
            torch.gather(corners, 0, around, out=both)
            inner.add_(after, alpha=0.5).add_(before, alpha=0.5)
        return corners.gather(0, self.corners).view(self.weights.shape).mul_(self.weights).sum(1)
