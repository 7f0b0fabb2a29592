"""The box on the photo in PaintSeg Prompt follows the photo and shows where it counts; errors speak on the node."""

import json

import pytest
from harness.client import Client
from harness.paths import PACK_NAME, PHOTO, ROOT
from PIL import Image

ARTEFACTS = ROOT / "output" / "test-artifacts"
PROMPT = "PaintSeg_PromptToMask"
SIZE = (264, 400)  # narrower than the template's box is far from the left
FRESH = {"x": 44, "y": 66, "width": 176, "height": 267}  # the middle two thirds of it
FIELDS = ("x", "y", "width", "height")


def read(path):
    return json.loads((ROOT / path).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def narrow(server, tmp_path_factory):
    """A small photo in the server's input folder; its name."""
    path = tmp_path_factory.mktemp("photos") / "narrow.png"
    Image.open(PHOTO).convert("RGB").resize(SIZE).save(path)
    with Client(server.url) as client:
        return client.upload(path)


@pytest.fixture
def opened(desk):
    """A box on the photo, just opened."""
    desk.load(read("workflows/28 A box on the photo.json"))
    desk.wait_for_widget(PROMPT, "kind", "box")
    return desk


def widgets(desk):
    return desk.nodes(PROMPT)[0]["widgets"]


def shown(desk):
    """Names of the prompt's widgets that are not hidden."""
    return desk.page.evaluate(
        """kind => app.graph._nodes.find(node => node.type === kind).widgets
            .filter(widget => !widget.hidden && !widget.options.hidden).map(widget => widget.name)""",
        PROMPT,
    )


def said(desk):
    """The words on the prompt's node, as the page shows them."""
    return [text for text in desk.page.locator("[role=status]").all_inner_texts() if " box " in f" {text} "]


def photograph(desk, name):
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    desk.show_all()
    desk.page.screenshot(path=ARTEFACTS / f"{name}-{desk.style}.png")


@pytest.mark.everywhere
def test_another_photo_gets_a_box_that_lies_on_it(opened, narrow):
    opened.choose_photo(narrow)
    opened.wait_for_widget(PROMPT, "box", FRESH)
    photograph(opened, "box-on-another-photo")
    now = widgets(opened)
    assert {field: now[field] for field in FIELDS} == FRESH
    (asked,) = [one for one in opened.prompt().values() if one["class_type"] == PROMPT]
    assert asked["inputs"]["box"] == FRESH


def test_a_box_half_on_the_photo_is_cut_where_the_photo_ends(opened, narrow):
    opened.set_widget(PROMPT, "box", {"x": 200, "y": 10, "width": 300, "height": 50})
    opened.choose_photo(narrow)
    opened.wait_for_widget(PROMPT, "box", {"x": 200, "y": 10, "width": 64, "height": 50})


def test_a_box_that_fits_stays_and_nothing_is_marked_as_changed(opened):
    before = widgets(opened)["box"]
    opened.page.wait_for_timeout(1500)  # three looks at it
    assert widgets(opened)["box"] == before
    assert opened.page.evaluate("app.extensionManager.workflow.activeWorkflow.changeTracker.undoQueue.length") == 0


def test_undo_brings_photo_and_box_back_in_one_step_and_redo_both_again(opened, narrow):
    before = widgets(opened)["box"]
    opened.choose_photo(narrow)
    opened.wait_for_widget(PROMPT, "box", FRESH)
    opened.page.evaluate("app.extensionManager.workflow.activeWorkflow.changeTracker.undo()")
    opened.wait_for_widget("LoadImage", "image", PHOTO.name)
    opened.wait_for_widget(PROMPT, "box", before)
    opened.page.wait_for_timeout(1000)
    assert widgets(opened)["box"] == before
    opened.page.evaluate("app.extensionManager.workflow.activeWorkflow.changeTracker.redo()")
    opened.wait_for_widget("LoadImage", "image", narrow)
    opened.wait_for_widget(PROMPT, "box", FRESH)
    photograph(opened, "box-redone")
    drawn = opened.page.locator("[data-node-id]").count()
    assert drawn == (6 if opened.style == "modern" else 0)  # no node of before the undo is left beside the new one


@pytest.mark.parametrize("kind", ["point", "scribble", "mask"])
def test_kinds_without_a_box_show_none(opened, kind):
    assert {"box", *FIELDS} <= set(shown(opened))
    opened.set_widget(PROMPT, "kind", kind)
    assert {"box", *FIELDS}.isdisjoint(shown(opened))
    photograph(opened, f"box-hidden-{kind}")
    opened.set_widget(PROMPT, "kind", "box")
    assert {"box", *FIELDS} <= set(shown(opened))


def height(desk):
    """How tall the prompt's node is, and how tall what it shows makes it at least."""
    return desk.page.evaluate(
        "kind => { const one = app.graph._nodes.find(({type}) => type === kind); "
        "return [one.size[1], one.computeSize()[1]] }",
        PROMPT,
    )


def test_the_template_gives_the_photo_room_and_another_kind_takes_it_back(opened):
    opened.show_all()
    opened.page.wait_for_timeout(1000)
    assert height(opened)[0] >= 550
    opened.set_widget(PROMPT, "kind", "mask")
    opened.page.wait_for_timeout(1000)
    assert height(opened)[0] < 350


def test_a_node_off_the_screen_is_no_shorter_than_what_it_shows(desk):
    workflow = read("workflows/28 A box on the photo.json")
    node = next(node for node in workflow["nodes"] if node["type"] == PROMPT)
    node["pos"], node["size"] = [90_000, 0], [400, 200]
    desk.load(workflow)
    desk.wait_for_widget(PROMPT, "kind", "box")
    desk.page.wait_for_timeout(1000)
    now, least = height(desk)
    assert desk.style == "modern" or now >= least > 400


def test_a_point_begins_in_the_middle_of_the_box_it_comes_from(opened):
    opened.set_widget(PROMPT, "box", {"x": 100, "y": 50, "width": 40, "height": 20})
    opened.set_widget(PROMPT, "kind", "point")
    now = widgets(opened)
    assert (now["kind.x"], now["kind.y"]) == (120, 60)


def test_a_saved_point_is_left_as_it_is(desk):
    desk.load(read("workflows/17 One point.json"))
    desk.wait_for_widget(PROMPT, "kind", "point")
    desk.page.wait_for_timeout(1000)
    now = widgets(desk)
    assert (now["kind.x"], now["kind.y"]) == (400, 440)


def test_wired_boxes_take_the_box_out_of_sight(desk):
    desk.load(read("workflows/20 Boxes as text.json"))
    desk.wait_for_widget(PROMPT, "kind", "box")
    desk.page.wait_for_timeout(1000)
    assert "box" not in shown(desk)


@pytest.mark.everywhere
def test_classic_number_fields_hold_what_was_dragged_in_modern_nodes(opened):
    # As the editor of Nodes 2.0 does while it is dragged: without a callback.
    opened.page.evaluate(
        """kind => {
            const {widgets} = app.graph._nodes.find(node => node.type === kind)
            widgets.find(({name}) => name === "box").value.x = 33
        }""",
        PROMPT,
    )
    switch = "on => app.extensionManager.setting.set('Comfy.VueNodes.Enabled', on)"
    opened.page.evaluate(switch, False)
    try:
        opened.wait_for_widget(PROMPT, "x", 33)
        photograph(opened, "box-dragged-then-classic")
    finally:
        opened.page.evaluate(switch, opened.style == "modern")


@pytest.mark.parametrize("name", ["Remove object", "Mask an object"])
def test_a_blueprints_box_follows_the_photo(desk, narrow, name):
    flow = read(f"subgraphs/{name}.json")
    (host,) = flow["nodes"]
    host["inputs"][0]["link"] = 1
    photo = {
        "id": 90, "type": "LoadImage", "pos": [-400, 0], "size": [330, 400], "flags": {}, "order": 0, "mode": 0,
        "inputs": [], "properties": {}, "widgets_values": [narrow, "image"],
        "outputs": [{"name": "IMAGE", "type": "IMAGE", "links": [1]}, {"name": "MASK", "type": "MASK", "links": None}],
    }  # fmt: skip
    flow["nodes"].append(photo)
    flow["links"] = [[1, 90, 0, host["id"], 0, "IMAGE"]]
    desk.load(flow)
    desk.wait_for_widget(host["type"], "box", FRESH)
    photograph(desk, f"box-{name.replace(' ', '-').lower()}")
    (asked,) = [one for one in desk.prompt().values() if one["class_type"] == PROMPT]
    assert asked["inputs"]["box"] == FRESH


def test_a_refusal_is_said_on_the_node_and_takes_the_old_preview_along(opened):
    for node in opened.nodes("PaintSeg_AMCPLoop"):
        opened.page.evaluate("id => { app.graph.getNodeById(id).mode = 2 }", node["id"])  # the prompt alone is enough
    assert opened.run(120) == "execution_success"
    place = str(opened.nodes(PROMPT)[0]["id"])
    opened.page.wait_for_function("place => app.nodeOutputs[place]?.images?.length", arg=place)
    opened.set_widget(PROMPT, "box", {"x": 900, "y": 3, "width": 50, "height": 50})
    assert opened.run(120) == "execution_error"
    sentence = "the box (900, 3, 950, 53) must cover at least one pixel of the image of 512 x 512"
    opened.page.wait_for_function("place => !app.nodeOutputs[place]?.images?.length", arg=place)
    opened.page.get_by_text(sentence, exact=True).first.wait_for()
    photograph(opened, "box-refused")
    assert sentence in said(opened)
    opened.set_widget(PROMPT, "box", {"x": 400, "y": 3, "width": 500, "height": 50})
    assert opened.run(120) == "execution_success"
    opened.page.get_by_text("only the 22% inside counts").first.wait_for()
    photograph(opened, "box-cut")
    assert sentence not in said(opened)


@pytest.mark.parametrize(
    ("box", "size", "expected"),
    [
        ((5, 5, 3, 3), (264, 400), (5, 5, 3, 3)),  # smaller than the editor makes them, but inside
        ((0, 0, 264, 400), (264, 400), (0, 0, 264, 400)),
        ((-20, -20, 100, 100), (264, 400), (0, 0, 80, 80)),
        ((260, 0, 100, 400), (264, 400), (44, 66, 176, 267)),  # a sliver that nobody could take hold of
        ((9, 9, 9, 9), (1, 1), (0, 0, 1, 1)),
        ((0, 0, 50, 50), (8, 400), (0, 0, 8, 50)),  # a picture narrower than that sliver
    ],
)
def test_a_box_is_fitted_by_these_rules(desk, box, size, expected):
    fitted = desk.page.evaluate(
        """([box, size, pack]) => import(`/extensions/${pack}/js/fitting.js`).then(({fitted}) => fitted(box, size))""",
        [dict(zip(FIELDS, box, strict=True)), size, PACK_NAME],
    )
    assert fitted == dict(zip(FIELDS, expected, strict=True))
