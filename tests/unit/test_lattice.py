"""The permutohedral lattice against exact Gaussian sums and against pydensecrf's."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from paintseg.errors import InputError
from paintseg.finish.lattice import Lattice, _TensorFilter
from paintseg.finish.lattice_tables import build_tables


def cloud(n, d, seed=0, spread=2.0):
    generator = torch.Generator().manual_seed(seed)
    return spread * torch.randn(n, d, generator=generator), torch.rand(n, 3, generator=generator)


def exact_average(features, values):
    weights = torch.exp(-0.5 * torch.cdist(features.double(), features.double()) ** 2)
    return (weights @ values.double() / weights.sum(1, keepdim=True)).float()


def filtered(lattice, values):
    """Column by column, N x C."""
    return torch.from_numpy(np.stack([lattice.filter(column.numpy()) for column in values.t()], 1))


def average(lattice, values):
    return filtered(lattice, values) / filtered(lattice, torch.ones(len(values), 1))


@pytest.mark.parametrize(("d", "tolerance"), [(1, 0.02), (2, 0.02), (3, 0.02), (5, 0.05)])
def test_averages_are_those_of_a_gaussian(d, tolerance):
    features, _ = cloud(2000, d, spread=1.5)
    smooth = torch.sin(features[:, :1])
    error = (average(Lattice(features), smooth) - exact_average(features, smooth)).abs()
    assert error.mean() < tolerance


@pytest.mark.parametrize("d", [1, 2, 4, 5, 6])
def test_one_mean_field_step_is_pydensecrfs(d):
    densecrf = pytest.importorskip("pydensecrf.densecrf")
    features, values = cloud(3000, d)
    start = values.softmax(1)
    field = densecrf.DenseCRF(len(features), 3)
    field.setUnaryEnergy(np.ascontiguousarray(-start.log().t().numpy()))
    field.addPairwiseEnergy(np.ascontiguousarray(features.t().numpy()), compat=2)
    theirs = torch.from_numpy(np.array(field.inference(1))).t()
    lattice = Lattice(features)
    norm = filtered(lattice, torch.ones(len(features), 1)).rsqrt()
    ours = (start.log() + 2 * norm * filtered(lattice, norm * start)).softmax(1)
    assert (ours - theirs).abs().mean() < 1e-4


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 7), st.integers(1, 40), st.integers(0, 999))
def test_weights_of_a_point_sum_to_one_and_none_is_negative(d, n, seed):
    weights = build_tables(cloud(n, d, seed)[0].t().numpy()).weights
    assert np.allclose(weights.sum(1), 1, atol=1e-5) and weights.min() > -1e-5


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 6), st.integers(1, 60), st.integers(0, 999))
def test_neighbours_are_each_others_neighbours(d, n, seed):
    tables = build_tables(cloud(n, d, seed)[0].t().numpy())
    for after, before in zip(tables.after, tables.before, strict=True):
        there = after < len(after)
        assert (before[after[there]] == np.flatnonzero(there)).all()
        assert there.sum() == (before < len(before)).sum()


@pytest.mark.parametrize("d", [1, 2, 5])
def test_torch_and_numpy_build_the_same_tables(d):
    planes = cloud(20_000, d)[0].t()
    ours, theirs = build_tables(planes), build_tables(planes.numpy())
    for a, b in zip(ours[:-1], theirs[:-1], strict=True):
        assert np.array_equal(a.numpy(), b)


def test_torch_and_scipy_filter_alike():
    features, values = cloud(3000, 5)
    other = _TensorFilter(build_tables(features.t()))(values[:, 0])
    assert torch.allclose(other, filtered(Lattice(features), values[:, :1])[:, 0], rtol=1e-4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_agrees_with_the_cpu():
    features, values = cloud(3000, 5)
    there = Lattice(features.cuda()).filter(values[:, 0].cuda()).cpu()
    assert torch.allclose(there, filtered(Lattice(features), values[:, :1])[:, 0], rtol=1e-3)


def test_two_lattices_of_the_same_points_are_the_same():
    features, values = cloud(20_000, 5)
    assert torch.equal(filtered(Lattice(features), values), filtered(Lattice(features.clone()), values))


def test_the_place_of_the_origin_matters_little():
    features, values = cloud(5000, 3)
    near, far = Lattice(features), Lattice(features + torch.tensor([120.0, -60.0, 33.0]))
    assert (average(near, values) - average(far, values)).abs().mean() < 0.02


def test_equal_points_share_their_corners():
    lattice = Lattice(torch.ones(1000, 5))
    assert lattice.size == 6
    assert torch.allclose(average(lattice, torch.arange(1000.0)[:, None]), torch.tensor(499.5))


@pytest.mark.parametrize(
    ("features", "words"),
    [
        (torch.zeros(5), "N x d"),
        (torch.zeros(0, 5), "N x d"),
        (torch.tensor([[0.0], [float("nan")]]), "finite"),
        (torch.tensor([[0.0], [1e7]]), "too many standard deviations"),
        (torch.tensor([[0.0] * 5, [3e4] * 5]), "too many standard deviations"),
    ],
)
def test_bad_features_are_named_in_one_sentence(features, words):
    with pytest.raises(InputError, match=words):
        Lattice(features)


def test_values_of_another_length_are_refused():
    with pytest.raises(InputError, match="values must be 10 numbers"):
        Lattice(torch.zeros(10, 2)).filter(np.zeros(9, np.float32))
