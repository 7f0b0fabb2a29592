"""A node that shows its steps while it runs ends with its result, whatever the front end makes of it."""

import io

import numpy as np
import pytest
from PIL import Image

LIVE = ("PaintSeg_AMCPLoop", "PaintSeg_Candidates", "PaintSeg_Objects", "PaintSeg_Video")


def small(picture):
    return np.asarray(picture.convert("RGB").resize((128, 128))).astype(int)


@pytest.mark.parametrize("kind", LIVE)
def test_the_last_preview_is_the_picture_the_node_ends_with(client, graph, kind):
    photo, prompt = graph.prompt()
    if kind == "PaintSeg_Candidates":
        graph[prompt]["inputs"] |= {"kind": "point", "kind.x": 410, "kind.y": 150}
    node = graph.method(kind, photo, prompt, **({"mode": "follow"} if kind == "PaintSeg_Video" else {}))
    queued = client.queue(graph)
    events = list(client.follow(queued))
    run = client.finished(queued, events)
    assert run.status == "success", run.error
    previews = [event for event in events if event.kind == "preview" and event.data.get("node_id", node) == node]
    assert len(previews) >= 2  # a step or more, and the result
    last = Image.open(io.BytesIO(previews[-1].image))
    shown = Image.open(io.BytesIO(client.download(run.outputs[node]["images"][0])))
    assert last.size == shown.size
    assert np.abs(small(last) - small(shown)).mean() < 3
