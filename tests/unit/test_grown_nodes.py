"""Nodes grow when they have run; the workflows keep that room free."""

import json

import pytest
from harness.paths import ROOT
from harness.workflow import GROWN, TITLE

MEASURED = {"PaintSeg_SaveLayers": 443}  # pixels, in Nodes 2.0 of front end 1.58.1, with its picture


@pytest.mark.parametrize("path", sorted((ROOT / "workflows").glob("*.json")), ids=lambda path: path.stem)
def test_no_node_grows_into_the_one_below_it(path):
    nodes = json.loads(path.read_text(encoding="utf-8"))["nodes"]
    for node in nodes:
        (left, top), width = node["pos"], node["size"][0]
        end = top + max(node["size"][1], MEASURED.get(node["type"], 0), GROWN.get(node["type"], 0))
        for other in nodes:
            (x, y), wide = other["pos"], other["size"][0]
            if y > top and x < left + width and left < x + wide:
                assert end <= y - TITLE, (node["type"], other.get("title") or other["type"])
