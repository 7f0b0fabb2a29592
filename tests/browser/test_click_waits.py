"""Clicks while a graph runs on the processor, which answers wait for."""

from harness.click_editor import node, workflow

from .clicking import ROCKET, complaints, opened, photograph

INSIDE, NEW = (400, 130), (187, 263)  # on the rocket; where no other test clicks, whose answers the page would know
STARTED = """() => {
    window.started = null
    const tell = ({ detail }) => { window.started = String(detail?.node ?? detail) }
    app.api.addEventListener("executing", tell)
}"""


def is_green(colour):
    return colour[1] > colour[0] + 10


def test_while_a_graph_runs_the_line_says_so_and_the_old_mask_stays_dimmed(desk, client):
    flow = workflow()
    flow["nodes"].append(node(5, "UntilStopped", (900, 0), (200, 100), values=[]))
    editor = opened(desk, flow | {"last_node_id": 5})
    plain = editor.colour(INSIDE)
    editor.answer(lambda: editor.click(ROCKET))
    fresh = editor.colour(INSIDE)
    desk.page.evaluate(STARTED)
    desk.page.get_by_test_id("queue-button").click()
    try:
        desk.page.wait_for_function("window.started === '5'")
        editor.click(NEW, button="right")
        editor.wait_for(lambda: editor.said == "Waits for the running graph ...", seconds=5)
        desk.page.wait_for_timeout(300)
        photograph(desk, "waits")
        old = editor.colour(INSIDE)
        assert is_green(fresh) and is_green(old) and old not in (fresh, plain)
        assert editor.root.get_attribute("aria-busy") == "true"
    finally:
        client.interrupt()
    editor.settle()
    assert "% of the photo" in editor.said and len(editor.points) == 2
    assert complaints(desk) == []
