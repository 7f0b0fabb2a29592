"""Pictures: what is drawn where, and what stays as it was."""

import pytest
import torch

from paintseg.io.formats import from_image, to_image
from paintseg.prompts import Prompt, box_prompt, point_prompt, scribble_prompt
from paintseg.visualize import (
    NOT_OBJECT,
    OBJECT,
    draw_prompt,
    heat_map,
    letterbox,
    overlay,
    unit_range,
)

GREY = torch.full((3, 80, 120), 0.5)


def disc(height, width, radius):
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return (y - height // 2) ** 2 + (x - width // 2) ** 2 <= radius**2


def colour_at(image, x, y):
    return tuple(round(value, 2) for value in image[:, y, x].tolist())


def test_overlay_tints_the_object_and_dims_the_rest():
    mask = disc(80, 120, 20)
    drawn = overlay(GREY, mask)
    assert drawn[1][mask].min() > 0.5
    assert drawn[:, 0, 0].max() < 0.5


def test_overlay_outlines_the_object_from_outside():
    mask = torch.zeros(80, 120)
    mask[20:60, 40:80] = 1
    drawn = overlay(GREY, mask)
    assert colour_at(drawn, 39, 40) == OBJECT
    assert colour_at(drawn, 40, 40) != OBJECT


def test_overlay_of_nothing_only_dims():
    assert torch.allclose(overlay(GREY, torch.zeros(80, 120)), 0.45 * GREY)


def test_heat_grows_lighter_with_the_value():
    brightness = heat_map(torch.linspace(0, 1, 50)[None]).sum(0)[0]
    assert (brightness.diff() > 0).all()


def test_heat_is_grey_out_of_scope():
    scope = torch.zeros(4, 4, dtype=torch.bool)
    scope[0, 0] = True
    heat = heat_map(torch.ones(4, 4), scope)
    assert colour_at(heat, 1, 1) == (0.5, 0.5, 0.5)
    assert colour_at(heat, 0, 0) != (0.5, 0.5, 0.5)


def test_unit_range_spans_the_scope_and_no_more():
    values = torch.tensor([[-5.0, 1.0, 3.0, 2.0]])
    scope = torch.tensor([[False, True, True, True]])
    assert unit_range(values, scope).tolist() == [[0.0, 0.0, 1.0, 0.5]]


@pytest.mark.parametrize("scope", [torch.ones(3, 3, dtype=torch.bool), torch.zeros(3, 3, dtype=torch.bool)])
def test_unit_range_of_flat_values_is_zero(scope):
    assert not unit_range(torch.full((3, 3), 7.0), scope).any()


def test_box_is_drawn_along_its_last_pixels():
    drawn = draw_prompt(GREY, box_prompt((10, 20, 60, 70), (80, 120)))
    for x, y in ((10, 40), (59, 40), (30, 20), (30, 69)):
        assert colour_at(drawn, x, y) == OBJECT
    assert torch.equal(drawn[:, 72:], from_image(to_image(GREY))[:, 72:])


def test_points_are_green_on_the_object_and_red_off_it():
    drawn = draw_prompt(GREY, point_prompt([(30, 40)], (80, 120), [(90, 40)]))
    assert colour_at(drawn, 30, 40) == OBJECT
    assert colour_at(drawn, 90, 40) == NOT_OBJECT


def test_strokes_and_coarse_masks_are_drawn():
    stroke = torch.zeros(80, 120)
    stroke[10, 5:50] = 1
    assert colour_at(draw_prompt(GREY, scribble_prompt(stroke)), 20, 10) == OBJECT
    masked = draw_prompt(GREY, Prompt(size=(80, 120), mask=disc(80, 120, 20).float()))
    assert masked[1, 40, 60] > masked[1, 0, 0]


@pytest.mark.parametrize("size", [(50, 200), (201, 50), (80, 120), (10, 9)])
def test_letterbox_fits_any_shape_and_centres_it(size):
    boxed = letterbox(torch.ones(3, 80, 120), size)
    assert boxed.shape == (3, *size)
    middle = (boxed[0] > 0.9).nonzero().float().mean(0)
    assert torch.allclose(middle, (torch.tensor(size) - 1) / 2, atol=0.5)


def test_pictures_keep_every_byte():
    image = torch.randint(0, 256, (3, 5, 7)) / 255
    assert torch.equal(from_image(to_image(image)), image)


@pytest.mark.parametrize("least", [1e-44, 1e-39, 1e-30])
def test_values_next_to_nothing_span_the_unit_range_or_nothing(least):
    values = torch.tensor([[0.0, least], [1e30, float("inf")]])
    scope = torch.tensor([[True, True], [False, False]])
    spanned = unit_range(values, scope)
    assert spanned.tolist() in ([[0, 1], [0, 0]], [[0, 0], [0, 0]])
