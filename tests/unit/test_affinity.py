"""Walks between patches: small ones by hand, larger ones against walking step by step."""

import gc
import weakref

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from paintseg.locate.walks import Walk, log_survival, log_visits, walk_over

seeds = st.integers(0, 2**31)


def random_keys(seed, height=4, width=5):
    return torch.randn(1, 6, height, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def two_kinds():
    """Keys of 12 patches: the first six point one way, the others another, each with a little of its own."""
    keys = torch.zeros(1, 2, 1, 12)
    keys[0, 0, 0, :6], keys[0, 1, 0, 6:] = 1, 1
    return keys + 0.05 * torch.randn(keys.shape, generator=torch.Generator().manual_seed(0))


def steps_of(walk):
    """The probabilities to go from row to column."""
    return walk.alike * (walk.usual[None] / walk.usual[:, None]).sqrt()


@settings(deadline=None, max_examples=30)
@given(seeds, st.floats(0, 20))
def test_steps_are_probabilities_and_the_usual_place_stays_usual(seed, beta):
    walk = walk_over(random_keys(seed), beta)
    steps = steps_of(walk)
    assert torch.allclose(steps.sum(1), torch.ones(20, dtype=torch.float64))
    assert not steps.diagonal().any()
    assert torch.allclose(walk.usual @ steps, walk.usual)
    assert torch.allclose(walk.flow, walk.usual[:, None] * steps)
    assert torch.allclose(walk.flow, walk.flow.T)


def test_step_weights_follow_the_cosine():
    keys = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]).T[None, :, None]
    near, far = torch.exp(torch.tensor([3 * (0.5**0.5 - 1), 3 * (0 - 1.0)]))
    assert steps_of(walk_over(keys, 3))[0, 1] == pytest.approx(float(near / (near + far)))


def test_without_sharpness_all_steps_are_equally_likely():
    steps = steps_of(walk_over(random_keys(0), 0))
    assert torch.allclose(steps, (1 - torch.eye(20, dtype=torch.float64)) / 19)


def test_survival_next_to_the_background_by_hand():
    to_and_fro = Walk(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.tensor([0.5, 0.5]))  # one step each way
    logs = log_survival(to_and_fro, torch.tensor([True, False]), source=0.25)
    assert logs.exp() == pytest.approx([0.2, 0.2])  # (1 + 0.25) f = 0.25; the background gets the lowest


@settings(deadline=None, max_examples=20)
@given(seeds, st.lists(st.booleans(), min_size=20, max_size=20))
def test_survival_is_what_walking_on_gives(seed, chosen):
    walk, free = walk_over(random_keys(seed), 4), torch.tensor(chosen)
    if not free.any():
        assert not log_survival(walk, free, 0.1).any()
        return
    survival = torch.zeros(20, dtype=torch.float64)
    for _ in range(400):
        survival = torch.where(free, (0.1 + steps_of(walk) @ survival) / 1.1, survival)
    assert torch.allclose(log_survival(walk, free, 0.1)[free].exp(), survival[free], atol=1e-6)


def test_where_nothing_absorbs_everything_survives():
    logs = log_survival(walk_over(random_keys(1), 4), torch.ones(20, dtype=torch.bool), 0.01)
    assert torch.allclose(logs, torch.zeros_like(logs), atol=1e-9)


def test_a_patch_like_the_background_survives_least():
    free = torch.arange(12) < 7  # all of the first kind and one of the second
    assert log_survival(walk_over(two_kinds(), 7), free, 0.01)[:7].argmin() == 6


@settings(deadline=None, max_examples=20)
@given(seeds, st.integers(1, 19))
def test_visits_are_what_walking_on_gives(seed, count):
    walk, start = walk_over(random_keys(seed), 4), torch.arange(20) < count
    visits = share = F.normalize(start.double(), p=1, dim=0)
    for _ in range(400):
        visits = 0.1 * share + 0.9 * visits @ steps_of(walk)
    logs = log_visits(walk, start, restart=0.1)
    assert torch.allclose(logs[~start], (visits / walk.usual).log()[~start], atol=1e-6)
    assert torch.allclose(logs[start], logs[~start].max())


def test_patches_of_the_seeds_kind_are_visited_most():
    logs = log_visits(walk_over(two_kinds(), 7), torch.arange(12) == 2, 0.05)
    assert logs[:6].min() > logs[6:].max()


def test_the_normalised_cut_by_hand():
    walk = Walk(alike=torch.tensor([[0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]]), usual=torch.full((3,), 1 / 3))
    assert walk.normalised_cut(torch.tensor([1.0, 0.0, 0.0])) == pytest.approx(1.5)  # 1/3 of the time, of 1/3 and 2/3
    assert walk.normalised_cut(torch.zeros(3)) == walk.normalised_cut(torch.ones(3)) == float("inf")


def test_a_single_patch_is_no_trouble():
    walk = walk_over(torch.ones(1, 3, 1, 1), 7)
    assert log_survival(walk, torch.tensor([True]), 0.01).isfinite().all()
    assert log_visits(walk, torch.tensor([True]), 0.05).isfinite().all()


@pytest.mark.parametrize("rate", [1e-30, 1e-7, 0.999999])
def test_the_smallest_and_largest_rates_are_no_trouble(rate):
    walk = walk_over(torch.randn(1, 8, 30, 30, generator=torch.Generator().manual_seed(0)), 2)
    assert log_survival(walk, torch.ones(900, dtype=torch.bool), rate).isfinite().all()
    assert log_visits(walk, torch.arange(900) == 0, rate).isfinite().all()


def test_the_walk_over_the_same_keys_is_made_once_and_goes_with_them():
    keys, same = (torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(0)) for _ in range(2))
    once, again, other = walk_over(keys), walk_over(keys), walk_over(same)
    assert once is again and once is not other
    assert torch.equal(once.alike, other.alike)
    assert walk_over(keys, beta=0) is not once
    gone = weakref.ref(once)
    del once, again, keys
    gc.collect()
    assert gone() is None


def test_of_many_maps_only_the_latest_walks_are_kept():
    maps = [torch.rand(1, 3, 4, 4) for _ in range(6)]
    walks = [weakref.ref(walk_over(keys)) for keys in maps]
    gc.collect()
    assert [walk() is None for walk in walks] == [True, True, False, False, False, False]
