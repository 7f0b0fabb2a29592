"""Every bundled workflow and blueprint, opened in the browser, in classic nodes and in Nodes 2.0."""

import json

import pytest
from harness import bundled
from harness.convert import to_prompt
from harness.paths import ROOT

ARTEFACTS = ROOT / "output" / "test-artifacts"
WORKFLOWS = sorted((ROOT / "workflows").glob("*.json"))
BLUEPRINTS = sorted((ROOT / "subgraphs").glob("*.json"))
PLAYER = "video-preview"  # the browser's own, under the picker of Load Video; the server never reads it
TITLE = 30
GREETING = "z_image"  # the graph that a new ComfyUI opens with asks for its models, some time or other


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def opened(desk, content):
    """Opens a file's content as if dropped on the page, shows all of it, and waits until it is drawn."""
    desk.complaints.clear()
    desk.load(content)
    desk.page.wait_for_load_state("networkidle")
    desk.page.wait_for_function("() => [...document.images].every(image => image.complete)")
    desk.page.keyboard.press("Escape")
    desk.show_all()


def photograph(desk, name):
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    desk.page.screenshot(path=ARTEFACTS / f"{name}-{desk.style}.png")


def complaints(desk):
    return [complaint for complaint in desk.complaints if GREETING not in complaint]


def overlapping(desk):
    """Titles of nodes that lie on top of each other, title bars included."""
    boxes = desk.boxes()
    return [
        (first, second)
        for index, (first, (x, y, width, height)) in enumerate(boxes)
        for second, (left, top, right, bottom) in boxes[index + 1 :]
        if x < left + right and left < x + width and y - TITLE < top + bottom and top - TITLE < y + height
    ]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflow_opens_whole_and_tidy_and_says_what_the_converter_says(desk, schemas, path):
    workflow = read(path)
    opened(desk, workflow)
    photograph(desk, path.stem)
    assert desk.missing_types() == []
    asked = desk.prompt()
    for node in asked.values():
        node["inputs"].pop(PLAYER, None)
    assert asked == to_prompt(workflow, schemas)
    assert overlapping(desk) == []
    if path.stem in bundled.NAMES:
        assert desk.unknown_nodes() == []
        assert complaints(desk) == []


@pytest.mark.parametrize("path", BLUEPRINTS, ids=lambda path: path.stem)
def test_blueprint_opens_as_one_node_with_its_widgets(desk, path):
    opened(desk, read(path))
    photograph(desk, path.stem.replace(" ", "-").lower())
    (node,) = desk.nodes(read(path)["nodes"][0]["type"])
    assert node["title"] == path.stem
    assert {"box", "preset", "seed"} <= node["widgets"].keys()
    inside = [one["class_type"] for one in desk.prompt().values()]
    assert {"PaintSeg_PromptToMask", "PaintSeg_AMCPLoop"} <= set(inside)
    assert desk.unknown_nodes() == [] and complaints(desk) == []
