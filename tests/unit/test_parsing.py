"""Points, boxes, images and masks as people and other programs write them."""

import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from paintseg.errors import InputError
from paintseg.io.inputs import as_masks, as_photos, fit_strokes, pair_up, parse_boxes, read_points
from paintseg.ops.coordinates import from_text, points_of
from paintseg.ops.images import resize_mask

NUMBERS = st.floats(-1e4, 1e4, allow_nan=False)
DRAWN = {"x": 10, "y": 20, "width": 100, "height": 50}
CORNERS = (10.0, 20.0, 110.0, 70.0)


@given(st.lists(st.tuples(NUMBERS, NUMBERS)))
def test_points_come_back_as_editors_write_them(points):
    assert points_of(from_text(json.dumps([{"x": x, "y": y} for x, y in points]))) == (tuple(points), ())


@pytest.mark.parametrize(
    "text", ['[{"x": 3, "y": 4}]', "[{'x': 3, 'y': 4}]", "[[3, 4]]", "[3, 4]", '{"x": 3, "y": 4, "id": 7}']
)
def test_one_point_may_be_written_in_many_ways(text):
    assert read_points(text, "", (100, 200)) == (((3.0, 4.0),), (), "")


@pytest.mark.parametrize("text", ["", "  ", "[]"])
def test_no_points_are_no_error(text):
    assert read_points(text, text, (100, 200)) == ((), (), "")


@pytest.mark.parametrize("text", ["here", '[{"x": 1}]', "[1]", '["a", "b"]', "7", '[{"x": true, "y": 1}]'])
def test_points_that_are_none_are_refused_by_their_name(text):
    with pytest.raises(InputError, match="negative points must be JSON like"):
        read_points("", text, (100, 200))


@pytest.mark.parametrize(
    "value",
    [DRAWN, [DRAWN], [[DRAWN]], [10, 20, 110, 70], [[10, 20, 110, 70]], (10, 20, 110, 70), json.dumps(DRAWN)],
)
def test_one_box_may_come_in_many_shapes(value):
    assert parse_boxes(value) == [[CORNERS]]


def test_a_list_of_boxes_is_for_one_image_and_a_list_of_lists_for_several():
    assert [len(boxes) for boxes in parse_boxes([DRAWN, DRAWN])] == [2]
    assert [len(boxes) for boxes in parse_boxes([[DRAWN], [DRAWN, DRAWN]])] == [1, 2]


@pytest.mark.parametrize("value", [None, [], [[]], "[]"])
def test_no_box_at_all_asks_for_one(value):
    with pytest.raises(InputError, match="draw one"):
        parse_boxes(value)


@pytest.mark.parametrize("value", [{"x": 1}, 5, "box", [1, 2, 3], [["a"]]])
def test_boxes_that_are_none_are_refused(value):
    with pytest.raises(InputError, match="boxes must be like"):
        parse_boxes(value)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_images_of_any_channels_become_rgb_without_alpha(channels):
    image = torch.rand(2, 5, 7, channels, dtype=torch.float16)
    photos = as_photos(image)
    assert (photos.shape, photos.dtype) == ((2, 3, 5, 7), torch.float32)
    last = 2 if channels >= 3 else 0
    assert torch.equal(photos[:, 2], image[..., last].float())


def test_what_is_no_image_is_refused():
    with pytest.raises(InputError, match="one to four channels"):
        as_photos(torch.rand(2, 5, 7))


@pytest.mark.parametrize("shape", [(5, 7), (1, 5, 7), (1, 1, 5, 7)])
def test_masks_of_any_rank_become_a_batch(shape):
    assert as_masks(torch.ones(shape)).shape == (1, 5, 7)


def test_a_thin_line_survives_shrinking():
    strokes = torch.zeros(300, 400)
    strokes[:, 123] = 1
    assert fit_strokes(strokes, (30, 40)).any(1).all()


def test_strokes_grow_without_spreading():
    strokes = torch.eye(4)
    assert torch.equal(fit_strokes(strokes, (8, 8)), torch.eye(4).repeat_interleave(2, 0).repeat_interleave(2, 1) > 0)


def test_a_mask_of_another_size_keeps_its_place():
    mask = torch.zeros(10, 10)
    mask[:, :5] = 1
    fitted = resize_mask(mask, (40, 60))
    assert fitted[:, :25].min() == 1
    assert fitted[:, 35:].max() == 0


def test_one_of_either_goes_with_all_of_the_other():
    assert pair_up([1], "abc", ("images", "masks")) == [(1, "a"), (1, "b"), (1, "c")]
    assert pair_up([1, 2], "z", ("images", "masks")) == [(1, "z"), (2, "z")]
    assert pair_up([1, 2], "yz", ("images", "masks")) == [(1, "y"), (2, "z")]


def test_numbers_that_do_not_match_are_named():
    with pytest.raises(InputError, match="2 images and 3 masks"):
        pair_up([1, 2], "abc", ("images", "masks"))
