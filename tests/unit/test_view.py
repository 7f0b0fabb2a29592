"""The part of a photo in view: there and back again, at any size."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from paintseg.ops.boxes import box_mask
from paintseg.ops.images import resize
from paintseg.ops.morphology import dilate, erode
from paintseg.views.view import fit_view

lengths = st.integers(1, 70)
multiples = st.sampled_from([1, 8, 32])


@st.composite
def views(draw, least=1):
    """A view of a random photo, around a random box of at least so many pixels a side, or of the whole photo."""
    height, width = (draw(st.integers(least, 70)) for _ in range(2))
    box = None
    if draw(st.booleans()):
        x0, y0 = draw(st.integers(0, width - least)), draw(st.integers(0, height - least))
        box = (x0, y0, draw(st.integers(x0 + least, width)), draw(st.integers(y0 + least, height)))
    side = draw(st.integers(1, 12)) * 8
    return fit_view((height, width), box, draw(st.floats(1, 3)), side, draw(multiples)), box


@settings(deadline=None)
@given(views())
def test_a_view_holds_the_box_and_fits_its_canvas(drawn):
    view, box = drawn
    (height, width), (x0, y0, x1, y1) = view.photo, view.box
    assert 0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height
    assert box is None or (x0 <= box[0] and y0 <= box[1] and box[2] <= x1 and box[3] <= y1)
    assert view.content[0] <= view.canvas[0] and view.content[1] <= view.canvas[1]
    assert view.inside().sum() == view.content[0] * view.content[1]


@settings(deadline=None)
@given(views())
def test_what_is_cut_out_is_put_back_in_its_place(drawn):
    view, _ = drawn
    x0, y0, x1, y1 = view.box
    canvas = view.crop(torch.full((1, 3, *view.photo), 0.25))
    assert canvas.shape == (1, 3, *view.canvas)
    pasted = view.paste(canvas, outside=9.0)
    inside = box_mask(view.box, view.photo)
    assert pasted.shape == (1, 3, *view.photo)
    assert torch.allclose(pasted[..., inside], torch.tensor(0.25))
    assert bool((pasted[..., ~inside] == 9).all())


@settings(deadline=None)
@given(views(least=4), st.data())
def test_masks_return_to_within_a_pixel_of_the_coarser_grid(drawn, data):
    view, _ = drawn
    x0, y0, x1, y1 = view.box
    corner = data.draw(st.tuples(st.integers(x0, x1 - 1), st.integers(y0, y1 - 1)))
    box = (*corner, data.draw(st.integers(corner[0] + 1, x1)), data.draw(st.integers(corner[1] + 1, y1)))
    mask = box_mask(box, view.photo)[None, None]
    back = view.paste((view.crop_mask(mask) > 0.5).float()) > 0.5
    near = 1 + math.ceil(max(1 / scale for scale in view.scale))
    assert not (back & ~dilate(mask, near)).any()
    assert not (erode(mask, near) & ~back & box_mask(view.box, view.photo)).any()


@pytest.mark.parametrize("size", [(64, 48), (63, 47), (40, 64), (1, 64)])
def test_a_view_at_the_photos_own_scale_loses_nothing(size):
    photo = torch.rand(1, 3, *size)
    view = fit_view(size, None, 0, max(size), 32)
    canvas = view.crop(photo)
    assert torch.equal(canvas[..., : size[0], : size[1]], photo)
    assert torch.equal(view.paste(canvas), photo)
    assert torch.equal(canvas[..., -1, :], canvas[..., size[0] - 1, :])  # edges repeat in the padding


def test_nothing_of_a_mask_is_in_the_padding():
    view = fit_view((40, 64), None, 0, 64, 64)
    assert torch.equal(view.crop_mask(torch.ones(1, 1, 40, 64)) > 0.5, view.inside())


def test_the_view_is_so_many_boxes_wide_and_ends_at_the_photo():
    assert fit_view((300, 400), (100, 100, 200, 140), 1.5, 96, 8).box == (75, 45, 225, 195)
    assert fit_view((300, 400), (0, 100, 101, 140), 2, 96, 8).box == (0, 19, 152, 221)


def test_the_longer_side_gets_the_size_asked_for():
    view = fit_view((300, 400), None, 0, 96, 32)
    assert (view.content, view.canvas) == ((72, 96), (96, 96))
    assert fit_view((1, 10000), None, 0, 96, 32).content == (1, 96)


@settings(deadline=None)
@given(st.integers(2, 30), st.integers(2, 30), st.data())
def test_a_point_falls_on_the_pixel_it_names(height, width, data):
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    photo = torch.zeros(1, 1, height, width)
    photo[..., y, x] = 1
    view = fit_view((height, width), None, 0, 5 * max(height, width), 1)
    u, v = view.to_canvas((x + 0.5, y + 0.5))
    shown = view.crop(photo)
    assert shown[0, 0, int(v), int(u)] == shown.max()


@settings(deadline=None)
@given(lengths, lengths, lengths, lengths)
def test_resized_images_keep_their_range_and_flat_ones_their_colour(height, width, new_height, new_width):
    noise = resize(torch.rand(1, 3, height, width).round(), (new_height, new_width))
    assert noise.shape == (1, 3, new_height, new_width) and noise.min() >= 0 and noise.max() <= 1
    assert torch.allclose(resize(torch.full((1, 1, height, width), 0.7), (new_height, new_width)), torch.tensor(0.7))


def test_evidence_keeps_its_sign_when_resized():
    assert resize(torch.full((1, 1, 4, 4), -3.0), (8, 8), clamp=False).max() == pytest.approx(-3)


@pytest.mark.parametrize("box", [(0, 0, 64, 48), (12, 10, 50, 30), (30, 5, 34, 48), (0, 0, 4, 4), (60, 40, 64, 48)])
def test_a_box_cropped_is_its_mask_cropped(box):
    view = fit_view((48, 64), (10, 8, 40, 36), 1.2, 40, 16)
    assert torch.equal(view.crop_box(box), view.crop_mask(box_mask(box, (48, 64))[None, None]))
