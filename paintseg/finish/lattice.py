"""Gaussian filtering in many dimensions on a permutohedral lattice.

Adams, Baek & Davis, "Fast High-Dimensional Filtering Using the Permutohedral Lattice" (Eurographics 2010).
Every point is spread (splat) over the d + 1 corners of the simplex it lies in, the values at the corners are
blurred along the d + 1 directions of the lattice, and read back (slice) with the same weights. As in the
authors' implementation only corners that some point touches exist; the others count as 0.

On a CPU NumPy and SciPy do this as fast on one thread as torch does on two, and do not wait for busy cores.
"""

from __future__ import annotations

from functools import reduce

import numpy as np
import torch
from scipy import sparse
from torch import Tensor
from torch.nn.functional import embedding_bag

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
    """The same in torch, with as few calls as can be: a GPU takes longer to be asked than to answer.

    A sum over the corners that a table names is one call, an embedding bag. Two directions are blurred by one table, of
    4 x 4 corners; a corner that counts twice is named twice, so that every direction leaves twice the blurred values.
    """

    def __init__(self, tables: Tables) -> None:
        after, before = torch.as_tensor(tables.after), torch.as_tensor(tables.before)
        directions, self.missing = after.shape
        own = torch.arange(self.missing + 1, device=after.device, dtype=torch.int32)
        nowhere = own.new_full((directions, 1), self.missing)
        ahead, behind = (torch.cat([side, nowhere], 1) for side in (after, before))
        named = torch.stack([own.expand_as(ahead), own.expand_as(ahead), ahead, behind], 2)
        self.blurs = [_Bags(one[two.long()].flatten(1)) for one, two in zip(named[::2], named[1::2], strict=False)]
        self.blurs += [_Bags(named[-1])] if directions % 2 else []
        self.weights = torch.as_tensor(tables.weights)
        self.reader = _Bags(torch.as_tensor(tables.corners), self.weights / 2**directions)

    def __call__(self, values: Array) -> Tensor:
        values = torch.as_tensor(values)
        corners = values.new_zeros(self.missing + 1, 1)
        corners.index_add_(0, self.reader.named, (values[:, None] * self.weights).view(-1, 1))
        return reduce(lambda sums, bags: bags(sums), [*self.blurs, self.reader], corners)[:, 0]


class _Bags:
    """Sums of the values, in a column, at the places that each row of a table names; each place may have a weight.

    Attributes:
        named: the table, flat.
    """

    def __init__(self, named: Tensor, weights: Tensor | None = None) -> None:
        """`named` and `weights` are rows x k, int32 and float32."""
        self.named = named.flatten()
        self._starts = torch.arange(len(named), device=named.device, dtype=named.dtype) * named.shape[1]
        self._weights = None if weights is None else weights.flatten()

    def __call__(self, values: Tensor) -> Tensor:
        return embedding_bag(self.named, values, self._starts, mode="sum", per_sample_weights=self._weights)
