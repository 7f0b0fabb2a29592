"""The screened Poisson equation against scipy's direct solution."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_matrix, diags
from scipy.sparse.linalg import spsolve

from paintseg.locate.screened import screened


def drawn(height, width, seed, share=0.1):
    """Weights from hard edges to none, sides and held pixels at random."""
    chance = np.random.default_rng(seed)
    down, across = (10.0 ** chance.uniform(-4, 0, shape) for shape in ((height - 1, width), (height, width - 1)))
    return (
        (down, across),
        np.where(chance.random((height, width)) < 0.5, 1.0, -1.0),
        chance.random((height, width)) < share,
    )


def exact(edges, pull, towards, held):
    index = np.arange(towards.size).reshape(towards.shape)
    start = np.concatenate([index[:-1].ravel(), index[:, :-1].ravel()])
    end = np.concatenate([index[1:].ravel(), index[:, 1:].ravel()])
    weight = np.concatenate([each.ravel() for each in edges])
    one_way = coo_matrix((weight, (start, end)), (towards.size,) * 2)
    steps = (one_way + one_way.T).tocsr()
    system = diags(np.asarray(steps.sum(1)).ravel() + pull) - steps
    free, result = ~held.ravel(), towards.astype(float).ravel()
    if free.any():
        right = pull * result[free] + steps[free][:, ~free] @ result[~free]
        result[free] = np.atleast_1d(spsolve(system.tocsr()[free][:, free].tocsc(), right))
    return result.reshape(towards.shape)


@settings(deadline=None)
@given(
    st.integers(1, 40), st.integers(1, 40), st.floats(1, 200), st.integers(0, 999), st.sampled_from([0, 0.02, 0.5, 1])
)
def test_it_is_the_direct_solution(height, width, reach, seed, share):
    edges, towards, held = drawn(height, width, seed, share)
    found = screened(edges, reach**-2, towards, held)
    assert found.dtype == np.float32 and np.array_equal(found[held], towards[held])
    np.testing.assert_allclose(found, exact(edges, reach**-2, towards, held), atol=0.02)


def test_a_disc_in_a_flat_plane_falls_off_over_its_reach():
    edges, held = (np.ones((200, 201)), np.ones((201, 200))), np.zeros((201, 201), bool)
    held[100] = True
    value = screened(edges, 10.0**-2, np.where(held, -1.0, 1.0), held)[:, 100]
    fallen = (1 - value[110:140:10]) / (1 - value[100:130:10])
    assert fallen == pytest.approx([np.exp(-1)] * 3, rel=0.02)


def test_a_large_plane_takes_few_steps(monkeypatch):
    from paintseg.locate import screened as module

    cycles, cycle = [], module._cycle
    monkeypatch.setattr(module, "_cycle", lambda grids, right: cycles.append(len(grids)) or cycle(grids, right))
    edges, towards, held = drawn(250, 300, 0, 0.001)
    screened(edges, 120.0**-2, np.ones_like(towards), held)
    assert cycles.count(max(cycles)) < 60, "plain conjugate gradients need hundreds"
