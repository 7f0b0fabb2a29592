"""The potential cut in two: eq. 3 of the paper. The k-means itself is ops/kmeans.py."""

from __future__ import annotations

import torch
from torch import Tensor

from ..config import Direction
from ..ops.kmeans import Clusters, kmeans1d, two_means
from .potential import Potential


def distance_to_cut(phi: Potential, direction: Direction, k: int) -> Tensor:
    """Eq. 3, jointly over the N paintings: how far Phi is on the object's side of the cut, N x 1 x h x w.

    The highest cluster differs; what lies between two thresholds, k = 3, is ambiguous and left out of the object.
    Raises InputError when Phi has fewer than k values.
    """
    return _beyond(kmeans1d(phi.values, k), phi, direction)


def cut_unseen(phi: Potential, direction: Direction, k: int) -> tuple[Tensor, Tensor]:
    """The same where a GPU should not be waited for: the distance, and a bool tensor of no dimension, whether it means
    anything. With three clusters and more the values are looked at, and InputError is raised as above."""
    if k == 2:
        clusters, means = two_means(phi.values)
        return _beyond(clusters, phi, direction), means
    return distance_to_cut(phi, direction, k), torch.ones((), dtype=torch.bool, device=phi.total.device)


def _beyond(clusters: Clusters, phi: Potential, direction: Direction) -> Tensor:
    return phi.total - clusters.thresholds[-1] if direction == "I" else clusters.thresholds[0] - phi.total
