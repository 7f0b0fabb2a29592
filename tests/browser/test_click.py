"""A person clicks on the photo on PaintSeg Click and sees the mask, in both styles of nodes and both front ends."""

import io
import json
from urllib.parse import urlsplit

import numpy as np
import pytest
from harness.click_editor import PATIENCE, ClickEditor, workflow
from harness.paths import HUMAN_MASK, PACK_NAME
from PIL import Image

from .clicking import EXHAUST, HAIR, ROCKET, SMALL, complaints, opened, photograph
from .desks import reload

OWN_VIEWS = True  # what is measured here needs the real ones
TRUTH = np.array(Image.open(HUMAN_MASK).convert("L")) > 0
BOX = (346, 0, 482, 298)


def iou(found, truth=TRUTH):
    return (found & truth).sum() / (found | truth).sum()


@pytest.mark.everywhere
def test_one_click_finds_the_object_and_a_second_takes_away(editor):
    before = editor.colour(ROCKET)
    found = editor.answer(lambda: editor.click(ROCKET))
    assert iou(found) >= 0.88
    assert editor.points == [(*ROCKET, 1)]
    assert "% of the photo" in editor.said
    green, red = editor.colour((400, 130))[1], editor.colour((400, 130))[0]
    assert green > red + 20 and editor.colour(HAIR) != before  # tinted inside, shaded outside
    photograph(editor.comfy, "one")

    assert found[EXHAUST[1], EXHAUST[0]]
    less = editor.answer(lambda: editor.click(EXHAUST, button="right"))
    assert not less[EXHAUST[1], EXHAUST[0]] and less[ROCKET[1], ROCKET[0]]
    assert editor.points == [(*ROCKET, 1), (*EXHAUST, 0)]
    photograph(editor.comfy, "two")

    editor.button("Undo").click()
    editor.settle()
    assert editor.points == [(*ROCKET, 1)]
    assert complaints(editor.comfy) == []


def test_a_click_is_there_after_a_reload_and_the_run_is_as_good_as_the_answer(desk, client):
    editor = opened(desk, workflow(segment=True))
    found = editor.answer(lambda: editor.click(ROCKET))
    desk.page.wait_for_timeout(2000)  # ComfyUI keeps a draft of the workflow
    reload(desk)
    desk.show_all()
    editor.ready()
    editor.settle()
    assert editor.points == [(*ROCKET, 1)]
    assert desk.run(PATIENCE) == "execution_success"
    desk.settle()
    shown = desk.page.evaluate("app.nodeOutputs[app.graph._nodes.find(one => one.type === 'MaskPreview').id].images[0]")
    ran = np.array(Image.open(io.BytesIO(client.download(shown))).convert("L")) > 127
    photograph(desk, "run")
    assert iou(ran) >= iou(found) - 0.01
    assert editor.points == [(*ROCKET, 1)]
    assert complaints(desk) == []


def test_a_dot_is_there_at_once_and_no_mask_of_other_clicks(editor):
    editor.answer(lambda: editor.click(ROCKET))
    tinted = editor.colour((400, 130))
    editor.page.mouse.move(*editor.at(HAIR))
    editor.page.mouse.down()
    try:
        editor.wait_for(lambda: editor.colour((400, 130)) != tinted)
        red, green, _ = editor.colour((HAIR[0] + 4, HAIR[1] + 4))
        assert green > red + 60
    finally:
        editor.page.mouse.up()
    editor.settle()


def test_drags_make_a_box_and_strokes_and_marks_can_be_moved(desk, editor):
    found = editor.answer(lambda: editor.drag(BOX[:2], BOX[2:]))
    assert iou(found) >= 0.88
    assert np.abs(np.array(editor.clicks["box"]) - BOX).max() <= 2
    editor.drag((BOX[2], 150), (500, 150))  # the right edge
    editor.settle()
    assert editor.clicks["box"][2] == pytest.approx(500, abs=2) and editor.clicks["box"][0] == pytest.approx(346, abs=2)
    editor.drag((416, 60), (414, 120), (416, 200), key="Shift")
    editor.drag((300, 60), (340, 200), button="right")
    editor.settle()
    on, off = editor.clicks["strokes"]
    assert (on["label"], off["label"]) == (1, 0) and len(on["points"]) >= 2
    photograph(desk, "box-and-strokes")
    editor.click((430, 230))
    editor.drag((430, 230), (420, 240))
    assert editor.points == [(420, 240, 1)]
    editor.click((420, 240))
    assert editor.points == []
    editor.settle()


def test_a_double_click_is_one_click_and_a_slow_second_one_takes_the_dot_away(desk, editor):
    slow = 500  # milliseconds; more than a double click takes
    desk.page.mouse.dblclick(*editor.at(ROCKET))
    assert editor.points == [(*ROCKET, 1)]
    desk.page.wait_for_timeout(slow)
    x, y = editor.at(HAIR)
    desk.page.mouse.click(x, y, button="right")
    desk.page.mouse.click(x + 2, y + 2, button="right")
    assert editor.points == [(*ROCKET, 1), (*HAIR, 0)]
    desk.page.wait_for_timeout(slow)
    editor.click(HAIR, button="right")
    assert editor.points == [(*ROCKET, 1)]
    desk.page.wait_for_timeout(slow)
    desk.page.mouse.dblclick(*editor.at(ROCKET))  # takes it away, and does not set it again
    assert editor.points == []
    editor.press("u")
    editor.settle()
    assert editor.points == [(*ROCKET, 1)] and complaints(desk) == []


def test_candidates_and_views_by_button_and_key(desk, editor):
    first = editor.answer(lambda: editor.click(ROCKET))
    assert editor.root.locator(".which").inner_text().startswith("1 / ")
    count = int(editor.root.locator(".which").inner_text().split(" / ")[1])
    if count > 1:
        second = editor.answer(lambda: editor.button("Next candidate").click())
        assert editor.clicks["candidate"] == 1 and (first != second).any()
        editor.press("Shift+C")
        assert editor.clicks["candidate"] == 0
    editor.press("v")
    editor.settle()
    photograph(desk, "cutout")
    grey = editor.colour((60, 400))
    assert max(grey) - min(grey) < 5  # the checks behind a layer
    editor.root.get_by_text("Without it").click()
    editor.settle()
    photograph(desk, "plate")
    assert editor.root.locator("[aria-checked=true]").inner_text() == "Without it"
    editor.press("v")
    assert editor.root.locator("[aria-checked=true]").inner_text() == "Mask"


def test_two_editors_on_one_page_answer_for_their_own_photos(desk, client, narrow):
    flow = workflow()
    other = json.loads(json.dumps(flow))
    for node in other["nodes"]:
        node["id"] += 10
        node["pos"][1] += 800
        for slot in node["inputs"]:
            slot["link"] = 11
        for slot in node["outputs"]:
            slot["links"] = [11] if slot["name"] == "IMAGE" else []
    other["nodes"][0]["widgets_values"] = [narrow, "image"]
    flow["nodes"] += other["nodes"]
    flow["links"] += [[11, 11, 0, 12, 0, "IMAGE"]]
    flow["nodes"][0]["outputs"][0]["links"] = [1]
    flow |= {"last_node_id": 12, "last_link_id": 11}
    first = opened(desk, flow)
    second = ClickEditor(desk, SMALL, 1)
    second.ready()
    first.click(ROCKET)
    second.click((130, 250))
    first.settle()
    second.settle()
    photograph(desk, "two-nodes")
    assert (first.points, second.points) == ([(*ROCKET, 1)], [(130, 250, 1)])
    assert (first.clicks["size"], second.clicks["size"]) == ([512, 512], list(SMALL))
    assert "% of the photo" in first.said and "% of the photo" in second.said
    assert complaints(desk) == []


def test_the_app_shows_the_editor_and_it_works_there(desk, client):
    flow = workflow(segment=True)
    flow["extra"] = {"linearMode": True, "linearData": {"inputs": [[1, "image"], [2, "clicks"]], "outputs": [4]}}
    desk.complaints.clear()
    desk.page.evaluate("flow => app.loadGraphData(flow, true, true, 'clicks as an app')", flow)
    try:
        desk.page.get_by_test_id("linear-run-button").wait_for()
        editor = ClickEditor(desk)
        editor.ready()
        found = editor.answer(lambda: editor.click(ROCKET))
        photograph(desk, "app")
        assert iou(found) >= 0.88 and editor.points == [(*ROCKET, 1)]
        desk.page.keyboard.press("Control+z")
        editor.wait_for(lambda: editor.text == "")
        editor.ready()
        editor.click(HAIR)
        assert editor.points == [(*HAIR, 1)]
        editor.settle()
        assert complaints(desk) == []
    finally:
        desk.page.evaluate("app.extensionManager.command.execute('Comfy.ToggleLinear')")


def test_the_pack_adds_no_request_to_foreign_hosts(desk, server):
    opened(desk, workflow()).settle()
    assert any("click/widget.js" in one.path for one in desk.asked if PACK_NAME in one.path)
    assert {one.netloc for one in desk.asked if one.scheme.startswith("http")} == {urlsplit(server.url).netloc}
