"""The one JSON of clicks: what is taken as meant, and what is refused in a sentence."""

import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from paintseg.errors import InputError
from paintseg.io.clicks import MOST_POINTS, Clicks, Stroke, draw_strokes, read_clicks

SIZE = (80, 120)
WHOLE = {
    "version": 1,
    "size": [120, 80],
    "points": [{"x": 12.5, "y": 40, "label": 1}, {"x": 3, "y": 4, "label": 0}, {"x": 1, "y": 2}],
    "strokes": [{"label": 0, "width": 6, "points": [[10, 20], [30, 25]]}],
    "box": [5, 6, 70, 60],
    "candidate": 2,
}
READ = Clicks(
    points=((12.5, 40.0), (1.0, 2.0)),
    negative_points=((3.0, 4.0),),
    negative_strokes=(Stroke(((10.0, 20.0), (30.0, 25.0)), 6.0),),
    box=(5.0, 6.0, 70.0, 60.0),
    candidate=2,
    order=(True, False, True),
)


@pytest.mark.parametrize(
    "value", [WHOLE, json.dumps(WHOLE), json.dumps(WHOLE, indent=4)], ids=["dict", "text", "lines"]
)
def test_text_and_dicts_say_the_same(value):
    assert read_clicks(value, SIZE) == READ


@pytest.mark.parametrize("value", ["", "  ", None, {}, "{}", {"points": None, "box": None}])
def test_nothing_says_nothing(value):
    clicks = read_clicks(value, SIZE)
    assert clicks == Clicks() and not clicks.on_object


def test_clicks_on_a_smaller_picture_of_the_photo_are_scaled():
    small = {"size": [60, 40], "points": [{"x": 6, "y": 20}, {"x": 60, "y": 40}], "box": [1, 2, 30, 40]}
    small["strokes"] = [{"width": 3, "points": [[5, 6]]}]
    clicks = read_clicks(small, SIZE)
    assert clicks.points == ((12.0, 40.0), (119.5, 79.5))
    assert clicks.box == (2.0, 4.0, 60.0, 80.0)
    assert clicks.strokes == (Stroke(((10.0, 12.0),), 6.0),)


def test_a_size_rounded_by_a_pixel_is_still_the_same_photo():
    assert read_clicks({"size": [61, 40], "points": [{"x": 30.5, "y": 20}]}, SIZE).points == ((60.0, 40.0),)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("[{", "the clicks must be JSON, not"),
        ("[1, 2]", "the clicks must be like"),
        (7, "the clicks must be like"),
        ({"point": []}, "the clicks know no 'point'; they have box, candidate, photo, points, size, strokes, version"),
        ({"version": 2}, "the clicks are of version 2; this PaintSeg reads version 1"),
        ({"size": [40, 80]}, "made on a picture of 40 x 80, which is no picture of this photo of 120 x 80"),
        ({"size": [0, 0]}, "the clicks' size must be .width, height. in pixels"),
        ({"size": "big"}, "the clicks' size must be"),
        ({"points": {"x": 1, "y": 2}}, "the clicks' points must be a list"),
        ({"points": [[1, 2]]}, "the clicks' points must be like"),
        ({"points": [{"x": 1}]}, "the clicks' points must be like"),
        ({"points": [{"x": float("nan"), "y": 1}]}, "the clicks' points must be pixels of a photo"),
        ({"points": [{"x": 1, "y": 2, "label": 2}]}, "must have the label 1 .object. or 0"),
        ({"points": [{"x": 1, "y": 2, "label": True}]}, "must have the label 1"),
        ({"strokes": [{"points": []}]}, "a stroke of the clicks must have points like"),
        ({"strokes": [{"points": [[1, 2]], "width": 0}]}, "a stroke of the clicks must have a width above 0"),
        ({"strokes": ["no"]}, "must have the label 1"),
        ({"box": [1, 2, 3]}, "the clicks' box must be like"),
        ({"candidate": 3}, "the clicks' candidate must be 0, 1 or 2, not 3"),
        ({"candidate": True}, "the clicks' candidate must be"),
        ({"points": [{"x": 1, "y": 2}] * (MOST_POINTS + 1)}, f"{MOST_POINTS} at most"),
    ],
)
def test_what_means_nothing_is_refused_in_a_sentence(value, sentence):
    with pytest.raises(InputError, match=sentence):
        read_clicks(value, SIZE)


def test_a_stroke_covers_a_band_with_round_ends():
    drawn = draw_strokes((Stroke(((20.0, 40.0), (60.0, 40.0)), 9.0),), SIZE)
    rows, columns = drawn.nonzero().T
    assert 8 <= rows.max() - rows.min() <= 10 and abs(float(rows.float().mean()) + 0.5 - 40) <= 0.5
    assert 47 <= columns.max() - columns.min() <= 51
    assert not drawn[36, 16] and drawn[36, 30]  # a corner of the band's box, and its upper edge


def test_the_thinnest_stroke_is_a_line_that_hangs_together():
    drawn = draw_strokes((Stroke(((3.2, 3.7), (50.1, 60.9)), 0.1),), SIZE)
    from scipy import ndimage

    assert ndimage.label(drawn.numpy(), torch.ones(3, 3).numpy())[1] == 1
    assert drawn[3, 3] and drawn[60, 50]


def test_a_stroke_outside_the_photo_is_refused_and_one_that_leaves_it_is_cut():
    with pytest.raises(InputError, match="the strokes lie outside the image of 120 x 80"):
        draw_strokes((Stroke(((-50.0, -50.0), (-20.0, -20.0)), 4.0),), SIZE)
    assert draw_strokes((Stroke(((-50.0, 40.0), (20.0, 40.0)), 4.0),), SIZE).any()


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["x", "y", "label", "points", "width", "strokes", "box", "size"]), inner)
    ),
    max_leaves=20,
)


@given(JSONS)
def test_anything_is_read_or_refused(value):
    for form in (value, json.dumps(value)):
        try:
            clicks = read_clicks(form, SIZE)
        except InputError as problem:
            assert str(problem)
        else:
            assert isinstance(clicks, Clicks)
