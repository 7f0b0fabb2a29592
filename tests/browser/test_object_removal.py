"""A person opens the example workflow, draws a box, presses Run, and sees the mask."""

import pytest
from harness.paths import PACK_NAME, ROOT

ARTEFACTS = ROOT / "output" / "test-artifacts"
NAME = "object_removal"
RESULTS = (("MaskPreview", "Mask"), ("PreviewImage", "Clean plate"), ("PreviewImage", "Cut-out"))
PATIENCE = 600.0  # seconds; a run takes about twenty on two idle cores


@pytest.fixture
def opened(comfy):
    """The workflow, opened from the template browser, with every complaint since then."""
    comfy.open()
    comfy.watch()
    comfy.open_template(PACK_NAME, NAME)
    return comfy


def node(page, kind, title=None):
    return next(one for one in page.nodes(kind) if title in (None, one["title"]))


def photograph(page, name):
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    page.page.screenshot(path=ARTEFACTS / f"{name}.png")


def test_template_browser_shows_the_thumbnail(comfy):
    comfy.open()
    comfy.page.get_by_text(PACK_NAME, exact=True).first.click()
    width = comfy.thumbnail_width("01_quickstart_box")  # the browser builds the cards in sight alone
    photograph(comfy, "template-browser")
    assert width > 200


@pytest.mark.slow
def test_box_drawn_on_the_photo_becomes_a_mask(opened):
    opened.modern_nodes()
    before = node(opened, "PaintSeg_PromptToMask")["widgets"]["box"]
    opened.drag(opened.page.get_by_test_id("crop-resize-sw"), dx=-12, dy=8)
    after = node(opened, "PaintSeg_PromptToMask")["widgets"]["box"]
    photograph(opened, "box-drawn")
    assert after["width"] > before["width"]
    assert after["height"] > before["height"]

    assert opened.run(PATIENCE) == "execution_success"
    shown = [node(opened, kind, title)["id"] for kind, title in RESULTS]
    assert [opened.picture_size(one) for one in shown] == [[512, 512]] * len(RESULTS)
    opened.settle()
    opened.page.get_by_test_id("close-minimap-button").click()
    photograph(opened, "object-removal")
    assert opened.unknown_nodes() == []
    assert opened.complaints == []


def test_classic_nodes_show_the_box_as_numbers(opened):
    opened.settle()
    photograph(opened, "classic-nodes")
    box = node(opened, "PaintSeg_PromptToMask")["widgets"]
    assert {key: box[key] for key in ("x", "y", "width", "height")} == box["box"]
    assert opened.complaints == []
