"""Clicks stay with their photo: through undo, copies, saving, subgraphs, and never on another photo."""

import json

from harness.click_editor import KIND, ClickEditor, node, workflow
from harness.client import Client
from harness.paths import PHOTO
from PIL import Image

from .clicking import ROCKET, SMALL, STEPS, complaints, opened, photograph

UNDO = "app.extensionManager.workflow.activeWorkflow.changeTracker.undo()"


def test_another_photo_takes_the_clicks_away_and_undo_brings_both_back(desk, editor, narrow):
    editor.answer(lambda: editor.click(ROCKET))
    desk.choose_photo(narrow)
    editor.wait_for(lambda: editor.text == "" and "Another photo" in editor.said)
    photograph(desk, "another-photo")
    desk.page.evaluate(UNDO)
    desk.wait_for_widget("LoadImage", "image", PHOTO.name)
    editor.wait_for(lambda: editor.points == [(*ROCKET, 1)])
    desk.page.wait_for_timeout(1000)
    editor.settle()
    assert editor.points == [(*ROCKET, 1)] and "% of the photo" in editor.said


def test_a_long_line_of_words_moves_no_photo_and_lets_clicks_through(desk, editor, narrow):
    before = editor.stage.bounding_box()
    editor.click(ROCKET)
    desk.choose_photo(narrow)
    editor.wait_for(lambda: "Another photo" in editor.said)
    words = editor.root.locator(".status span").last.bounding_box()
    assert editor.stage.bounding_box() == before
    assert words["height"] > 1.5 * editor.root.locator(".status").bounding_box()["height"]
    photograph(desk, "long-line")
    editor.size = SMALL
    place = SMALL[0] // 2, SMALL[1] - 4
    assert words["y"] < editor.at(place)[1]  # under the words
    editor.click(place)
    assert editor.points == [(*place, 1)]
    editor.settle()
    assert editor.stage.bounding_box() == before


def test_run_right_after_another_photo_asks_without_the_old_clicks(desk, editor, narrow):
    editor.click(ROCKET)
    desk.choose_photo(narrow)
    (asked,) = [one for one in desk.prompt().values() if one["class_type"] == KIND]
    assert asked["inputs"]["clicks"] == ""
    editor.settle()


def test_the_same_photo_in_another_size_keeps_the_clicks(desk, editor, server, tmp_path):
    path = tmp_path / "smaller.jpg"
    Image.open(PHOTO).convert("RGB").resize((256, 256)).save(path, quality=85)
    with Client(server.url) as client:
        name = client.upload(path)
    editor.click(ROCKET)
    desk.choose_photo(name)
    desk.page.wait_for_timeout(1500)
    editor.settle()
    assert editor.points == [(*ROCKET, 1)] and editor.clicks["size"] == [512, 512]  # as they were set
    editor.size = (256, 256)
    editor.click((208, 40))
    assert editor.points == [(208, 75, 1), (208, 40, 1)] and editor.clicks["size"] == [256, 256]
    editor.settle()


def test_undo_of_comfyui_and_of_the_editor_are_one(desk, editor):
    steps = desk.page.evaluate(STEPS)
    for x in (100, 200, 300):
        editor.click((x, 100))
    assert desk.page.evaluate(STEPS) == steps + 3
    editor.press("u")
    assert (desk.page.evaluate(STEPS), len(editor.points)) == (steps + 2, 2)
    desk.page.keyboard.press("Control+z")
    editor.wait_for(lambda: len(editor.points) == 1)
    desk.page.wait_for_timeout(1200)
    editor.press("Shift+U")  # the new node's editor knows what the old one's did
    assert len(editor.points) == 2
    desk.page.keyboard.press("Control+y")
    editor.wait_for(lambda: len(editor.points) == 3)
    assert desk.page.evaluate("document.querySelectorAll('.paintseg-click').length") == 1
    editor.settle()


def test_a_photo_that_only_a_run_makes_is_there_after_a_run_that_refuses(desk, client):
    """A node between Load Image and the editor: nothing can be clicked on before the first run, which refuses that."""
    flow = workflow()
    flow["nodes"].append(
        node(9, "ImageInvert", (0, 450), (200, 60), values=[],
             inputs=[{"name": "image", "type": "IMAGE", "link": 9}],
             outputs=[{"name": "IMAGE", "type": "IMAGE", "links": [1]}])
    )  # fmt: skip
    flow["nodes"][0]["outputs"][0]["links"] = [9]
    flow["links"] = [[9, 1, 0, 9, 0, "IMAGE"], [1, 9, 0, 2, 0, "IMAGE"]]
    flow |= {"last_node_id": 9, "last_link_id": 9}
    desk.load(flow)
    desk.page.keyboard.press("Escape")
    desk.show_all()
    editor = ClickEditor(desk)
    editor.wait_for(lambda: "after one run" in editor.root.locator(".notice").inner_text())
    assert desk.run(60) == "execution_error"
    editor.ready()
    desk.page.keyboard.press("Escape")  # the refusal
    editor.answer(lambda: editor.click(ROCKET))
    assert editor.points == [(*ROCKET, 1)] and desk.run(60) == "execution_success"


def test_clicks_survive_copying_saving_and_opening(desk, editor):
    editor.click(ROCKET)
    saved = desk.page.evaluate("JSON.parse(JSON.stringify(app.rootGraph.serialize()))")
    desk.page.evaluate("kind => app.canvas.selectNode(app.graph._nodes.find(one => one.type === kind))", KIND)
    desk.page.evaluate("app.canvas.copyToClipboard()")
    desk.page.evaluate("app.canvas.pasteFromClipboard()")
    values = [one["widgets"]["clicks"] for one in desk.nodes(KIND)]
    assert len(values) == 2 and values[0] == values[1] != ""
    assert values[0] in [node["widgets_values"][0] for node in saved["nodes"] if node["type"] == KIND]
    again = opened(desk, saved)
    assert again.points == [(*ROCKET, 1)]
    again.settle()
    assert "% of the photo" in again.said


def test_inside_an_opened_subgraph_and_when_bypassed(desk, editor):
    desk.page.evaluate(
        """kind => {
            const node = app.graph._nodes.find(one => one.type === kind)
            const { subgraph } = app.graph.convertToSubgraph(new Set([node]))
            app.canvas.setGraph(subgraph)
        }""",
        KIND,
    )
    desk.page.wait_for_timeout(800)
    desk.show_all()
    editor.ready()
    editor.answer(lambda: editor.click(ROCKET))
    assert editor.points == [(*ROCKET, 1)]
    photograph(desk, "subgraph")
    (asked,) = [one for one in desk.prompt().values() if one["class_type"] == KIND]
    assert json.loads(asked["inputs"]["clicks"])["points"][0]["label"] == 1
    desk.page.evaluate("kind => { app.canvas.graph._nodes.find(one => one.type === kind).mode = 4 }", KIND)
    assert [one for one in desk.prompt().values() if one["class_type"] == KIND] == []
    assert editor.points == [(*ROCKET, 1)]
    desk.page.evaluate("app.canvas.setGraph(app.rootGraph)")
    assert complaints(desk) == []


def test_a_value_that_a_person_typed_is_shown_and_one_that_is_none_is_said(desk, client):
    editor = opened(desk, workflow(clicks='{"points": [{"x": 416, "y": 150}]}'))
    editor.settle()
    assert "% of the photo" in editor.said
    editor = opened(desk, workflow(clicks='{"points": 3}'))
    assert "no such JSON" in editor.said and editor.text == '{"points": 3}'
