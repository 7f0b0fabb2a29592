"""What a prompt says, worked out by hand, and every prompt that is refused."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from paintseg.errors import InputError
from paintseg.prompts import Prompt, box_prompt, dot_points, mask_prompt, point_prompt, scribble_prompt

SIZE = (40, 60)
ANYWHERE = torch.ones(SIZE)


def dots(*places):
    """A map that is 1 at some (x, y)."""
    drawn = torch.zeros(SIZE)
    for x, y in places:
        drawn[y, x] = 1
    return drawn


def block(x0, y0, x1, y1, value=1.0):
    drawn = torch.zeros(SIZE)
    drawn[y0:y1, x0:x1] = value
    return drawn


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        (point_prompt([(3, 4)], SIZE), "point"),
        (scribble_prompt(dots((3, 4))), "scribble"),
        (box_prompt((1, 2, 9, 8), SIZE), "box"),
        (mask_prompt(ANYWHERE), "mask"),
        (Prompt(SIZE, points=((3, 4),), scribble=dots((3, 4)) > 0), "scribble"),
        (Prompt(SIZE, points=((3, 4),), box=(1, 2, 9, 8)), "box"),
        (Prompt(SIZE, box=(1, 2, 9, 8), mask=ANYWHERE), "mask"),
    ],
)
def test_the_strongest_statement_about_extent_starts_the_loop(prompt, kind):
    assert prompt.kind == kind


@pytest.mark.parametrize("prompt", [point_prompt([(3, 4)], SIZE), scribble_prompt(dots((3, 4)))])
def test_points_and_strokes_start_from_the_whole_image(prompt):
    assert prompt.start_region().all() and prompt.start_region().shape == SIZE
    assert prompt.extent() is None


def test_a_box_starts_from_every_pixel_it_touches():
    prompt = box_prompt((10.4, 5.0, 19.2, 8.9), SIZE)
    assert prompt.extent() == (10, 5, 20, 9)
    assert torch.equal(prompt.start_region(), block(10, 5, 20, 9) > 0)


def test_a_coarse_mask_starts_from_its_upper_half():
    coarse = block(10, 5, 20, 9) + block(30, 5, 40, 9, value=0.4)
    prompt = mask_prompt(coarse)
    assert torch.equal(prompt.start_region(), block(10, 5, 20, 9) > 0)
    assert prompt.extent() == (10, 5, 20, 9)


@pytest.mark.parametrize("mask", [ANYWHERE * (1 + 2e-7), torch.full(SIZE, 1 + 2**-10, dtype=torch.half)])
def test_a_coarse_mask_may_pass_1_by_rounding(mask):
    prompt = mask_prompt(mask)
    assert prompt.mask.dtype == torch.float32 and prompt.mask.max() == 1


def test_a_box_cuts_off_what_a_coarse_mask_has_outside():
    prompt = Prompt(SIZE, box=(15, 0, 60, 40), mask=block(10, 5, 20, 9))
    assert torch.equal(prompt.start_region(), block(15, 5, 20, 9) > 0)
    assert prompt.extent() == (15, 5, 20, 9)


@settings(deadline=None)
@given(st.tuples(*[st.floats(-30, 90) for _ in range(4)]))
def test_a_box_is_clipped_to_the_image_or_refused(box):
    height, width = SIZE
    inside = [min(max(value, 0), limit) for value, limit in zip(box, (width, height, width, height), strict=True)]
    if box[0] >= box[2] or box[1] >= box[3] or inside[2] - inside[0] < 1 or inside[3] - inside[1] < 1:
        with pytest.raises(InputError):
            box_prompt(box, SIZE)
    else:
        assert box_prompt(box, SIZE).box == tuple(inside)


def test_single_bumps_are_at_points_and_the_centre_of_a_box_but_not_at_a_coarse_mask():
    assert point_prompt([(3, 4), (5, 6)], SIZE).bump_centres() == ((3, 4), (5, 6))
    assert box_prompt((10, 20, 30, 25), SIZE).bump_centres() == ((20, 22.5),)
    assert mask_prompt(ANYWHERE).bump_centres() == ()
    assert Prompt(SIZE, box=(10, 20, 30, 25), points=((3, 4),)).bump_centres() == ((3, 4), (20, 22.5))


def test_only_what_was_pointed_at_is_known_to_be_on_the_object():
    prompt = Prompt(SIZE, box=(10, 20, 30, 25), points=((3, 4),), negative_scribble=dots((7, 8)) > 0)
    assert prompt.anchors().tolist() == [[3, 4]]
    assert prompt.negative_anchors().tolist() == [[7.5, 8.5]]
    assert point_prompt([(3, 4)], SIZE).negative_anchors().shape == (0, 2)


def test_points_can_be_added():
    prompt = point_prompt([(3, 4)], SIZE, negative=[(1, 1)]).with_points([(5, 6)], negative=[(2, 2)])
    assert prompt.points == ((3, 4), (5, 6))
    assert prompt.negative_points == ((1, 1), (2, 2))


def test_an_empty_stroke_on_the_background_counts_as_none():
    assert scribble_prompt(dots((3, 4)), negative=torch.zeros(SIZE)).negative_scribble is None


@settings(deadline=None)
@given(hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=70)).filter(lambda drawn: drawn.any()))
def test_every_pixel_of_a_stroke_is_known_to_be_on_the_object(drawn):
    spots = scribble_prompt(torch.from_numpy(drawn)).anchors()
    assert {(int(x), int(y)) for x, y in spots.tolist()} == {(x, y) for y, x in zip(*drawn.nonzero(), strict=True)}
    assert (spots % 1 == 0.5).all()


def test_every_painted_dot_is_one_point_whatever_its_size():
    painted = torch.zeros(40, 60, dtype=torch.bool)
    painted[2:5, 10:13], painted[20:33, 40:53], painted[7, 7], painted[8, 8] = True, True, True, True
    assert set(dot_points(painted)) == {(11.5, 3.5), (46.5, 26.5), (7.5, 7.5)}


def test_no_dot_is_no_point():
    assert dot_points(torch.zeros(5, 5, dtype=torch.bool)) == ()


@settings(deadline=None)
@given(hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=30)))
def test_points_of_dots_lie_on_them(drawn):
    assert all(drawn[math.floor(y), math.floor(x)] for x, y in dot_points(torch.from_numpy(drawn)))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Prompt(SIZE), "the prompt is empty: give a box, a point, a scribble or a coarse mask on the object"),
        (lambda: Prompt(SIZE, negative_points=((3, 4),)), "the prompt is empty: "),
        (lambda: Prompt((0, 60), points=((0, 0),)), "the image must have at least one pixel, not 60 x 0"),
        (
            lambda: box_prompt((1, 2, 3), SIZE),
            'the box must be like {"x": 10, "y": 20, "width": 100, "height": 50} or x0, y0, x1, y1, not 3 numbers',
        ),
        (lambda: box_prompt((9, 2, 1, 8), SIZE), "the box must have x0 < x1 and y0 < y1, not (9, 2, 1, 8)"),
        (lambda: box_prompt((math.nan, 2, 9, 8), SIZE), "the box must be pixels of a photo, not [nan, 2, 9, 8]"),
        (
            lambda: box_prompt((60, 2, 70, 8), SIZE),
            "the box (60, 2, 70, 8) must cover at least one pixel of the image of 60 x 40",
        ),
        (lambda: point_prompt([(60, 4)], SIZE), "the point (60, 4) lies outside the image of 60 x 40"),
        (lambda: point_prompt([(3, -1)], SIZE), "the point (3, -1) lies outside the image of 60 x 40"),
        (lambda: point_prompt([(math.nan, 4)], SIZE), "the points must be pixels of a photo, not [nan, 4]"),
        (
            lambda: point_prompt([(3, 4)], SIZE, negative=[(3, 40)]),
            "the point (3, 40) of the negative points lies outside the image of 60 x 40",
        ),
        (
            lambda: point_prompt([(3, 4, 5)], SIZE),
            'the points must be like [{"x": 10, "y": 20}] or [[10, 20]], not [3, 4, 5]',
        ),
        (lambda: point_prompt([(3, 4)], SIZE).with_points([(99, 4)]), "the point (99, 4) lies outside the image"),
        (
            lambda: Prompt(SIZE, points=((3, 4), (5, 6)), negative_points=((7, 8),), order=(True, False)),
            "the order must name 2 points and 1 negative points, not 1 and 1",
        ),
        (lambda: mask_prompt(torch.zeros(SIZE)), "the mask is empty: no pixel is above 0.5"),
        (lambda: mask_prompt(ANYWHERE[None]), "a coarse mask is H x W, not (1, 40, 60)"),
        (lambda: mask_prompt(ANYWHERE * math.nan), "the mask holds NaN or infinite values"),
        (lambda: mask_prompt(ANYWHERE * 1.01), "the mask must hold values in [0, 1], not from 1.01 to 1.01"),
        (lambda: mask_prompt(ANYWHERE * 255), "the mask must hold values in [0, 1], not from 255 to 255"),
        (lambda: Prompt(SIZE, mask=torch.ones(40, 50)), "the mask must have the image's size 60 x 40, not 50 x 40"),
        (
            lambda: Prompt(SIZE, mask=block(0, 0, 5, 5), box=(10, 10, 20, 20)),
            "the coarse mask and the box have no pixel in common; both must be on the object",
        ),
        (lambda: scribble_prompt(torch.zeros(SIZE)), "the scribble is empty: no pixel is above 0.5"),
        (lambda: scribble_prompt(ANYWHERE[None]), "a scribble is H x W, not (1, 40, 60)"),
        (
            lambda: scribble_prompt(ANYWHERE, negative=torch.ones(5, 5)),
            "the negative scribble must have the image's size 60 x 40, not 5 x 5",
        ),
    ],
)
def test_what_points_at_nothing_is_refused(make, sentence):
    with pytest.raises(InputError) as refused:
        make()
    assert str(refused.value).startswith(sentence)


def test_points_have_an_order():
    prompt = Prompt(SIZE, points=((1, 1), (3, 3)), negative_points=((2, 2),), order=(True, False, True))
    assert prompt.clicks() == (((1, 1), True), ((2, 2), False), ((3, 3), True))
    more = prompt.with_points(negative=[(4, 4)])
    assert more.clicks() == (*prompt.clicks(), ((4, 4), False))
    assert point_prompt([(1, 1), (3, 3)], SIZE, [(2, 2)]).clicks() == (((1, 1), True), ((3, 3), True), ((2, 2), False))


def test_what_was_said_first_is_the_extent_or_the_first_point():
    clicked = point_prompt([(1, 1), (3, 3)], SIZE, [(2, 2)])
    assert clicked.first_said() == point_prompt([(1, 1)], SIZE)
    boxed = box_prompt((5, 5, 20, 20), SIZE)
    assert boxed.with_points([(6, 6)], [(7, 7)]).first_said() == boxed


def test_strokes_on_what_is_not_the_object_stay_with_the_first_point():
    drawn = block(40, 10, 50, 30) > 0
    clicked = Prompt(SIZE, points=((1, 1), (3, 3)), negative_scribble=drawn)
    assert clicked.first_said().points == ((1, 1),)
    assert torch.equal(clicked.first_said().negative_scribble, drawn)
