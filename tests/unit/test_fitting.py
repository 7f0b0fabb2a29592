"""How a request is brought to a model's size."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from paintseg.painters.fitting import fill_smoothly, fit

from .painter_conformance import box_hole, photo


def test_a_request_that_fits_is_shown_as_it_is():
    image, hole = photo(64, 128), box_hole(64, 128)
    request = fit((64, 128), 64)
    assert torch.equal(request.show_image(image), image)
    assert torch.equal(request.show_hole(hole), hole)
    assert torch.equal(request.restore(image[None]), image[None])


@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    multiple=st.sampled_from([8, 32]),
    size=st.sampled_from([0, 40, 64]),
    square=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_every_request_gets_a_canvas_of_the_models_multiple(height, width, multiple, size, square):
    request = fit((height, width), multiple, size, square)
    shown = request.show_image(photo(height, width))
    assert shown.shape[1:] == request.canvas and all(side % multiple == 0 for side in request.canvas)
    assert request.restore(shown[None]).shape == (1, 3, height, width)
    assert not square or request.canvas[0] == request.canvas[1]


def test_the_photo_is_scaled_to_the_models_size_without_distortion():
    assert fit((100, 300), 64, 512).content == (171, 512)
    assert fit((100, 300), 64, 512).canvas == (192, 512)


@pytest.mark.parametrize("size", [16, 96])
def test_a_hole_of_one_pixel_is_never_lost(size):
    hole = torch.zeros(1, 48, 48)
    hole[0, 31, 17] = 1
    shown = fit((48, 48), 8, size).show_hole(hole)
    assert shown.sum() >= 1 and set(shown.unique().tolist()) == {0.0, 1.0}


def test_filling_keeps_what_is_known_to_the_bit():
    image, hole = photo(37, 50), box_hole(37, 50)
    filled = fill_smoothly(image, hole)
    assert torch.equal(filled[:, hole[0] == 0], image[:, hole[0] == 0])


def test_filling_forgets_what_was_in_the_hole():
    image, hole = photo(37, 50), box_hole(37, 50)
    other = torch.where(hole > 0.5, 1 - image, image)
    assert torch.equal(fill_smoothly(image, hole), fill_smoothly(other, hole))


def test_filling_a_plain_photo_leaves_no_trace():
    grey = torch.full((3, 33, 47), 0.3)
    assert torch.allclose(fill_smoothly(grey, box_hole(33, 47)), grey, atol=1e-6)


def test_filling_stays_between_what_is_around_and_follows_it():
    ramp = torch.linspace(0, 1, 64).expand(3, 64, 64)
    filled = fill_smoothly(ramp, box_hole(64, 64))[:, 32]
    assert (filled.diff(dim=1) > -0.02).all() and (filled - ramp[:, 32]).abs().max() < 0.15


def test_where_nothing_is_known_the_fill_is_mid_grey():
    assert torch.equal(fill_smoothly(photo(8, 9), torch.ones(1, 8, 9)), torch.full((3, 8, 9), 0.5))
