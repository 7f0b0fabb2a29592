"""Exact one-dimensional k-means against brute force and scikit-learn."""

import tracemalloc
from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from paintseg.errors import InputError
from paintseg.ops.kmeans import kmeans1d


def brute_force(values, k):
    """Least inertia over all ways to cut the sorted values into k parts."""
    values = np.sort(values)
    cuts = ((0, *inner, len(values)) for inner in combinations(range(1, len(values)), k - 1))
    parts = ([values[a:b] for a, b in zip(c, c[1:], strict=False)] for c in cuts)
    return min(sum(float(((part - part.mean()) ** 2).sum()) for part in split) for split in parts)


def inertia(values, clusters):
    distance = values - clusters.centers.double()[clusters.labels(values)]
    return float((distance**2).sum())


numbers = st.lists(st.integers(-40, 40).map(lambda n: n / 8), min_size=4, max_size=11)


@settings(deadline=None)
@given(numbers.filter(lambda v: len(set(v)) >= 4), st.sampled_from([2, 3, 4]))
def test_no_cut_is_better_on_tiny_inputs(values, k):
    values = torch.tensor(values, dtype=torch.float64)
    best = brute_force(values.numpy(), k)
    assert inertia(values, kmeans1d(values, k)) <= best * (1 + 1e-9) + 1e-9


def samples(name):
    return torch.from_numpy(np.asarray(SAMPLES[name](np.random.default_rng(3)), dtype=float))


N = 3_000
SAMPLES = {
    "uniform": lambda g: g.random(N),
    "two humps": lambda g: np.where(g.random(N) < 0.8, 0.2, 0.6) + 0.1 * g.normal(size=N),
    "heavy tail": lambda g: g.standard_cauchy(N),
    "outlier": lambda g: np.append(g.random(N), 1e5),
    "few values": lambda g: g.integers(0, 7, N),
    "nearly constant": lambda g: 1 + (g.random(N) < 1e-2) * g.random(N),
    "far from zero": lambda g: 1e6 + g.random(N),
    "geometric": lambda g: np.exp(12 * g.random(N)),
}


@pytest.mark.parametrize("k", [2, 3, 4])
@pytest.mark.parametrize("name", SAMPLES)
def test_scikit_learn_finds_nothing_better(name, k):
    cluster = pytest.importorskip("sklearn.cluster")
    values = samples(name)
    centred = (values - values.mean()).numpy()[:, None]
    theirs = cluster.KMeans(k, n_init=5, random_state=0, tol=0).fit(centred)
    assert inertia(values, kmeans1d(values, k)) <= theirs.inertia_ * (1 + 1e-6)


@pytest.mark.parametrize("name", SAMPLES)
def test_no_two_cluster_cut_is_better_on_large_inputs(name):
    values = samples(name)
    ordered = np.sort(values.numpy()) - values.numpy().mean()
    below, sums = np.arange(1, len(ordered)), ordered.cumsum()
    between = sums[:-1] ** 2 / below + (sums[-1] - sums[:-1]) ** 2 / (len(ordered) - below)
    best = (ordered**2).sum() - between.max()
    assert inertia(values, kmeans1d(values, 2)) <= best * (1 + 1e-6)


@pytest.mark.parametrize("k", [2, 3, 4, 5])
def test_centers_are_means_and_thresholds_lie_halfway(k):
    values = samples("two humps")
    clusters = kmeans1d(values, k)
    labels = clusters.labels(values)
    means = torch.stack([values[labels == i].mean() for i in range(k)])
    assert torch.allclose(clusters.centers, means, rtol=1e-12)
    assert torch.allclose(clusters.thresholds, (means[1:] + means[:-1]) / 2, rtol=1e-12)


def test_labels_have_the_shape_of_the_values():
    values = torch.tensor([[[0.0, 0.1], [0.9, 1.0]]])
    assert kmeans1d(values, 2).labels(values).tolist() == [[[0, 0], [1, 1]]]


def test_order_and_repetition_of_the_call_change_nothing():
    values = samples("two humps").float()
    shuffled = values[torch.randperm(len(values), generator=torch.Generator().manual_seed(1))]
    first, second = kmeans1d(values, 3), kmeans1d(shuffled, 3)
    assert torch.equal(first.centers, second.centers) and torch.equal(first.thresholds, second.thresholds)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.int64, torch.uint8])
def test_other_number_types_are_clustered_as_float32(dtype):
    clusters = kmeans1d(torch.tensor([0, 1, 8, 9]).to(dtype), 2)
    assert clusters.centers.dtype == torch.float32 and clusters.centers.tolist() == [0.5, 8.5]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("k", [2, 3])
def test_cuda_agrees_with_the_cpu(k):
    values = samples("two humps")
    assert torch.allclose(kmeans1d(values.cuda(), k).centers.cpu(), kmeans1d(values, k).centers)


def test_a_million_binary_values_with_two_clusters():
    values = torch.arange(1_250_000) % 5 == 0
    assert kmeans1d(values.float(), 2).centers.tolist() == [0, 1]


def test_values_with_a_heavy_tail_take_no_more_memory_than_others():
    values = torch.from_numpy(np.random.default_rng(0).standard_cauchy(200_000))
    tracemalloc.start()
    kmeans1d(values, 4)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 * 2**20


@pytest.mark.parametrize(
    ("values", "k", "words"),
    [
        ([], 2, "empty"),
        ([1.0, 1.0, 1.0], 2, "at least k = 2 distinct"),
        ([1.0, 2.0, 2.0], 3, "at least k = 3 distinct"),
        ([1.0, float("nan"), 2.0], 2, "finite"),
        ([1.0, float("-inf"), 2.0], 2, "finite"),
        ([1.0, 2.0], 1, "k must be"),
        ([1.0, 2.0], 2.0, "k must be"),
    ],
)
def test_bad_values_are_named_in_one_sentence(values, k, words):
    with pytest.raises(InputError, match=words):
        kmeans1d(torch.tensor(values), k)
