"""The bundled workflows as files: what the template browser, the canvas and App mode make of them."""

import json
import math
import re

import pytest
from harness.paths import ROOT

WORKFLOWS = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "workflows").glob("*.json"))
}
FORMS = {
    "01 Quickstart",
    "02 Remove an object",
    "03 Find the subject by itself",
    "04 Point at it",
    "07 A photo as layers",
    "08 Move an object",
}
every_workflow = pytest.mark.parametrize("name", WORKFLOWS)


def nodes(name, kind=""):
    return {node["id"]: node for node in WORKFLOWS[name]["nodes"] if kind in node["type"]}


def wired(node, socket):
    return any(entry["name"] == socket and entry["link"] for entry in node["inputs"])


def test_names_are_titles_and_say_where_to_begin():
    assert list(WORKFLOWS)[:2] == ["01 Quickstart", "02 Remove an object"]
    assert [name for name in WORKFLOWS if not re.fullmatch(r"\d\d [A-Z][A-Za-z ]+", name)] == []
    assert [int(name[:2]) for name in WORKFLOWS] == list(range(1, len(WORKFLOWS) + 1))


@every_workflow
def test_wires_run_from_left_to_right(name):
    there = nodes(name)
    backward = [
        (there[origin]["type"], there[target]["type"])
        for _, origin, _, target, _, _ in WORKFLOWS[name]["links"]
        if there[origin]["pos"][0] + there[origin]["size"][0] > there[target]["pos"][0]
    ]
    assert backward == []


@every_workflow
def test_no_node_is_tall_for_a_picture_it_does_not_have_yet(name):
    # A prompt whose box is drawn shows its photo from the start, and classic nodes need the room to show it.
    drawn = [node["id"] for node in nodes(name, "PaintSeg_PromptToMask").values() if not node["flags"].get("collapsed")]
    drawn += [*nodes(name, "PaintSeg_Click"), *nodes(name, "PaintSeg_Reassemble")]  # likewise, in both styles
    others = [node for number, node in nodes(name, "PaintSeg_").items() if number not in drawn]
    assert [(node["type"], node["size"][1]) for node in others if node["size"][1] > 360] == []


def notes(name):
    return nodes(name, "MarkdownNote").values()


@every_workflow
def test_notes_are_filled_by_their_text(name):
    for note in notes(name):
        width, height = note["size"]
        letters = (width - 40) / 6.6
        lines = sum(max(1, math.ceil(len(line) / letters)) for line in note["widgets_values"][0].split("\n"))
        assert height <= 26 * lines


def luminance(colour):
    """WCAG's, of #rgb."""
    parts = [int(digit, 16) / 15 for digit in colour[1:]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@every_workflow
def test_grey_text_is_readable_on_a_note(name):
    for note in notes(name):
        assert (luminance("#888") + 0.05) / (luminance(note["bgcolor"]) + 0.05) >= 4.5


PROMISES = re.compile(r"\bdraw[ns]?\b[^.:|]*\bbox|\bbox(?:es)?[^.:|]*\bdrawn\b", re.IGNORECASE)


def promised(text):
    """Sentences that promise a box can be drawn, but for those of core's node, where it can."""
    sentences = re.split(r"(?<=[.!?:|])\s+|\n+", text)
    return [one for one in sentences if PROMISES.search(one) and "Create Bounding Boxes" not in one]


@every_workflow
def test_notes_promise_no_drawing_where_a_box_is_only_moved(name):
    if nodes(name, "PaintSeg_PromptToMask") and not nodes(name, "CreateBoundingBoxes"):
        assert [promised(note["widgets_values"][0]) for note in notes(name)] == [[] for _ in notes(name)]


def test_the_prompt_promises_no_drawing_of_a_box_either():
    words = json.loads((ROOT / "locales" / "en" / "nodeDefs.json").read_text(encoding="utf-8"))
    page = (ROOT / "web" / "docs" / "PaintSeg_PromptToMask.md").read_text(encoding="utf-8")
    assert promised(words["PaintSeg_PromptToMask"]["description"]) == promised(page) == []


def test_the_order_of_the_layers_boxes_is_said_where_core_says_another():
    (boxes,) = nodes("07 A photo as layers", "CreateBoundingBoxes").values()
    (note,) = notes("07 A photo as layers")
    assert "the front one first" in boxes["title"]
    assert "**front to back** as everywhere in PaintSeg" in note["widgets_values"][0]


@every_workflow
def test_a_box_that_wired_ones_override_is_not_shown(name):
    prompts = nodes(name, "PaintSeg_PromptToMask").values()
    shown = [node for node in prompts if wired(node, "boxes") and not node["flags"].get("collapsed")]
    assert shown == []


def test_the_widgets_that_move_an_object_are_those_that_count():
    (node,) = nodes("08 Move an object", "PaintSeg_Reassemble").values()
    _, dx, dy, scale, _, flip, _, _, placements = node["widgets_values"]
    assert placements == ""
    assert dx and dy and flip and scale != 1


def test_workflows_open_as_graphs_and_some_of_them_have_a_form():
    extras = {name: workflow["extra"] for name, workflow in WORKFLOWS.items()}
    assert {name for name, extra in extras.items() if "linearData" in extra} == FORMS
    assert not any(extra.get("linearMode") for extra in extras.values())


@pytest.mark.parametrize("name", sorted(FORMS))
def test_a_form_asks_for_widgets_that_are_there_and_shows_nodes_that_are_there(name):
    there, form = nodes(name), WORKFLOWS[name]["extra"]["linearData"]
    asked = [(there[node]["type"], widget) for node, widget in form["inputs"]]
    assert asked[0] == ("LoadImage", "image")
    for node, widget in form["inputs"]:
        if (there[node]["type"], widget) in (("PaintSeg_Click", "clicks"), ("PaintSeg_Reassemble", "picture")):
            continue  # the editors make their widgets without a slot
        assert widget in [entry["name"] for entry in there[node]["inputs"] if "widget" in entry]
    assert form["outputs"] and set(form["outputs"]) <= there.keys()
