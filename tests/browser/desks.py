"""ComfyUI as its settings make it: as a new user meets it, and as somebody at work has it."""

from harness.click_editor import KEEP_ANSWERS, KIND
from harness.client import Client
from harness.page import ComfyPage

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
    with Client(server.url) as client:
        client.post_json("/settings", {**AT_WORK, "Comfy.VueNodes.Enabled": style == "modern"})
    page = ComfyPage(made, server.url)
    made.add_init_script(KEEP_ANSWERS)
    page.open()
    wait_until_ready(page)
    page.style = style
    page.watch()
    return page
