import numpy as np
import pytest
from harness import browser as chromium
from harness import frontend
from harness.client import Client
from harness.page import ComfyPage
from harness.paths import HUMAN_MASK
from harness.server import Server
from PIL import Image

from .clicking import editor, narrow  # noqa: F401  (fixtures)
from .desks import NEW_USER, SQUARE, new_desk, restyle, speak

# Each front end's tests in one piece, and in it each style's: a server and a page start once.
ORDER = [("pinned", None), ("pinned", "modern"), ("pinned", "classic")]
ORDER += [(frontend.NEWEST, style) for style in ("classic", "modern", None)]


def params(item):
    return getattr(getattr(item, "callspec", None), "params", {})


def place(item):
    pair = params(item).get("server"), params(item).get("desk")
    return ORDER.index(pair) if pair in ORDER else -1


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items):
    """Every run meets both front ends and both styles of nodes: classic nodes on the pinned front end, Nodes 2.0 on the
    newest. The other two pairs are long, but for the tests marked `everywhere`. The pinned front end speaks one other
    language, the newest the rest, and a template is run to its end on the pinned one."""
    for item in items:
        values = params(item)
        rare = "desk" in values and (values["desk"] == "classic") != (values["server"] == "pinned")
        rare |= "language" in values and (values["language"] == "fr") != (values["server"] == "pinned")
        rare |= values.get("server") != "pinned" and item.get_closest_marker("slow") is not None
        if rare and item.get_closest_marker("everywhere") is None:
            item.add_marker("long")
    yield
    items.sort(key=place)


@pytest.fixture(scope="session", params=["pinned", frontend.NEWEST], ids=lambda version: f"frontend-{version}")
def server(request, server, tmp_path_factory, beside):
    """ComfyUI with the front end that it pins, and once more with the newest one."""
    if request.param == "pinned":
        yield server
        return
    newest = frontend.find()
    if newest is None:
        pytest.skip(f"no front end {frontend.NEWEST} here: scripts/test fetches it")
    with Server(tmp_path_factory.mktemp("newest"), beside=beside, frontend=newest) as running:
        yield running


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium for the whole session."""
    from playwright.sync_api import sync_playwright

    path = chromium.find()
    if path is None:
        pytest.skip("no Chromium here: scripts/test installs or names one")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, headless=True, args=list(chromium.FLAGS))
        yield running
        running.close()


@pytest.fixture
def comfy(server, client, browser):
    """ComfyUI as a new user meets it."""
    client.post_json("/settings", NEW_USER)
    page = browser.new_page(viewport={"width": 1600, "height": 900})
    yield ComfyPage(page, server.url)
    page.close()


@pytest.fixture(scope="session")
def masks(server, tmp_path_factory):
    """Masks in the server's input folder, before the page is there that lists them: the rocket, and a rectangle."""
    folder = tmp_path_factory.mktemp("masks")
    rocket = np.array(Image.open(HUMAN_MASK).convert("L")) > 127
    square = np.zeros(rocket.shape, bool)
    square[SQUARE[1] : SQUARE[3], SQUARE[0] : SQUARE[2]] = True
    names = []
    with Client(server.url) as client:
        for name, mask in (("moved-rocket.png", rocket), ("moved-square.png", square)):
            Image.fromarray(mask).convert("RGB").save(folder / name)
            names.append(client.upload(folder / name))
    return names


@pytest.fixture(scope="session")
def sheet(server, browser, masks):
    """ComfyUI of somebody at work, opened once for each front end: every test loads a graph of its own."""
    page = new_desk(server, browser.new_page(viewport={"width": 1600, "height": 900}))
    yield page
    page.page.close()


@pytest.fixture(params=["classic", "modern"])
def desk(request, sheet):
    """That in English and in one of ComfyUI's two styles of nodes."""
    speak(sheet, "en")
    restyle(sheet, request.param)
    return sheet
