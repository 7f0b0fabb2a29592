"""How hidden parts go on: contours by hand, and the biharmonic equation by its definition."""

import numpy as np
import pytest
import torch

from paintseg.layers.continuation import continued, convex_hull, shape_vote

ROWS, COLUMNS = np.indices((40, 60)).astype(float)
GAP = np.zeros((40, 60), bool)
GAP[12:25, 20:45] = True


@pytest.mark.parametrize("plane", [ROWS, COLUMNS, 3 - 0.5 * ROWS + 2 * COLUMNS, ROWS * COLUMNS])
def test_planes_and_saddles_are_continued_as_they_are(plane):
    holed = np.where(GAP, 99.0, plane)
    assert np.allclose(continued(holed, GAP), plane, atol=1e-6)


def test_what_is_known_is_kept_and_without_a_gap_nothing_changes():
    values = np.random.default_rng(0).random((40, 60))
    assert np.array_equal(continued(values, GAP)[~GAP], values[~GAP])
    assert continued(values, np.zeros_like(GAP)) is values


def test_inside_the_gap_the_laplacian_of_the_laplacian_is_nothing():
    values = np.random.default_rng(0).random((40, 60))
    filled = continued(values, GAP)

    def laplacian(plane):
        around = np.pad(plane, 1, mode="edge")
        return around[2:, 1:-1] + around[:-2, 1:-1] + around[1:-1, 2:] + around[1:-1, :-2] - 4 * plane

    assert np.abs(laplacian(laplacian(filled))[GAP]).max() < 1e-9


def box(x0, y0, x1, y1, size=(96, 128)):
    mask = torch.zeros(size, dtype=torch.bool)
    mask[y0:y1, x0:x1] = True
    return mask


def overlap(one, other):
    return float((one & other).sum() / (one | other).sum())


def test_a_bar_goes_on_straight_behind_what_crosses_it():
    bar, front = box(10, 40, 118, 60), box(50, 20, 80, 80)
    vote, _ = shape_vote(bar & ~front, front)
    assert overlap((vote > 0) & front, bar & front) > 0.9


@pytest.mark.parametrize("times", [1, 4])
def test_the_bay_of_an_angle_stays_empty_though_the_hull_fills_it(times):
    size = (96 * times, 128 * times)
    angle = box(*(times * v for v in (10, 10, 30, 90)), size) | box(*(times * v for v in (10, 70, 100, 90)), size)
    front = box(*(times * v for v in (22, 60, 60, 80)), size)
    vote, reach = shape_vote(angle & ~front, front)
    assert overlap((vote > 0) & front, angle & front) > 0.8
    assert vote[~front].abs().max() == 0
    assert reach == pytest.approx(0.1 * float((angle & ~front).sum()) ** 0.5, rel=0.2)


def test_a_disc_is_closed_where_its_side_is_hidden():
    rows, columns = torch.meshgrid(torch.arange(96), torch.arange(128), indexing="ij")
    disc, front = (rows - 48) ** 2 + (columns - 64) ** 2 < 30**2, box(78, 30, 120, 66)
    vote, _ = shape_vote(disc & ~front, front)
    hull = convex_hull(disc & ~front) & front
    assert overlap((vote > 0) & front, disc & front) > max(0.75, overlap(hull, disc & front) + 0.03)


def test_a_single_visible_pixel_and_a_front_that_hides_all_the_rest_are_answered():
    spot = box(5, 5, 6, 6)
    for hidden in (~spot, box(6, 0, 20, 20), spot):
        vote, _ = shape_vote(spot, hidden)
        assert vote.shape == spot.shape and vote.isfinite().all()
