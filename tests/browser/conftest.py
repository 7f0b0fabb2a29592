import pytest
from harness import browser as chromium
from harness import frontend
from harness.page import ComfyPage
from harness.server import Server

from .clicking import editor, narrow  # noqa: F401  (fixtures)
from .desks import NEW_USER, new_desk


def pytest_collection_modifyitems(items):
    """Every run meets both front ends and both styles of nodes: classic nodes on the pinned front end, Nodes 2.0 on the
    newest. The other two pairs are long, but for the tests marked `everywhere`."""
    for item in items:
        values = getattr(getattr(item, "callspec", None), "params", {})
        rare = "desk" in values and (values["desk"] == "classic") != (values["server"] == "pinned")
        if rare and item.get_closest_marker("everywhere") is None:
            item.add_marker("long")


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


@pytest.fixture(scope="module", params=["classic", "modern"])
def desk(request, server, browser):
    """ComfyUI in one of its two styles of nodes, opened once for a file's tests."""
    page = new_desk(server, browser.new_page(viewport={"width": 1600, "height": 900}), request.param)
    yield page
    page.page.close()
