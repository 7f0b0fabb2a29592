"""The finish: colour models by hand, and evidence that is drawn to the photo's edges."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from paintseg.config import preset
from paintseg.finish import refine as appearance
from paintseg.finish.refine import Finish, colour_log_ratio

from .small_models import disc_photo, iou

CONFIG = preset("paper", finish="appearance")
PHOTO, DISC = disc_photo()
ALL = torch.ones_like(DISC)


def blurred(mask, width=17):
    """Evidence of a coarse grid: above 0 inside, without an edge."""
    return F.avg_pool2d(mask[None, None].float(), width, 1, width // 2)[0, 0] * 2 - 1


def test_colours_of_the_object_count_for_it_and_the_others_against_it():
    ratio = colour_log_ratio(PHOTO, DISC.float(), 1 - DISC.float())
    assert ratio[DISC].min() > 0 > ratio[~DISC].max()


def test_a_colour_as_common_on_as_off_the_object_says_nothing():
    halves = torch.zeros(3, 8, 8)
    halves[:, :, ::2] = 1
    probability = torch.zeros(8, 8)
    probability[:4] = 1
    assert colour_log_ratio(halves, probability, 1 - probability).abs().max() < 1e-3


def test_the_ratio_of_two_colours_by_hand():
    """Three quarters of the object are white and a quarter of the background: log(3 / 4 : 1 / 4)."""
    photo, probability = torch.zeros(3, 8, 8), torch.zeros(8, 8)
    probability[:4] = 1
    photo[:, :3], photo[:, 4] = 1, 1
    ratio = colour_log_ratio(photo, probability, 1 - probability)
    assert ratio[0, 0] == pytest.approx(math.log(3), abs=0.01)
    assert ratio[3, 0] == pytest.approx(-math.log(3), abs=0.01)


def test_a_photo_of_one_colour_says_nothing():
    assert colour_log_ratio(torch.full((3, 9, 9), 0.4), torch.rand(9, 9), torch.rand(9, 9)).abs().max() < 1e-6


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_an_object_that_is_nothing_or_everything_is_no_trouble(value):
    assert colour_log_ratio(PHOTO, torch.full(DISC.shape, value), torch.full(DISC.shape, 1 - value)).isfinite().all()


def test_a_blurred_answer_is_drawn_to_the_edge():
    found = Finish(PHOTO)(blurred(DISC), ALL, CONFIG) > 0.5
    assert iou(found, DISC) > 0.98 > iou(blurred(DISC) > 0, DISC) - 0.03


def test_an_answer_in_the_wrong_place_is_moved_by_its_colours():
    moved = torch.roll(DISC, 8, 1)
    assert iou(Finish(PHOTO)(blurred(moved), ALL, CONFIG) > 0.5, DISC) > iou(moved, DISC) + 0.2


def test_nothing_is_found_where_nothing_may_be():
    allowed = ALL.clone()
    allowed[:, 64:] = False
    found = Finish(PHOTO)(blurred(DISC), allowed, CONFIG)
    assert not found[~allowed].any()
    assert iou(found > 0.5, DISC & allowed) > 0.95


def test_without_colours_and_without_a_crf_the_evidence_decides(monkeypatch):
    for name, value in (("_ROUNDS", 0), ("_COMPAT", 0.0), ("_NEAR", 1e-4)):
        monkeypatch.setattr(appearance, name, value)
    evidence = torch.randn(40, 40, generator=torch.Generator().manual_seed(0))
    assert torch.equal(Finish(torch.rand(3, 40, 40))(evidence, torch.ones(40, 40) > 0, CONFIG) > 0.5, evidence > 0)


@settings(deadline=None, max_examples=12)
@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 9))
def test_any_size_gives_probabilities(height, width, seed):
    generator = torch.Generator().manual_seed(seed)
    photo, evidence = torch.rand(3, height, width, generator=generator), torch.randn(height, width, generator=generator)
    found = Finish(photo)(evidence, evidence > -1, CONFIG)
    assert found.shape == (height, width) and found.min() >= 0 and found.max() <= 1
    assert not found[evidence <= -1].any()
