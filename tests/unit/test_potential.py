"""Equations 1 and 2 with numbers small enough to check by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from paintseg.amcp.potential import Pointed, combine, normalise, paint_term, places_in, prompt_term
from paintseg.config import preset
from paintseg.views.frames import photo_frame
from paintseg.views.looks import Looks

from .small_models import MeanColour

CONFIG = preset("paper", encoder_size=32)
CANVAS = (32, 32)
ALL = torch.ones(1, 1, 2, 2, dtype=torch.bool)


def frame_of(image):
    return replace(photo_frame(Looks(image[0], MeanColour()), CONFIG), area=(0, 0, 32, 32), content=CANVAS)


def plane(*values):
    return torch.tensor(values).view(1, 1, 2, 2)


def test_the_paint_term_is_the_squared_distance_of_the_features():
    photo, painting = torch.zeros(1, 3, *CANVAS), torch.zeros(2, 3, *CANVAS)
    painting[1, :, 8:16, 16:24] = 0.5
    term = paint_term(frame_of(photo), painting, photo, MeanColour(), "squared")
    assert term.shape == (2, 1, *CANVAS)
    assert not term[0].any()
    assert term[1, 0, 11:13, 19:21] == pytest.approx(3 * 0.5**2 * (15 / 16) ** 2, abs=1e-4)  # beside the cell's centre
    assert not term[1, 0, 24:].any()


def test_the_cosine_distance_is_about_direction_and_not_about_length():
    red = torch.tensor([1.0, 0, 0])[None, :, None, None].expand(1, 3, *CANVAS)
    paintings = torch.cat([red * 0.3, red.flip(1)])
    term = paint_term(frame_of(red), paintings, red, MeanColour(), "cosine")
    assert term[0].abs().max() < 1e-6
    assert term[1].min() == pytest.approx(1)


def bump(points, negative=(), box=(0, 0, 40, 20), sigma=0.1):
    return prompt_term(Pointed(tuple(points)), Pointed(tuple(negative)), box, (30, 50), sigma)[0, 0]


def test_a_bump_is_a_gaussian_as_wide_as_a_tenth_of_the_object():
    height = bump(((20.5, 10.5),))
    assert height[10, 20] == 1
    assert height[10, 24] == pytest.approx(math.exp(-1))  # s_x = 4 along x
    assert height[12, 20] == pytest.approx(math.exp(-1))  # s_y = 2 along y
    assert height[12, 24] == pytest.approx(math.exp(-2))


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0, 30)), min_size=1, max_size=5))
def test_of_several_bumps_the_highest_counts(points):
    alone = torch.stack([bump((point,)) for point in points])
    assert torch.equal(bump(tuple(points)), alone.amax(0))


def test_not_object_points_are_dents():
    assert torch.equal(bump((), negative=((20.5, 10.5),)), -bump(((20.5, 10.5),)))
    assert torch.equal(bump(((9, 9),), ((40, 20),)), bump(((9, 9),)) - bump(((40, 20),)))


def test_without_points_there_is_no_prompt_term():
    assert prompt_term(Pointed(), Pointed(), (0, 0, 40, 20), (30, 50), 0.1) is None


def strokes(drawn):
    return Pointed(strokes=torch.from_numpy(drawn))


drawings = hnp.arrays(bool, (30, 50), elements=st.sampled_from([False] * 60 + [True])).filter(lambda one: one.any())


@settings(deadline=None, max_examples=30)
@given(drawings, st.floats(0.02, 0.5))
def test_every_pixel_of_a_stroke_is_a_prompt_point(drawn, sigma):
    found = prompt_term(strokes(drawn), Pointed(), (0, 0, 40, 20), (30, 50), sigma)[0, 0]
    centres = [(x + 0.5, y + 0.5) for y, x in zip(*drawn.nonzero(), strict=True)]
    assert torch.allclose(found, bump(centres, sigma=sigma), atol=1e-5)
    assert (found[torch.from_numpy(drawn)] == 1).all()


def test_strokes_and_points_may_be_given_together_on_either_side():
    line = np.zeros((30, 50), bool)
    line[15, 5:45] = True
    both = Pointed(((20.5, 5.5),), torch.from_numpy(line))
    found = prompt_term(both, Pointed(), (0, 0, 40, 20), (30, 50), 0.1)
    one, other = bump(((20.5, 5.5),)), prompt_term(strokes(line), Pointed(), (0, 0, 40, 20), (30, 50), 0.1)
    assert torch.equal(found[0, 0], torch.maximum(one, other[0, 0]))
    assert torch.equal(prompt_term(Pointed(), both, (0, 0, 40, 20), (30, 50), 0.1), -found)


def test_a_bump_in_a_tiny_object_is_still_a_pixel_wide():
    assert bump(((20.5, 10.5),), box=(20, 10, 21, 11))[10, 21] == pytest.approx(math.exp(-1))


PAINT, COLOUR, PROMPT, AFFINITY = plane(0.0, 2.0, 4.0, 8.0), plane(0.0, 1.0, 1.0, 0.0), plane(0.0, 0.0, 0.5, 1.0), None


@pytest.mark.parametrize(
    ("sign", "by_hand"),
    [
        (1.0, (0.0, 0.8 * 0.25 + 0.2, 0.8 * 0.5 + 0.2 + 0.2 * 0.5, 0.8 + 0.2)),
        (-1.0, (0.0, 0.8 * 0.25 + 0.2, 0.8 * 0.5 + 0.2 - 0.2 * 0.5, 0.8 - 0.2)),
    ],
    ids=["I-step", "O-step"],
)
def test_the_prompt_adds_in_I_steps_and_takes_off_in_O_steps(sign, by_hand):
    total = combine(PAINT, COLOUR, PROMPT, None, ALL, sign, CONFIG).total
    assert total.flatten().tolist() == pytest.approx(by_hand)


def test_affinity_is_signed_like_the_prompt():
    ours = replace(CONFIG, l_affinity=0.5, l_color=0.0, l_prompt=0.0)
    inpainted, outpainted = (combine(PAINT, None, None, PROMPT, ALL, sign, ours).total for sign in (1.0, -1.0))
    assert torch.allclose(inpainted - outpainted, PROMPT)


@settings(deadline=None)
@given(st.floats(0.01, 100), st.floats(-50, 50))
def test_the_range_of_a_term_does_not_matter(factor, offset):
    scaled = combine(PAINT * factor, COLOUR * factor + offset, None, None, ALL, 1.0, CONFIG).total
    assert torch.allclose(scaled, combine(PAINT, COLOUR, None, None, ALL, 1.0, CONFIG).total, atol=1e-3)


def test_the_scale_is_taken_inside_the_contrast_box_and_over_all_paintings():
    scope = plane(1.0, 1.0, 1.0, 0.0) > 0
    both = torch.cat([plane(0.0, 1.0, 2.0, 99.0), plane(0.0, 1.0, 4.0, -9.0)])
    scaled = normalise(both, places_in(scope), CONFIG)[:, scope[0]]
    assert scaled.tolist() == [[0, 0.25, 0.5], [0, 0.25, 1]]


def test_deviations_have_mean_0_and_spread_1():
    scaled = normalise(PAINT, places_in(ALL), replace(CONFIG, normalise="deviation"))
    assert scaled.mean() == pytest.approx(0, abs=1e-6) and scaled.std(correction=0) == pytest.approx(1)


@pytest.mark.parametrize("kind", ["range", "deviation"])
def test_a_flat_term_says_nothing(kind):
    assert not normalise(torch.full((1, 1, 2, 2), 3.0), places_in(ALL), replace(CONFIG, normalise=kind)).any()
    one = plane(1.0, 0.0, 0.0, 0.0) > 0
    assert not normalise(PAINT, places_in(one), replace(CONFIG, normalise=kind))[:, one[0]].any()


def test_terms_stay_apart_to_be_looked_at():
    phi = combine(PAINT, COLOUR, PROMPT, None, ALL, 1.0, replace(CONFIG, l_color=0.0))
    assert torch.equal(phi.paint, PAINT) and torch.equal(phi.color, COLOUR) and torch.equal(phi.prompt, PROMPT)
    assert phi.affinity is None and torch.equal(phi.scope, ALL)


@pytest.mark.parametrize("name", ["range", "deviation"])
@pytest.mark.parametrize("least", [1e-44, 1e-39, 1e-30])
def test_next_to_nothing_in_the_scope_makes_no_infinity_outside_it(name, least):
    term = torch.full((1, 1, 4, 4), 1e30)
    scope = torch.zeros(1, 1, 4, 4, dtype=torch.bool)
    scope[..., :2, :2] = True
    term[scope] = torch.tensor([0.0, least, 0.0, least])
    assert torch.isfinite(normalise(term, places_in(scope), preset("balanced", normalise=name))).all()
