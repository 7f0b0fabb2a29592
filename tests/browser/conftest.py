import pytest
from harness import browser as chromium
from harness.page import ComfyPage


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
    client.post_json("/settings", {"Comfy.TutorialCompleted": False, "Comfy.VueNodes.Enabled": False})
    page = browser.new_page(viewport={"width": 1600, "height": 900})
    yield ComfyPage(page, server.url)
    page.close()
