"""What tests of the editor on PaintSeg Click share: a node with the bundled photo, another photo, pictures of both."""

from contextlib import contextmanager

import pytest
from harness.click_editor import ClickEditor, workflow
from harness.client import Client
from harness.paths import ROOT
from PIL import Image

ARTEFACTS = ROOT / "output" / "test-artifacts"
ROCKET, EXHAUST, HAIR = (416, 150), (455, 270), (230, 70)
SMALL = (264, 400)  # of another photo
STEPS = "app.extensionManager.workflow.activeWorkflow.changeTracker.undoQueue.length"


def opened(desk, flow, size=(512, 512)):
    """The editor of a workflow's only PaintSeg Click, with its photo."""
    desk.complaints.clear()
    desk.load(flow)
    desk.page.keyboard.press("Escape")  # what greets a new user would keep the focus
    desk.page.wait_for_timeout(300)
    desk.show_all()
    editor = ClickEditor(desk, size)
    editor.ready()
    return editor


@pytest.fixture
def editor(desk, client):
    """The bundled photo, and nothing clicked yet."""
    return opened(desk, workflow())


@pytest.fixture(scope="module")
def narrow(server, tmp_path_factory):
    """Another photo in the server's input folder; its name."""
    path = tmp_path_factory.mktemp("photos") / "coffee-narrow.png"
    Image.open(ROOT / "workflows" / "assets" / "paintseg_coffee.jpg").convert("RGB").resize(SMALL).save(path)
    with Client(server.url) as client:
        return client.upload(path)


@contextmanager
def fingers(editor):
    """The editor's page as a screen that takes touches; a function that sends one: its type, and a place of the photo
    for each finger."""
    page = editor.comfy.page
    session = page.context.new_cdp_session(page)

    def touch(kind, *places):
        points = [{"x": x, "y": y, "id": index} for index, (x, y) in enumerate(map(editor.at, places))]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    session.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    try:
        yield touch
    finally:  # the page is the next test's, too
        session.send("Emulation.setTouchEmulationEnabled", {"enabled": False})
        session.detach()


def photograph(desk, name):
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    desk.page.screenshot(path=ARTEFACTS / f"click-{name}-{desk.style}.png")


def complaints(desk):
    return [one for one in desk.complaints if "z_image" not in one]  # of the graph that a new ComfyUI opens with
