"""A person asks a node what it does, and reads the answer in their own language."""

import json

import pytest
from harness.help_pages import LANGUAGES
from harness.paths import PACK_NAME, ROOT

from .desks import restyle, speak

ARTEFACTS = ROOT / "output" / "test-artifacts"
NODES = sorted(page.stem for page in (ROOT / "web" / "docs").glob("*.md"))
SHIPPED = sorted(set(LANGUAGES) - {"de"})  # ComfyUI 0.30 has no German yet, so its browser never asks for it


def read(language, file):
    return json.loads((ROOT / "locales" / language / f"{file}.json").read_text(encoding="utf-8"))


def words(language, node="PaintSeg_AMCPLoop"):
    return read(language, "nodeDefs")[node]


def natural_width(picture):
    return picture.evaluate("image => image.decode().then(() => image.naturalWidth, () => 0)")


def search(page):
    return page.get_by_placeholder("Add a node...")


@pytest.fixture
def desk(sheet):
    """ComfyUI in English and in classic nodes, with an empty canvas and no search open, and complaints from here on."""
    speak(sheet, "en")
    restyle(sheet, "classic")
    sheet.page.keyboard.press("Escape")
    search(sheet.page).wait_for(state="hidden")  # or the next test's toggle would close what the last one left open
    sheet.page.evaluate("app.graph.clear()")
    sheet.complaints.clear()
    return sheet


def test_help_shows_picture_and_tables(desk):
    desk.add_node("PaintSeg_AMCPLoop")
    shown = desk.open_help()
    picture = shown.locator("img").first
    assert natural_width(picture) > 400
    assert picture.get_attribute("src") == f"/extensions/{PACK_NAME}/docs/pictures/PaintSeg_AMCPLoop.jpg"
    desk.page.screenshot(path=ARTEFACTS / "help-panel.png")
    assert shown.locator("table").count() == 2
    assert "tables: written by" not in shown.inner_text()
    # There may be a page per language, and ComfyUI asks for that one first.
    refused = [complaint for complaint in desk.complaints if PACK_NAME in complaint]
    assert [complaint for complaint in refused if not complaint.endswith("/PaintSeg_AMCPLoop/en.md")] == []


def test_every_pages_picture_loads_from_where_the_panel_looks(desk):
    loaded = desk.page.evaluate(
        """addresses => Promise.all(addresses.map(address => new Promise(done => {
            const image = new Image()
            image.onload = () => done(image.naturalWidth)
            image.onerror = () => done(0)
            image.src = address
        })))""",
        [f"/extensions/{PACK_NAME}/docs/pictures/{node}.jpg" for node in NODES],
    )
    assert [node for node, width in zip(NODES, loaded, strict=True) if width < 200] == []


def test_plain_words_find_the_nodes(desk):
    desk.add_node("PaintSeg_FastPainter")
    desk.page.evaluate("app.extensionManager.command.execute('Workspace.SearchBox.Toggle')")
    search(desk.page).wait_for()
    search(desk.page).fill("erase")
    desk.page.get_by_text("PaintSeg Remove Object").first.wait_for()
    desk.page.get_by_text("PaintSeg Segment").first.wait_for()


def finds(page, typed, *titles, among=None):
    """Wait until the search, which has found nothing before, lists all these titles (`among`: its first)."""
    field, rows = search(page), page.get_by_test_id("result-item")
    field.fill("no node has such words")
    rows.first.wait_for(state="detached")
    field.fill(typed)
    page.wait_for_function(
        """([titles, among]) => {
            const rows = [...document.querySelectorAll("[data-testid=result-item]")].slice(0, among)
            const listed = rows.map(row => row.innerText.split("\\n")[0])
            return titles.every(title => listed.includes(title))
        }""",
        arg=[titles, among or 1000],
        timeout=10_000,
    )


def test_words_of_other_tools_bring_the_pack_into_sight(desk):
    desk.add_node("PaintSeg_FastPainter")
    desk.page.evaluate("app.extensionManager.command.execute('Workspace.SearchBox.Toggle')")
    search(desk.page).wait_for()
    # by its name: what is only known by a word too comes after all others
    finds(desk.page, "mask", "Mask an object", among=10)
    finds(desk.page, "remove", "Remove object", "PaintSeg Remove Object", among=10)
    finds(desk.page, "cutout", "PaintSeg Cut Out", among=10)
    finds(desk.page, "segment", "PaintSeg Segment", among=10)
    finds(desk.page, "rembg", "PaintSeg Segment", among=10)
    finds(desk.page, "sam", "PaintSeg Segment")  # below the samplers, whose names begin so
    desk.page.get_by_role("button", name="Extensions").first.click()
    finds(desk.page, "sam", "PaintSeg Segment", among=10)


@pytest.mark.parametrize("language", SHIPPED)
def test_a_node_speaks_the_users_language(sheet, language):
    speak(sheet, language)
    restyle(sheet, "classic")
    sheet.add_node("PaintSeg_AMCPLoop")
    expected, menu = words(language), read(language, "main")["nodeCategories"]
    shown = sheet.page.evaluate(
        """() => { const node = app.graph._nodes[0]; return {
            title: node.constructor.title,
            inputs: Object.fromEntries(node.inputs.map(input => [input.name, input.localized_name])),
            outputs: node.outputs.map(output => output.localized_name),
            widgets: node.widgets.map(widget => widget.label),
            category: LiteGraph.registered_node_types["PaintSeg_AMCPStart"].category
        } }"""
    )
    sheet.page.screenshot(path=ARTEFACTS / f"language-{language}.png")
    assert shown["title"] == expected["display_name"]
    assert shown["inputs"] == {key: one["name"] for key, one in expected["inputs"].items()}
    assert shown["outputs"] == [one["name"] for one in expected["outputs"].values()]
    assert expected["inputs"]["preset"]["name"] in shown["widgets"]
    assert shown["category"] == f"{menu['PaintSeg']}/{menu['step by step']}"
