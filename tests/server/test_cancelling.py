"""Whatever node is cancelled, the next run gives what an undisturbed one gives."""

import time

import numpy as np
import pytest
from harness.paths import PHOTO

SIDE = {"width": 128, "height": 128}
BOX = {"kind": "box", "boxes": "[[86, 2, 120, 74]]"}
NODES = {
    "RemoveObject": (BOX, {"seed": 1, "candidates": 4, "shadow": False}),
    "Layers": (BOX, {"seed": 1, "candidates": 2, "most": 1, "shadow": False, "preset": "fast"}),
    "Video": (BOX, {"mode": "independent", "seed": 1, "preset": "fast"}),
    "Candidates": ({"kind": "point", "kind.x": 102, "kind.y": 40}, {"seed": 1, "preset": "fast"}),
    "Discover": (None, {"objects": 1}),
}
PICTURE = {"Video": 2, "Candidates": 4}  # the output that is an image, where it is not the first
MANY = ("Video", "Discover")  # have enough to do with a batch only


def shows(graph, name):
    """A graph that runs the node, and the ids of the node and of its preview."""
    asked, inputs = NODES[name]
    photo = graph.add("LoadImage", image=PHOTO.name)
    photo = [graph.add("ImageScale", image=[photo, 0], upscale_method="area", crop="disabled", **SIDE), 0]
    wire = {}
    if asked:
        prompt = graph.add("PaintSeg_PromptToMask", image=photo, **asked)
        wire = {"mask": [prompt, 1]} if name == "RemoveObject" else {"prompt": [prompt, 0]}
    photo = [graph.add("RepeatImageBatch", image=photo, amount=3), 0] if name in MANY else photo
    node = graph.add(f"PaintSeg_{name}", image=photo, **wire, **inputs)
    picture = [node, PICTURE.get(name, 0)]
    if name == "Discover":
        picture = [graph.add("MaskToImage", mask=[node, 1]), 0]
    return node, graph.add("PreviewImage", images=picture)


LONG = ("Video", "Candidates", "Discover")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.long] if name in LONG else []) for name in NODES]
)
def test_after_a_cancelled_node_the_next_run_gives_the_same(name, client, graph, shown):
    node, preview = shows(graph, name)
    client.free()
    expected = shown(client.run(graph), preview)
    client.free()
    events = client.follow(client.queue(graph))
    next(event for event in events if event.kind == "executing" and event.data["node"] == node)
    time.sleep(0.05)
    client.interrupt()
    last = list(events)[-1].kind
    assert last == "execution_interrupted"
    client.free()
    for one, other in zip(shown(client.run(graph), preview), expected, strict=True):
        np.testing.assert_array_equal(one, other)
