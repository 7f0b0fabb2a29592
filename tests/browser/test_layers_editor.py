"""A person moves layers on the picture on PaintSeg Reassemble, in both styles of nodes and both front ends."""

import io
import json

import numpy as np
import pytest
from harness.click_editor import PATIENCE
from harness.layers_editor import KIND, LayersEditor, workflow
from harness.paths import HUMAN_MASK, ROOT
from PIL import Image

from .clicking import ARTEFACTS, STEPS, complaints, fingers
from .desks import reload

ROCKET = np.array(Image.open(HUMAN_MASK).convert("L")) > 127
ROWS, COLUMNS = np.nonzero(ROCKET)
LEFT, TOP, RIGHT, BOTTOM = COLUMNS.min(), ROWS.min(), COLUMNS.max() + 1, ROWS.max() + 1
MIDDLE = (LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2
ON_IT = (416, 150)
ON_SQUARE = (120, 425)


def opened(desk, flow, run=True):
    """The editor of a workflow's only PaintSeg Reassemble; after a run, with its layers."""
    desk.complaints.clear()
    desk.load(flow)
    desk.page.wait_for_timeout(300)
    desk.show_all()
    editor = LayersEditor(desk)
    if run:
        assert desk.run(PATIENCE) == "execution_success"
        desk.show_all()
        editor.ready()
    return editor


def result(desk, client, title="Preview Image"):
    """What the workflow's preview of that title shows, H x W x 3."""
    (node,) = [one["id"] for one in desk.nodes("PreviewImage") if one["title"] == title]
    shown = desk.page.evaluate(f"app.nodeOutputs[{node}].images[0]")
    return np.array(Image.open(io.BytesIO(client.download(shown))).convert("RGB")).astype(int)


def photograph(desk, name):
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    desk.page.screenshot(path=ARTEFACTS / f"layers-{name}-{desk.style}.png")


def run_again(desk):
    assert desk.run(PATIENCE) == "execution_success"
    desk.settle()


@pytest.mark.everywhere
def test_a_layer_is_dragged_scaled_and_turned_and_the_run_puts_it_there(desk, client, masks):
    editor = opened(desk, workflow(masks[0]), run=False)
    editor.wait_for(lambda: "Run once" in editor.root.locator(".notice").inner_text())
    photograph(desk, "before")
    assert desk.run(PATIENCE) == "execution_success"
    editor.ready()
    photo = result(desk, client)
    editor.drag(ON_IT, (ON_IT[0] - 150, ON_IT[1] + 100))
    (placed,) = editor.placements
    assert placed == {"layer": 0, "dx": pytest.approx(-150, abs=2), "dy": pytest.approx(100, abs=2)}
    dx, dy = placed["dx"], placed["dy"]
    photograph(desk, "moved")
    on_node = editor.colour((ON_IT[0] + dx, ON_IT[1] + dy))
    run_again(desk)
    moved = result(desk, client)
    inner = np.zeros_like(ROCKET)
    inner[TOP + 20 : BOTTOM - 120, LEFT + 40 : RIGHT - 40] = ROCKET[TOP + 20 : BOTTOM - 120, LEFT + 40 : RIGHT - 40]
    there = np.roll(inner, (dy, dx), (0, 1))
    np.testing.assert_array_equal(moved[there], photo[inner])
    assert np.abs(np.array(on_node) - moved[ON_IT[1] + dy, ON_IT[0] + dx]).max() <= 60
    assert complaints(desk) == []


def test_corners_scale_the_knob_turns_and_every_step_can_be_undone(desk, client, masks):
    editor = opened(desk, workflow(masks[0]))
    editor.click(ON_IT)
    assert editor.text == "" and "Layer 0: where it was" in editor.said
    corner = RIGHT, BOTTOM
    half = (corner[0] - MIDDLE[0]) / 2, (corner[1] - MIDDLE[1]) / 2
    editor.drag(corner, (corner[0] - half[0], corner[1] - half[1]))
    assert editor.placements == [{"layer": 0, "scale": pytest.approx(0.5, abs=0.02)}]
    height = (BOTTOM - TOP) * editor.placements[0]["scale"]
    knob = editor.above_by_knob((MIDDLE[0], MIDDLE[1] - height / 2))
    editor.drag(knob, (MIDDLE[0] - 140, MIDDLE[1]))  # a quarter, counter-clockwise
    assert editor.placements[0]["rotation"] == pytest.approx(90, abs=2)
    photograph(desk, "turned")
    editor.button("Mirror").click()
    assert editor.placements[0]["flip"] is True
    for _ in range(3):
        editor.button("Undo").click()
    assert editor.text == "" and not editor.button("Undo").is_enabled()
    for _ in range(2):
        editor.button("Redo").click()
    assert set(editor.placements[0]) == {"layer", "scale", "rotation"}
    editor.button("Put it back").click()
    assert editor.text == ""
    desk.page.keyboard.press("Control+z")
    editor.wait_for(lambda: editor.text != "" and "turned" in editor.said)
    assert desk.page.evaluate("document.querySelectorAll('.paintseg-layers').length") == 1
    assert complaints(desk) == []


def test_everything_by_keyboard_and_wheel(desk, client, masks):
    editor = opened(desk, workflow(*masks))
    editor.press("n", "ArrowRight", "Shift+ArrowDown", "Shift+ArrowDown", "+", "]", "m")
    step = round(0.02 * 512)
    moved = {"layer": 0, "dx": step, "dy": 2, "scale": 1.05, "rotation": -5, "flip": True}
    assert editor.placements == [moved]
    editor.press("n", "ArrowLeft", "f")
    assert editor.placements == [moved, {"layer": 1, "dx": -step, "order": -1}]
    editor.press("Delete")
    assert editor.placements == [moved]
    assert len(desk.nodes(KIND)) == 1
    editor.press("Shift+N", "[", "-")
    assert editor.placements == [{"layer": 0, "dx": step, "dy": 2, "flip": True}]
    editor.press("Shift+Delete")
    assert editor.text == ""
    editor.press("u")
    assert editor.placements[0]["dx"] == step
    editor.press("Shift+Delete", "?")
    assert editor.root.get_by_text("put one layer back").is_visible()
    editor.press("Escape")
    scale = desk.page.evaluate("app.canvas.ds.scale")
    desk.page.mouse.move(*editor.at(ON_IT))
    desk.page.keyboard.down("Alt")
    desk.page.mouse.wheel(0, -200)
    desk.page.keyboard.up("Alt")
    editor.wait_for(lambda: editor.text != "")
    assert editor.placements == [{"layer": 0, "scale": pytest.approx(np.exp(0.4), abs=0.01)}]
    desk.page.keyboard.down("Shift")
    desk.page.mouse.wheel(0, -200)
    desk.page.keyboard.up("Shift")
    editor.wait_for(lambda: "rotation" in editor.placements[0])
    assert desk.page.evaluate("app.canvas.ds.scale") == scale
    names = [one.get_attribute("aria-label") for one in editor.root.locator("button").all()]
    assert all(names) and editor.stage.get_attribute("aria-label").startswith("Picture whose layers")
    assert complaints(desk) == []


GREY = f"app.graph._nodes.find(one => one.type === '{KIND}').widgets.map(one => [one.name, Boolean(one.disabled)])"


def greyed(desk):
    return {name for name, grey in desk.page.evaluate(GREY) if grey}


def test_numbers_and_json_are_other_ways_in_and_what_does_not_count_is_grey(desk, client, masks):
    numbers = [0, -150, 100, 1, 0, False, 1, 0]
    editor = opened(desk, workflow(*masks, numbers=numbers))
    assert greyed(desk) == set() and "count" not in editor.root.inner_text()
    editor.click((ON_IT[0] - 150, ON_IT[1] + 100))  # the numbers have moved it there
    assert "150 left, 100 down" in editor.said
    editor.drag(ON_SQUARE, (ON_SQUARE[0], ON_SQUARE[1] - 80))
    assert editor.placements == [
        {"layer": 0, "dx": -150, "dy": 100},
        {"layer": 1, "dy": pytest.approx(-80, abs=2)},
    ]
    assert greyed(desk) == {"layer", "dx", "dy", "scale", "rotation", "flip", "opacity", "shadow"}
    assert "These placements count, not the numbers above." in editor.root.inner_text()
    photograph(desk, "numbers")
    editor.button("Put all layers back").click()
    assert editor.text == "" and greyed(desk) == set()
    desk.set_widget(KIND, "placements", '[{"layer": 1, "x": 400, "y": 60}]')
    editor.wait_for(lambda: bool(greyed(desk)))
    editor.drag((400, 60), (300, 160))
    assert editor.placements == [{"layer": 1, "x": pytest.approx(300, abs=2), "y": pytest.approx(160, abs=2)}]
    desk.set_widget(KIND, "placements", "[{")
    editor.wait_for(lambda: "no JSON" in editor.root.locator(".notice").inner_text())
    editor.drag(ON_IT, (100, 100))
    assert editor.text == "[{"


def test_the_value_survives_saving_copying_and_reloading(desk, client, masks):
    editor = opened(desk, workflow(masks[0]))
    editor.drag(ON_IT, (ON_IT[0] - 100, ON_IT[1]))
    text = editor.text
    saved = desk.page.evaluate("JSON.parse(JSON.stringify(app.rootGraph.serialize()))")
    (node,) = [one for one in saved["nodes"] if one["type"] == KIND]
    assert node["widgets_values"] == [0, 0, 0, 1, 0, False, 1, 0, text]
    (asked,) = [one for one in desk.prompt().values() if one["class_type"] == KIND]
    assert asked["inputs"]["placements"] == text and "picture" not in asked["inputs"]
    desk.page.evaluate("kind => app.canvas.selectNode(app.graph._nodes.find(one => one.type === kind))", KIND)
    desk.page.evaluate("app.canvas.copyToClipboard()")
    desk.page.evaluate("app.canvas.pasteFromClipboard()")
    assert [one["widgets"]["placements"] for one in desk.nodes(KIND)] == [text, text]
    desk.load(saved)
    assert editor.text == text
    desk.page.wait_for_timeout(2000)  # ComfyUI keeps a draft of the workflow
    reload(desk)
    desk.page.wait_for_function(f"app.graph._nodes.some(one => one.type === '{KIND}')")
    assert editor.text == text
    editor.wait_for(lambda: "Run once" in editor.root.locator(".notice").inner_text())


def test_a_placement_never_moves_another_layer_that_took_its_number(desk, client, masks):
    editor = opened(desk, workflow(masks[0]))
    resting = result(desk, client)
    editor.drag(ON_IT, (ON_IT[0] - 100, ON_IT[1]))
    desk.set_widget("LoadImageMask", "image", masks[1])
    run_again(desk)
    editor.wait_for(lambda: editor.text == "" and "Other layers have come" in editor.said)
    np.testing.assert_array_equal(result(desk, client), resting)
    assert greyed(desk) == set()


def test_the_app_shows_the_editor_and_a_layer_is_dragged_there(desk, client, masks):
    flow = workflow(masks[0])
    flow["extra"] = {"linearMode": True, "linearData": {"inputs": [[1, "image"], [4, "picture"]], "outputs": [5]}}
    desk.complaints.clear()
    desk.page.evaluate("flow => app.loadGraphData(flow, true, true, 'layers as an app')", flow)
    try:
        desk.page.get_by_test_id("linear-run-button").wait_for()
        editor = LayersEditor(desk)
        editor.wait_for(lambda: "Run once" in editor.root.locator(".notice").inner_text())
        desk.page.get_by_test_id("linear-run-button").get_by_role("button", name="Run").click()
        desk.page.wait_for_function("app.nodeOutputs[4]")
        editor.ready()
        editor.drag(ON_IT, (ON_IT[0] - 150, ON_IT[1] + 100))
        assert editor.placements == [{"layer": 0, "dx": pytest.approx(-150, abs=3), "dy": pytest.approx(100, abs=3)}]
        desk.page.keyboard.press("Control+z")
        editor.wait_for(lambda: editor.text == "")
        assert complaints(desk) == []
    finally:
        photograph(desk, "app")
        desk.page.evaluate("app.extensionManager.command.execute('Comfy.ToggleLinear')")


def test_fingers_drag_a_layer_and_pinch_the_view(desk, client, masks):
    editor = opened(desk, workflow(masks[0]))
    steps = desk.page.evaluate(STEPS)
    with fingers(editor) as touch:
        touch("touchStart", ON_IT)
        for part in (0.3, 0.6, 1):
            touch("touchMove", (ON_IT[0] - 150 * part, ON_IT[1] + 100 * part))
        touch("touchEnd")
        assert editor.placements == [{"layer": 0, "dx": pytest.approx(-150, abs=2), "dy": pytest.approx(100, abs=2)}]
        assert desk.page.evaluate(STEPS) == steps + 1
        touch("touchStart", (200, 200), (300, 300))
        touch("touchMove", (150, 150), (350, 350))
        touch("touchEnd")
        editor.wait_for(lambda: editor.button("See all").is_enabled())
    assert len(editor.placements) == 1


@pytest.mark.slow
def test_the_moved_object_without_a_key_typed(desk, client):
    flow = json.loads((ROOT / "workflows" / "08 Move an object.json").read_text(encoding="utf-8"))
    (loop,) = [node for node in flow["nodes"] if node["type"] == "PaintSeg_AMCPLoop"]
    loop["widgets_values"][0] = "fast"
    editor = opened(desk, flow)
    plate = result(desk, client, "Clean plate")

    def place():
        """The middle of what is not the plate's, and how much that is."""
        seen = np.abs(result(desk, client, "Put together again") - plate).max(-1) > 12
        return np.array(np.nonzero(seen)).mean(1)[::-1], seen.sum()

    before, area = place()
    start = MIDDLE[0] - 40, MIDDLE[1] + 54  # where the numbers of the file put it
    editor.drag(start, (start[0] - 120, start[1] + 60))
    assert editor.placements[0]["scale"] == 0.62 and editor.placements[0]["flip"] is True
    photograph(desk, "workflow")
    run_again(desk)
    after, same = place()
    assert np.abs(after - before - (-120, 60)).max() <= 2 and same == pytest.approx(area, rel=0.05)
    assert complaints(desk) == []
