"""ComfyUI as its settings make it: as a new user meets it, and as somebody at work has it."""

from harness.click_editor import KEEP_ANSWERS, KIND
from harness.client import Client
from harness.page import ComfyPage

SQUARE = (60, 380, 180, 470)
"""The rectangle among the masks, in pixels of the photo."""

# The server keeps settings from test to test. Both lists name each that any test touches, so that no test sees what an
# earlier one left.
NEW_USER = {
    "Comfy.TutorialCompleted": False,
    "Comfy.VueNodes.Enabled": False,
    "Comfy.Locale": "en",
    "Comfy.Minimap.Visible": True,
    "Comfy.OnboardingCoachmarks.Seen": [],
    "Comfy.RightSidePanel.IsOpen": False,
}
AT_WORK = {
    **NEW_USER,
    "Comfy.TutorialCompleted": True,  # else the template browser opens over the canvas
    "Comfy.Minimap.Visible": False,  # the map would lie over a node's corner
    "Comfy.OnboardingCoachmarks.Seen": ["appMode", "firstRun"],
}


def wait_until_ready(page):
    page.page.wait_for_function(
        f"window.app && app.isGraphReady && '{KIND}' in LiteGraph.registered_node_types && Boolean(app.canvas)"
    )
    page.page.wait_for_load_state("networkidle")


def new_desk(server, made, style):
    """ComfyUI in one of its two styles of nodes, on a page just made; complaints are collected once it is quiet."""
    page = ComfyPage(made, server.url)
    page.style = style
    set_up(page)
    made.add_init_script(KEEP_ANSWERS)
    page.open()
    wait_until_ready(page)
    page.watch()
    return page


def set_up(page):
    """Give the server the page's settings: other tests give it theirs, and a page reads them as it is opened."""
    with Client(page.url) as client:
        client.post_json("/settings", {**AT_WORK, "Comfy.VueNodes.Enabled": page.style == "modern"})


def reload(page):
    """Reload the page as somebody at work does; complaints are collected anew, as ComfyUI's own start has some."""
    set_up(page)
    page.page.reload()
    wait_until_ready(page)
    page.complaints.clear()
