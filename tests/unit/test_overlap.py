"""Intersection over union, counted by hand and by scikit-learn."""

import numpy as np
import torch
from sklearn.metrics import jaccard_score

from paintseg.ops.overlap import intersection_over_union


def test_two_of_six_pixels_are_shared():
    first, second = torch.zeros(2, 4, dtype=torch.bool), torch.zeros(2, 4, dtype=torch.bool)
    first[0], second[:, :2] = True, True
    assert intersection_over_union(first, second) == 2 / 6


def test_it_is_scikit_learns():
    first, second = np.random.default_rng(0).random((2, 30, 40)) > 0.6
    assert intersection_over_union(first, second) == jaccard_score(first.ravel(), second.ravel())


def test_nothing_agrees_with_nothing():
    assert intersection_over_union(torch.zeros(3, 3) > 1, torch.zeros(3, 3) > 1) == 1.0
