"""Boxes and coarse masks drawn beside their object, on photos whose answer is known."""

from dataclasses import replace

import pytest
import torch
from harness.paths import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from paintseg.config import preset
from paintseg.io.reading import read_photo
from paintseg.locate.placement import _found, cells_in, place_box, place_mask
from paintseg.locate.walks import walk_over
from paintseg.ops.images import size_of
from paintseg.prompts import box_prompt, mask_prompt
from paintseg.segmentation import segment
from paintseg.views.frames import photo_frame
from paintseg.views.looks import Looks

from .small_models import MeanColour, Surroundings, disc_photo, embedded, iou

COFFEE = ROOT / "workflows" / "assets" / "paintseg_coffee.jpg"
CONFIG = preset("paper", start="affinity", encoder_size=160, settle_reach=0.25)
SIZE = (128, 160)
PHOTO, DISC = disc_photo(SIZE, (80, 64), 32)
TIGHT = (48, 32, 112, 96)
FRAME = photo_frame(Looks(PHOTO, MeanColour(4)), CONFIG)
FEW = settings(max_examples=settings.default.max_examples // 3, deadline=None)
"""Half a second each: a third of the profile's."""


def overlap(a, b):
    """IoU of two boxes."""
    both = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
    return both / (sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)) - both)


def moved(across, down):
    return TIGHT[0] + across, TIGHT[1] + down, TIGHT[2] + across, TIGHT[3] + down


def test_a_box_that_fits_stays():
    assert place_box(TIGHT, FRAME, CONFIG, SIZE) == TIGHT


@settings(FEW)
@given(st.tuples(*[st.integers(0, 16)] * 4))
def test_room_around_the_object_moves_nothing(room):
    left, up, right, down = room
    loose = TIGHT[0] - left, TIGHT[1] - up, TIGHT[2] + right, TIGHT[3] + down
    assert place_box(loose, FRAME, CONFIG, SIZE) == loose


@pytest.mark.parametrize("radius", [2, 3, 5, 8, 12])
@pytest.mark.parametrize("at", [(80, 64), (61, 43), (30, 90)])
def test_the_tight_box_of_a_small_thing_stays(at, radius):
    frame = photo_frame(Looks(disc_photo(SIZE, at, radius)[0], MeanColour(4)), CONFIG)
    tight = at[0] - radius, at[1] - radius, at[0] + radius, at[1] + radius
    assert place_box(tight, frame, CONFIG, SIZE) == tight


@pytest.mark.parametrize("shift", [(16, 0), (-16, 0), (0, 16), (0, -16), (16, 16), (-16, 16)])
def test_a_box_a_quarter_of_its_side_away_is_brought_back_until_it_holds_the_object(shift):
    drawn = moved(*shift)
    assert overlap(place_box(drawn, FRAME, CONFIG, SIZE), TIGHT) > overlap(drawn, TIGHT) + 0.1


def test_on_a_grid_too_fine_to_try_every_place_the_box_comes_back_all_the_same():
    fine = photo_frame(Looks(PHOTO, MeanColour(4)), replace(CONFIG, encoder_size=320))
    assert fine.grid == (64, 80)
    for shift in ((16, 0), (0, -16), (-12, 12)):
        assert overlap(place_box(moved(*shift), fine, CONFIG, SIZE), TIGHT) > 0.85


@settings(FEW)
@given(st.integers(-16, 16), st.integers(-16, 16))
def test_settling_never_leads_away_from_the_object(across, down):
    drawn = moved(across, down)
    settled = place_box(drawn, FRAME, CONFIG, SIZE)
    assert overlap(settled, TIGHT) >= overlap(drawn, TIGHT) - 0.1


@pytest.mark.parametrize("box", [(0, 0, 160, 128), (0, 0, 1, 1), (159, 127, 160, 128), (80, 64, 82, 65)])
def test_boxes_too_large_or_too_small_to_tell_stay_on_the_photo(box):
    x0, y0, x1, y1 = place_box(box, FRAME, CONFIG, SIZE)
    assert 0 <= x0 < x1 <= 160 and 0 <= y0 < y1 <= 128


@settings(deadline=None)
@given(st.integers(-16, 16), st.integers(-16, 16))
def test_a_coarse_mask_is_brought_back_to_its_object(across, down):
    drawn = torch.roll(DISC, (down, across), (0, 1)).float()
    settled = place_mask(drawn, FRAME, CONFIG)
    assert iou(settled > 0.5, DISC) >= min(0.7, iou(drawn > 0.5, DISC))
    assert settled.sum() == drawn.sum()


@pytest.mark.parametrize("mask", [DISC, torch.zeros(SIZE).index_fill_(1, torch.arange(50, 110), 1), torch.ones(SIZE)])
def test_a_mask_in_its_place_stays(mask):
    near = mask.float() if mask.all() else mask.float() * torch.nn.functional.max_pool2d(DISC[None].float(), 9, 1, 4)[0]
    assert torch.equal(place_mask(near, FRAME, CONFIG), near)


def test_a_mask_cut_by_the_photos_edge_is_not_moved_out_of_it():
    edge = torch.zeros(SIZE)
    edge[:40, :50] = 1
    assert place_mask(edge, FRAME, CONFIG).sum() >= 0.97 * edge.sum()


def test_a_mask_with_a_point_stays_where_it_was_drawn():
    bare = mask_prompt(DISC.float())
    assert bare.is_bare_mask and not bare.with_points([(80, 64)]).is_bare_mask
    assert not bare.with_points(negative=[(1, 1)]).is_bare_mask and not box_prompt(TIGHT, SIZE).is_bare_mask


def test_a_moved_mask_finds_the_object_it_is_the_shape_of():
    config = preset("balanced", size=128, encoder_size=160, photo_size=160, steps=1)
    drawn = mask_prompt(torch.roll(DISC, (14, -14), (0, 1)).float())
    found, left = (segment(PHOTO, drawn, Surroundings(), MeanColour(4), one) for one in (config, config.in_place()))
    assert iou(found.mask, DISC) > 0.95
    assert iou(found.states[0].scene.prompt.mask > 0.5, DISC) > 0.7 > iou(left.states[0].scene.prompt.mask > 0.5, DISC)


def test_a_place_that_holds_less_of_the_object_is_not_taken():
    """In a photo, where a part of a thing is often cut off more cheaply than all of it: a person without a head."""
    config, photo = preset("balanced"), read_photo(COFFEE)
    size = size_of(photo)
    frame = photo_frame(Looks(photo, embedded().encoder), config)
    keys = frame.walked().need_keys()
    for box in ((471, 84, 569, 263), (190, 297, 410, 394), (355, 39, 489, 285), (196, 59, 456, 329)):
        drawn, there = (
            _found(walk_over(keys), cells_in(one, frame.grid, size), config)
            for one in (box, place_box(box, frame, config, size))
        )
        assert there.sum() >= drawn.sum()


def test_a_blank_wall_moves_nothing():
    frame = photo_frame(Looks(torch.full((3, *SIZE), 0.5), MeanColour(4)), CONFIG)
    assert place_box(TIGHT, frame, CONFIG, SIZE) == TIGHT
    assert torch.equal(place_mask(DISC.float(), frame, CONFIG), DISC.float())


def test_cells_belong_to_the_box_that_holds_their_centre():
    inside = cells_in((2, 0, 5, 4), (2, 4), (4, 8))  # cells of 2 x 2 px with centres at 1, 3, 5, 7
    assert inside.tolist() == [[False, True, False, False]] * 2
