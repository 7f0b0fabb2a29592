"""A person opens the example workflow, clicks on the photo, presses Run, and sees the mask."""

import pytest
from harness.click_editor import ClickEditor
from harness.paths import PACK_NAME, ROOT

ARTEFACTS = ROOT / "output" / "test-artifacts"
NAME = "02 Remove an object"
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


@pytest.mark.slow
def test_a_click_on_the_photo_becomes_a_mask(opened):
    opened.modern_nodes()
    editor = ClickEditor(opened)
    editor.ready()
    before = editor.points
    editor.click((416, 60))
    assert editor.points == [*before, (416, 60, 1)]
    editor.settle()
    photograph(opened, "clicked")

    assert opened.run(PATIENCE) == "execution_success"
    shown = [node(opened, kind, title)["id"] for kind, title in RESULTS]
    assert [opened.picture_size(one) for one in shown] == [[512, 512]] * len(RESULTS)
    opened.settle()
    opened.page.get_by_test_id("close-minimap-button").click()
    photograph(opened, "object-removal")
    assert opened.unknown_nodes() == []
    assert opened.complaints == []


def test_template_browser_shows_the_first_steps_first(comfy):
    comfy.open()
    comfy.watch()
    comfy.page.get_by_text(PACK_NAME, exact=True).first.click()
    width = comfy.thumbnail_width("01 Quickstart")  # the browser builds the cards in sight alone
    photograph(comfy, "template-browser")
    assert width > 200
    cards = comfy.page.locator("[data-testid^='template-workflow-']")
    for place, title in enumerate(("01 Quickstart", NAME)):  # 1.58 writes "Node graph" above it
        assert title in cards.nth(place).inner_text().splitlines()
    assert comfy.complaints == []
