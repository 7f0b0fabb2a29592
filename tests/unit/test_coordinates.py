"""Boxes and points as detectors and point editors hand them over: taken, fitted with a note, or refused by name."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from paintseg.errors import InputError
from paintseg.io.inputs import parse_boxes, read_points
from paintseg.layers.compose import parse_placements
from paintseg.ops.coordinates import place_boxes, place_points, plain
from paintseg.prompts import Prompt, box_prompt, point_prompt

SIZE = (80, 120)
CORNERS = (10.0, 20.0, 110.0, 70.0)
OTHER = (1.0, 2.0, 30.0, 40.0)
DRAWN = {"x": 10, "y": 20, "width": 100, "height": 50}
NUMBERS = {
    "a list": list,
    "an array": np.asarray,
    "half precision": lambda box: np.asarray(box, np.float16),
    "whole numbers": lambda box: torch.tensor(box, dtype=torch.int64),
    "a tensor": torch.tensor,
    "with a gradient": lambda box: torch.tensor(box, dtype=torch.float32, requires_grad=True),
    "NumPy's numbers": lambda box: [np.float32(side) for side in box],
    "tensors of one number": lambda box: [torch.tensor(side) for side in box],
    "a dict": lambda box: dict(zip(("x0", "y0", "x1", "y1"), map(np.int32, box), strict=True)),
}


@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers_of_any_library_are_a_box_wherever_one_is_taken(kind):
    value = NUMBERS[kind]([10, 20, 110, 70])
    assert parse_boxes(value) == parse_boxes([value]) == parse_boxes([[value]]) == [[CORNERS]]
    assert box_prompt(value, SIZE).box == Prompt(SIZE, box=value).box == CORNERS
    assert box_prompt([value], SIZE).box == CORNERS


@pytest.mark.parametrize("make", [np.asarray, torch.tensor], ids=["array", "tensor"])
def test_arrays_of_boxes_are_one_image_s_and_arrays_of_those_several(make):
    both = make([CORNERS, OTHER])
    assert parse_boxes(both) == parse_boxes({"boxes": both, "scores": make([0.9, 0.4])}) == [[CORNERS, OTHER]]
    assert parse_boxes(make([[CORNERS], [OTHER]])) == parse_boxes([both[:1], both[1:]]) == [[CORNERS], [OTHER]]
    assert parse_boxes([{"boxes": both[:1]}, {"boxes": both[1:]}]) == [[CORNERS], [OTHER]]


@pytest.mark.parametrize(
    "box",
    [
        DRAWN,
        {key: np.float32(value) for key, value in DRAWN.items()},
        {"x": 10, "y": 20, "w": 100, "h": 50, "score": 1},
        {"x1": 10, "y1": 20, "x2": 110, "y2": 70},
        {"xmin": 10, "ymin": 20, "xmax": 110, "ymax": 70, "label": "dog"},
        {"startX": 10, "startY": 20, "endX": 110, "endY": 70},
        {"bbox": [10, 20, 110, 70], "label": 3},
    ],
    ids=lambda box: " ".join(map(str, box)),
)
def test_dicts_that_name_sides_or_corners_are_boxes(box):
    assert parse_boxes(box) == parse_boxes([box]) == parse_boxes([[box]]) == parse_boxes(str(plain(box))) == [[CORNERS]]
    if "bbox" not in box:
        assert box_prompt(box, SIZE).box == CORNERS


@pytest.mark.parametrize(
    "text",
    [
        "{'x': 10, 'y': 20, 'width': 100, 'height': 50}",
        "[(10, 20, 110, 70)]",
        "[{'x0': 10, 'y0': 20, 'x1': 110, 'y1': 70}]",
    ],
)
def test_boxes_may_be_written_in_python_s_notation_as_points_may(text):
    assert parse_boxes(text) == [[CORNERS]]


def test_placements_too():
    assert parse_placements("[{'layer': 0, 'dx': 5}]") == parse_placements('[{"layer": 0, "dx": 5}]')


def test_an_apostrophe_in_a_label_is_no_quotation_mark():
    assert read_points('[{"x": 1, "y": 2, "label": "the dog\'s"}]', "", SIZE)[0] == ((1.0, 2.0),)


def test_width_and_height_are_taken_when_they_are_announced():
    assert parse_boxes([[10, 20, 100, 50]], form="xywh") == [[CORNERS]]
    assert parse_boxes([DRAWN], form="xywh") == [[CORNERS]]
    with pytest.raises(InputError, match=r"the boxes must have x0 < x1 .* \(70, 20, 30, 50\); .* given as xywh"):
        parse_boxes([[70, 20, 30, 50]])


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (np.zeros((2, 5)), r"the boxes must be like .* x0, y0, x1, y1, not 5 numbers: \[0.0, 0.0, 0.0, 0.0, 0.0\]"),
        (torch.zeros(3), "the boxes must be like .* not 3 numbers"),
        ({"x": 1, "y": 2}, "the boxes must be like .* not {'x': 1, 'y': 2}"),
        ([{"box": [1, 2]}], r"the boxes must be like .* not 2 numbers: \[1, 2\]"),
        ("here", r"the boxes must be like .* not here"),
        ([[1, 2, 3, float("nan")]], "the boxes must be pixels of a photo, not"),
        (np.zeros((0, 4)), "the boxes hold no box"),
    ],
    ids=["scores", "three numbers", "no sides", "two numbers", "text", "NaN", "none"],
)
def test_what_is_no_box_is_refused_for_what_it_is(value, sentence):
    with pytest.raises(InputError, match=sentence):
        parse_boxes(value)


@pytest.mark.parametrize(
    "points",
    [
        [(3, 4), (5, 6)],
        np.array([[3, 4], [5, 6]]),
        torch.tensor([[3.0, 4], [5, 6]]),
        [{"x": np.int64(3), "y": 4}, {"x": 5, "y": 6}],
        (one for one in [(3, 4), (5, 6)]),
    ],
    ids=["tuples", "array", "tensor", "dicts", "generator"],
)
def test_points_of_any_library_are_points_of_a_prompt(points):
    assert point_prompt(points, SIZE).points == ((3.0, 4.0), (5.0, 6.0))


@pytest.mark.parametrize(
    "point",
    [(3, 4), np.array([3, 4]), torch.tensor([3, 4]), {"x": 3, "y": 4}],
    ids=["tuple", "array", "tensor", "dict"],
)
def test_one_point_needs_no_list(point):
    assert point_prompt(point, SIZE).points == ((3.0, 4.0),)


def test_points_between_0_and_1_are_shares_of_the_photo_and_that_is_said():
    points, negative, note = read_points('[{"x": 0.5, "y": 0.25}, {"x": 0, "y": 1}]', '[{"x": 1, "y": 0}]', SIZE)
    assert points == ((60.0, 20.0), (0.0, 79.5)) and negative == ((119.5, 0.0),)
    assert "shares of the photo's width and height" in note


def test_points_in_pixels_stay_as_they_are_and_nothing_is_said():
    assert read_points("[[0, 1], [0.5, 40]]", "[[1, 1]]", SIZE) == (((0.0, 1.0), (0.5, 40.0)), ((1.0, 1.0),), "")


def test_shares_of_one_input_do_not_make_pixels_of_the_other_shares():
    assert read_points("[[60, 20]]", "[[0.5, 0.5]]", SIZE)[:2] == (((60.0, 20.0),), ((60.0, 40.0),))


@pytest.mark.parametrize(
    ("point", "pixel"), [((120, 40), (119.5, 40)), ((5, 80), (5, 79.5)), ((120, 80), (119.5, 79.5))]
)
def test_a_point_on_the_edge_is_taken_to_the_last_pixel_and_that_is_said(point, pixel):
    placed, _, note = place_points([point], [], SIZE)
    assert placed == (pixel,) and "a point lies on the photo's far edge" in note
    assert Prompt(SIZE, points=placed).points == (pixel,)


@pytest.mark.parametrize("point", [(121, 40), (300, 40), (-1, 40), (5, 80.5)])
def test_a_point_outside_stays_there_and_is_refused(point):
    placed, _, note = place_points([point], [], SIZE)
    with pytest.raises(InputError, match="lies outside the image of 120 x 80"):
        Prompt(SIZE, points=placed)
    assert (placed, note) == ((point,), "")


@pytest.mark.parametrize("text", ['[{"x": 0, "y": 0}]', "{'x': 0, 'y': 0.0}"])
def test_the_corner_alone_means_that_nothing_was_found(text):
    found = read_points(text, text, SIZE)
    assert found[:2] == ((), ()) and found[2].count("nodes write that found nothing") == 2


def test_the_corner_among_others_or_as_numbers_is_a_point():
    assert read_points('[{"x": 0, "y": 0}, {"x": 5, "y": 5}]', "[[0, 0]]", SIZE) == (
        ((0.0, 0.0), (5.0, 5.0)),
        ((0.0, 0.0),),
        "",
    )


@pytest.mark.parametrize(
    "text",
    [
        '[{"x": 3, "y": 4, "label": 1}, {"x": 5, "y": 6, "label": 0}]',
        '[{"x": 3, "y": 4}, {"x": 5, "y": 6, "label": false}]',
        '{"points": [[3, 4], [5, 6]], "labels": [1, 0]}',
    ],
)
def test_label_0_is_what_is_not_the_object(text):
    assert read_points(text, '[{"x": 7, "y": 8, "label": 1}]', SIZE) == (((3.0, 4.0),), ((5.0, 6.0), (7.0, 8.0)), "")


def test_labels_that_are_not_the_points_are_refused():
    with pytest.raises(InputError, match="points must be JSON like"):
        read_points('{"points": [[3, 4]], "labels": [1, 0]}', "", SIZE)


def test_boxes_between_0_and_1_are_shares_of_the_photo_and_that_is_said():
    assert place_boxes([(0.25, 0.5, 1, 1)], SIZE)[0] == [(30.0, 40.0, 120.0, 80.0)]
    assert "shares" in place_boxes([(0.25, 0.5, 1, 1)], SIZE)[1]
    assert place_boxes([(0, 0, 1, 1)], SIZE) == ([(0, 0, 1, 1)], "")


@given(
    st.lists(st.tuples(st.floats(-500, 500), st.floats(-500, 500)), max_size=5),
    st.tuples(st.integers(1, 300), st.integers(1, 300)),
)
def test_a_placed_point_stays_where_it_is_or_comes_into_the_photo(points, size):
    placed, _, note = place_points(points, [], size)
    height, width = size
    for before, after in zip(points, placed, strict=True):
        assert before == after or 0 <= after[0] <= width and 0 <= after[1] <= height or note
    assert note or placed == tuple(points)
