"""ComfyUI as its settings make it: as a new user meets it, and as somebody at work has it."""

from urllib.parse import urlsplit

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


def new_desk(server, made):
    """ComfyUI in classic nodes and in English, on a page just made; complaints are collected once it is quiet, and what
    the page asks for, and whom, from its opening on."""
    page = ComfyPage(made, server.url)
    page.style, page.language, page.asked = "classic", "en", []
    made.on("request", lambda request: page.asked.append(urlsplit(request.url)))
    set_up(page)
    made.add_init_script(KEEP_ANSWERS)
    page.open()
    wait_until_ready(page)
    page.watch()
    return page


def set_up(page):
    """Give the server the page's settings: other tests give it theirs, and a page reads them as it is opened."""
    own = {"Comfy.VueNodes.Enabled": page.style == "modern", "Comfy.Locale": page.language}
    with Client(page.url) as client:
        client.post_json("/settings", {**AT_WORK, **own})


def restyle(page, style):
    """Switch the page to a style of nodes, as its settings do."""
    if page.style != style:
        page.style = style
        page.page.evaluate(
            "modern => app.extensionManager.setting.set('Comfy.VueNodes.Enabled', modern)", style == "modern"
        )
        page.page.get_by_test_id("transform-pane").wait_for(state="visible" if style == "modern" else "detached")


def speak(page, language):
    """Have the page in a language; ComfyUI takes the nodes' words as it is loaded."""
    if page.language != language:
        page.language = language
        reload(page)


def reload(page):
    """Reload the page as somebody at work does; complaints are collected anew, as ComfyUI's own start has some."""
    set_up(page)
    page.page.reload()
    wait_until_ready(page)
    page.complaints.clear()
