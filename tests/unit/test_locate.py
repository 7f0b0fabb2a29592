"""The start region of points, strokes and coarse masks, on photos whose answer is known."""

import numpy as np
import pytest
import torch

from paintseg.config import preset
from paintseg.locate.region import locate, prior_of, standardise
from paintseg.prompts import mask_prompt, point_prompt, scribble_prompt
from paintseg.views.frames import photo_frame
from paintseg.views.looks import Looks

from .small_models import MeanColour, disc_photo, embedded, example, iou
from .test_floors import prompt_of

CONFIG = preset("paper", start="affinity", encoder_size=128)
SIZE = (96, 128)
PHOTO, DISC = disc_photo(SIZE)
ONE, LEFT = disc_photo(SIZE, (36, 48), 18)
TWINS = torch.cat([ONE[:, :, :64], ONE[:, :, :64].flip(2)], 2)


def found(photo, prompt, config=CONFIG):
    return locate(prompt, photo_frame(Looks(photo, MeanColour(4)), config), config)


def stroke(x0, y0, x1, y1):
    drawn = torch.zeros(SIZE)
    drawn[y0:y1, x0:x1] = 1
    return drawn


@pytest.mark.parametrize(
    "prompt",
    [
        point_prompt([(64, 48)], SIZE),
        point_prompt([(50, 44)], SIZE),
        scribble_prompt(stroke(52, 46, 76, 49)),
        mask_prompt(stroke(52, 30, 76, 62)),
        mask_prompt(stroke(30, 26, 90, 72)),
    ],
    ids=["centre", "off centre", "stroke", "too small a mask", "too large a mask"],
)
def test_what_looks_alike_around_the_prompt_is_the_start(prompt):
    start = found(PHOTO, prompt)
    assert iou(start.region, DISC) > 0.8
    assert not start.region[~start_box(start)].any()


def start_box(start):
    x0, y0, x1, y1 = start.valid
    inside = torch.zeros(SIZE, dtype=torch.bool)
    inside[y0:y1, x0:x1] = True
    return inside


def test_the_prior_speaks_for_the_object_and_against_the_rest():
    prior = found(PHOTO, point_prompt([(64, 48)], SIZE)).prior
    assert prior.shape == (1, 1, 24, 32)
    assert prior[0, 0, 10:14, 14:18].min() > 0 > prior[0, 0, :4].max()


def test_a_twin_apart_from_the_point_is_left_alone():
    region = found(TWINS, point_prompt([(36, 48)], SIZE)).region
    assert iou(region, LEFT) > 0.75
    assert not region[:, 64:].any()


def test_two_points_take_two_things():
    region = found(TWINS, point_prompt([(36, 48), (92, 48)], SIZE)).region
    assert iou(region, LEFT | LEFT.flip(1)) > 0.75


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_on_a_blank_wall_the_start_is_around_the_point(value):
    start = found(torch.full((3, *SIZE), value), point_prompt([(20, 70)], SIZE))
    assert start.region[70, 20]
    assert not start.region[:, 64:].any()


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 5), (1, 200), (200, 1)])
@pytest.mark.parametrize("flat", [True, False])
def test_photos_smaller_than_the_grid_have_a_start_too(size, flat):
    photo = torch.full((3, *size), 0.3) if flat else torch.rand(3, *size, generator=torch.Generator().manual_seed(1))
    assert found(photo, point_prompt([(0, 0)], size)).region.any()
    assert found(photo, mask_prompt(torch.ones(size))).region.any()


def test_standardised_values_are_deviations_from_their_cut():
    assert standardise(torch.tensor([2.0, 2.0, 6.0, 6.0])).tolist() == [-1, -1, 1, 1]
    values = torch.from_numpy(np.random.default_rng(0).normal(5, 3, 200).astype(np.float32))
    assert standardise(values).std(correction=0) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("values", [[3.0], [3.0, 3.0, 3.0]])
def test_values_all_alike_say_nothing(values):
    assert not standardise(torch.tensor(values)).any()


def test_seeds_that_stand_out_do_not_hide_the_object():
    noise = 0.1 * torch.randn(100, generator=torch.Generator().manual_seed(0))
    visits, seeds = noise, torch.arange(100) < 9
    visits[seeds], visits[9:30] = 12, visits[9:30] + 4
    assert ((standardise(visits) > 0) == seeds).all()
    assert ((prior_of(visits, seeds) > 0) == (torch.arange(100) < 30)).all()


def test_where_nothing_is_like_the_seeds_they_are_the_object():
    visits = torch.rand(100, generator=torch.Generator().manual_seed(0))
    seeds = torch.arange(100) < 9
    visits[seeds] = 12
    for rest in (visits, visits.where(seeds, torch.zeros(()))):
        assert (prior_of(rest, seeds) == standardise(rest)).all()


@pytest.mark.parametrize("seeds", [torch.ones(4, dtype=torch.bool), torch.arange(4) < 3])
def test_no_patches_to_compare_with_leave_the_prior_as_it_is(seeds):
    visits = torch.tensor([3.0, 2.0, 1.0, 0.0])
    assert (prior_of(visits, seeds) == standardise(visits)).all()


def test_negative_strokes_only_take_away():
    """Cut anew with what they say, the photo fell apart into negative strokes and the rest, all of it the object."""
    (photo, shuttle), encoder, config = example(), embedded().encoder, preset("balanced")
    frame = photo_frame(Looks(photo, encoder), config, config.encoder_size)
    start = locate(prompt_of("shuttle", "strokes"), frame, config)
    assert iou(start.region, shuttle) > 0.7
