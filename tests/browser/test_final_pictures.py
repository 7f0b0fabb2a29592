"""When a node has run, its result is the picture that is seen, and once."""

import json

import pytest
from harness.paths import ROOT

PATIENCE = 600.0
WORKFLOWS = {"01 Quickstart": "PaintSeg_AMCPLoop", "06 Several objects": "PaintSeg_Objects"}


SEEDS = {"classic": 1, "modern": 2}  # what has run with the same seed is cached, and shows no steps


def quick(name, seed):
    """A bundled workflow on the fast preset."""
    workflow = json.loads((ROOT / "workflows" / f"{name}.json").read_text(encoding="utf-8"))
    for node in workflow["nodes"]:
        values = node.get("widgets_values") or []
        if "balanced" in values:
            place = values.index("balanced")
            values[place : place + 2] = ["fast", seed]
    return workflow


def count_live_previews(desk):
    desk.page.evaluate(
        "() => { window.live = 0; app.api.addEventListener('b_preview_with_metadata', () => { window.live += 1 }) }"
    )


def pictures(desk, node):
    """Addresses of the pictures seen on a node: in Nodes 2.0 elements, in classic ones what the canvas draws."""
    if desk.style == "modern":
        return desk.page.evaluate(
            "id => [...document.querySelectorAll(`[data-node-id='${id}'] img`)].map(image => image.src)", node
        )
    return desk.page.evaluate("id => (app.graph.getNodeById(id).imgs ?? []).map(image => image.src)", node)


@pytest.mark.slow
@pytest.mark.parametrize("name", WORKFLOWS)
def test_the_result_takes_the_place_of_the_live_preview(desk, name):
    desk.load(quick(name, SEEDS[desk.style]))
    node = desk.nodes(WORKFLOWS[name])[0]["id"]
    count_live_previews(desk)
    desk.show_all()
    assert desk.run(PATIENCE) == "execution_success"
    desk.settle()
    desk.page.wait_for_timeout(1500)  # longer than the front ends take to drop a preview
    assert desk.page.evaluate("window.live") >= 1
    (shown,) = pictures(desk, node)
    assert "/view?" in shown and not shown.startswith("blob:")


@pytest.mark.slow
def test_inside_a_subgraph_too(desk):
    blueprint = json.loads((ROOT / "subgraphs" / "Mask an object.json").read_text(encoding="utf-8"))
    photo = {
        "id": 100,
        "type": "LoadImage",
        "pos": [-400, 0],
        "size": [330, 400],
        "flags": {},
        "mode": 0,
        "inputs": [],
        "outputs": [{"name": "IMAGE", "type": "IMAGE", "links": [1]}, {"name": "MASK", "type": "MASK"}],
        "properties": {},
        "widgets_values": ["paintseg_astronaut.png", "image"],
    }
    (host,) = blueprint["nodes"]
    host["inputs"][0]["link"] = 1
    host["pos"] = [0, 0]
    blueprint |= {
        "nodes": [photo, host],
        "links": [[1, 100, 0, host["id"], 0, "IMAGE"]],
        "last_node_id": 100,
        "last_link_id": 1,
    }
    desk.load(blueprint)
    desk.page.evaluate(
        """wanted => app.graph._nodes.flatMap(node => node.widgets ?? []).filter(({ name }) => name in wanted)
            .forEach(widget => { widget.value = wanted[widget.name] })""",
        {"preset": "fast", "seed": 10 + SEEDS[desk.style]},
    )
    count_live_previews(desk)
    assert desk.run(PATIENCE) == "execution_success"
    desk.settle()
    desk.page.wait_for_timeout(1500)
    assert desk.page.evaluate("window.live") >= 1
    assert desk.page.evaluate("Object.keys(app.nodePreviewImages)") == []
    assert desk.page.evaluate("Object.keys(app.nodeOutputs).some(key => key.includes(':'))")
