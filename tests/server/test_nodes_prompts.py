"""Every way of pointing at an object, from the nodes it comes from, through ComfyUI's HTTP interface."""

import json

import numpy as np
import pytest
from harness import comfyui
from harness.paths import PHOTO
from PIL import Image, ImageDraw

WIDTH, HEIGHT = Image.open(PHOTO).size
RECTANGLE = (100, 50, 200, 180)  # x0, y0, x1, y1, end-exclusive
DRAWN = {"x": 100, "y": 50, "width": 100, "height": 130}
FILLED = np.zeros((HEIGHT, WIDTH), bool)
FILLED[50:180, 100:200] = True


@pytest.fixture
def asked(client, graph, shown):
    """Runs PromptToMask on the bundled photo; the start regions as bool arrays, or the error's sentence."""

    def ask(kind, **inputs):
        photo = graph.add("LoadImage", image=PHOTO.name)
        prompt = graph.add("PaintSeg_PromptToMask", image=[photo, 0], kind=kind, **inputs)
        preview = graph.mask_preview(prompt, 1)
        run = client.run(graph)
        if run.status == "error":
            return run.error["exception_message"].strip()
        return [region[..., 0] > 127 for region in shown(run, preview)]

    return ask


@pytest.fixture
def painted(client, graph, tmp_path):
    """A mask as the mask editor leaves it: transparent in a picture of that size, read by LoadImage."""

    def paint(rectangle, size=(WIDTH, HEIGHT)):
        picture = Image.new("RGBA", size, (90, 90, 90, 255))
        if rectangle:
            x0, y0, x1, y1 = rectangle
            ImageDraw.Draw(picture).rectangle((x0, y0, x1 - 1, y1 - 1), fill=(90, 90, 90, 0))
        file = tmp_path / f"painted-{len(graph)}.png"
        picture.save(file)
        return [graph.add("LoadImage", image=client.upload(file)), 1]

    return paint


def test_drawn_box_is_the_region(asked):
    np.testing.assert_array_equal(asked("box", box=DRAWN), [FILLED])


def test_box_of_another_node_replaces_the_drawn_one(asked, graph):
    wired = graph.add("PrimitiveBoundingBox", **DRAWN)
    np.testing.assert_array_equal(asked("box", box=DRAWN | {"x": 0}, boxes=[wired, 0]), [FILLED])


def test_each_box_drawn_in_create_bounding_boxes_is_a_prompt(asked, schemas, graph):
    if "CreateBoundingBoxes" not in schemas:
        pytest.skip(f"ComfyUI {comfyui.VERSION} has no CreateBoundingBoxes")
    boxes = [DRAWN, DRAWN | {"x": 300}]
    wired = graph.add(
        "CreateBoundingBoxes",
        bboxes=json.dumps(boxes),
        width=WIDTH,
        height=HEIGHT,
        editor_state={"__value__": []},
    )
    first, second = asked("box", boxes=[wired, 1])
    np.testing.assert_array_equal(first, FILLED)
    np.testing.assert_array_equal(second, np.roll(FILLED, 200, axis=1))


def test_boxes_may_be_text(asked):
    np.testing.assert_array_equal(asked("box", boxes=json.dumps([list(RECTANGLE)])), [FILLED])


@pytest.mark.parametrize(
    "inputs",
    [
        {"kind.x": 40, "kind.y": 60},
        {"kind.x": -1, "kind.y": -1, "box": DRAWN},
        {"kind.x": -1, "kind.y": -1, "points": '[{"x": 40, "y": 60}, {"x": 50, "y": 70}]'},
        {"kind.x": 40, "kind.y": 60, "negative_points": '[{"x": 300, "y": 60}]'},
    ],
)
def test_points_start_from_the_whole_photo(asked, inputs):
    (region,) = asked("point", **inputs)
    assert region.all()


def test_painted_dots_are_points(asked, painted):
    (region,) = asked("point", **{"kind.x": -1, "kind.y": -1, "kind.dots": painted((100, 50, 110, 60))})
    assert region.all()


def test_no_painted_dot_is_refused(asked, graph):
    nothing = graph.add("LoadImage", image=PHOTO.name)
    assert "no dot is painted" in asked("point", **{"kind.x": -1, "kind.y": -1, "kind.dots": [nothing, 1]})


def test_scribble_of_the_mask_editor_is_a_prompt(asked, painted):
    (region,) = asked("scribble", **{"kind.scribble": painted(RECTANGLE)})
    assert region.all()


def test_rough_mask_is_the_region(asked, painted):
    np.testing.assert_array_equal(asked("mask", **{"kind.mask": painted(RECTANGLE)}), [FILLED])


def test_rough_mask_of_another_size_is_scaled(asked, painted):
    small = painted((100 // 2, 50 // 2, 200 // 2, 180 // 2), (WIDTH // 2, HEIGHT // 2))
    (region,) = asked("mask", **{"kind.mask": small})
    assert (region ^ FILLED).sum() <= 0.02 * FILLED.sum()


def test_empty_mask_of_load_image_is_no_negative_scribble(asked, graph):
    nothing = graph.add("LoadImage", image=PHOTO.name)
    np.testing.assert_array_equal(asked("box", box=DRAWN, negative_scribble=[nothing, 1]), [FILLED])


@pytest.mark.parametrize(
    ("kind", "inputs", "words"),
    [
        ("box", {}, "the box is missing: draw one around the object"),
        ("box", {"box": DRAWN | {"x": 5000}}, "must cover at least one pixel of the image"),
        ("box", {"boxes": "[[1, 2]]"}, "the boxes must be like"),
        ("point", {"kind.x": 5000, "kind.y": 5}, "lies outside the image"),
        ("point", {"kind.x": 5, "kind.y": 5, "points": "here"}, "the points must be JSON like"),
        ("box", {"box": DRAWN, "negative_points": "[[0, 9999]]"}, "of the negative points lies outside"),
    ],
)
def test_what_cannot_be_used_is_named_in_one_sentence(asked, kind, inputs, words):
    sentence = asked(kind, **inputs)
    assert words in sentence
    assert "\n" not in sentence


def test_nothing_scribbled_is_refused(asked, graph):
    nothing = graph.add("LoadImage", image=PHOTO.name)
    assert "the scribble is empty" in asked("scribble", **{"kind.scribble": [nothing, 1]})


@pytest.fixture
def noted(client, graph):
    """Runs PromptToMask on so many copies of the bundled photo; what the node says of it, in words."""

    def run(kind, count=1, **inputs):
        photo = graph.add("LoadImage", image=PHOTO.name)
        images = graph.add("RepeatImageBatch", image=[photo, 0], amount=count)
        prompt = graph.add("PaintSeg_PromptToMask", image=[images, 0], kind=kind, **inputs)
        done = client.run(graph)
        assert done.status == "success", done.error
        return done.outputs[prompt].get("text", [])

    return run


def test_a_box_that_fits_needs_no_word(noted):
    assert noted("box", box=DRAWN) == []


def test_a_box_that_reaches_beyond_is_cut_off_and_the_node_says_so(noted):
    (said,) = noted("box", box={"x": WIDTH - 50, "y": 0, "width": 200, "height": HEIGHT})
    corners = f"({WIDTH - 50}, 0, {WIDTH + 150}, {HEIGHT})"
    assert said == f"the box {corners} reaches beyond the image of {WIDTH} x {HEIGHT}: only the 25% inside counts"


def test_boxes_of_another_node_that_reach_beyond_are_each_named(noted):
    said = noted("box", boxes=json.dumps([[0, 0, 50, 50], [-50, 0, 50, 50], [0, HEIGHT - 10, 50, HEIGHT + 10]]))
    assert len(said) == 2
    assert "(-50, 0, 50, 50)" in said[0]
    assert f"(0, {HEIGHT - 10}, 50, {HEIGHT + 10})" in said[1]


@pytest.mark.parametrize(("kind", "inputs"), [("box", {"box": DRAWN}), ("point", {"kind.x": 40, "kind.y": 60})])
def test_one_prompt_for_three_images_is_said_to_count_for_all(noted, kind, inputs):
    (said,) = noted(kind, 3, **inputs)
    assert said.startswith(f"one {kind} counts for all 3 images, at the same place in each: ")


def test_a_box_per_image_needs_no_word(noted):
    assert noted("box", 2, boxes=json.dumps([[[0, 0, 50, 50]], [[60, 60, 90, 90]]])) == []


def test_the_middle_of_a_box_half_outside_is_in_the_image(asked):
    (region,) = asked("point", **{"kind.x": -1, "kind.y": -1, "box": DRAWN | {"x": WIDTH - 20, "width": 400}})
    assert region.all()


def test_an_error_begins_with_its_kind_and_no_path(client, graph):
    photo = graph.add("LoadImage", image=PHOTO.name)
    graph.add("PaintSeg_PromptToMask", image=[photo, 0], kind="box", box=DRAWN | {"x": 5000})
    run = client.run(graph)
    assert run.error["exception_type"] == "InputError"
