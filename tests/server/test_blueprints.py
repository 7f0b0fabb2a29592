"""The subgraph blueprints, as ComfyUI hands them to its node library, and run."""

import io
import json

import numpy as np
import pytest
from harness import blueprints
from harness.convert import to_prompt
from harness.paths import HUMAN_MASK, PACK_NAME, PHOTO, ROOT
from PIL import Image

NAMES = ("Mask an object", "Remove object")
SHUTTLE = np.asarray(Image.open(HUMAN_MASK).convert("L")) > 127


@pytest.fixture
def served(client):
    """The blueprints of this pack that the server hands out, by name."""
    listed = client.get_json("/global_subgraphs")
    ours = {key: entry for key, entry in listed.items() if entry["info"]["node_pack"] == f"custom_nodes.{PACK_NAME}"}
    return {
        entry["name"]: json.loads(client.get_json(f"/global_subgraphs/{key}")["data"]) for key, entry in ours.items()
    }


def unpacked(blueprint, photo):
    """The graph inside, as a workflow of its own: `photo` in place of its image input, its first output shown."""
    (inside,) = blueprint["definitions"]["subgraphs"]
    load = {"id": 1000, "type": "LoadImage", "mode": 0, "inputs": [], "widgets_values": [photo, "image"]}
    links = []
    for link in inside["links"]:
        origin, slot = link["origin_id"], link["origin_slot"]
        if origin == blueprints.INSIDE and inside["inputs"][slot]["name"] == "image":
            origin, slot = load["id"], 0
        if origin != blueprints.INSIDE and link["target_id"] != blueprints.OUTSIDE:
            links.append([link["id"], origin, slot, link["target_id"], link["target_slot"], link["type"]])
    return {"nodes": [load, *inside["nodes"]], "links": links}


def test_both_are_listed_and_are_what_the_tool_writes(schemas, served):
    assert tuple(sorted(served)) == NAMES
    assert served == blueprints.build_all(schemas)
    assert {path.stem for path in (ROOT / "subgraphs").glob("*.json")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_link_joins_an_output_to_an_input_of_its_type(served, name):
    (inside,) = served[name]["definitions"]["subgraphs"]
    nodes = {node["id"]: node for node in inside["nodes"]}
    for link in inside["links"]:
        origin, target = link["origin_id"], link["target_id"]
        start = (inside["inputs"] if origin == blueprints.INSIDE else nodes[origin]["outputs"])[link["origin_slot"]]
        end = (inside["outputs"] if target == blueprints.OUTSIDE else nodes[target]["inputs"])[link["target_slot"]]
        assert link["type"] in start["type"].split(",") or link["type"] == start["type"]
        assert set(link["type"].split(",")) & set(end["type"].split(","))
        assert link["id"] in (start.get("linkIds") or start.get("links"))
        assert link["id"] in [end.get("link"), *end.get("linkIds", [])]


@pytest.mark.parametrize("name", NAMES)
def test_node_shows_the_inputs_and_outputs_of_the_graph_inside(served, name):
    (node,), (inside,) = served[name]["nodes"], served[name]["definitions"]["subgraphs"]
    assert node["type"] == inside["id"]
    assert inside["description"] and inside["category"]
    for side in ("inputs", "outputs"):
        assert [(one["name"], one["type"]) for one in node[side]] == [
            (one["name"], one["type"]) for one in inside[side]
        ]
    promoted = [name for name, socket in ((one["name"], one) for one in node["inputs"]) if "widget" in socket]
    assert [widget for _, widget in node["properties"]["proxyWidgets"]] == promoted


@pytest.mark.parametrize(("name", "output"), [("Mask an object", "mask"), ("Remove object", "image")])
def test_graph_inside_runs(client, schemas, served, name, output):
    prompt = to_prompt(unpacked(served[name], PHOTO.name), schemas)
    (inside,) = served[name]["definitions"]["subgraphs"]
    shown = next(one for one in inside["outputs"] if one["name"] == output)
    (source,) = [link for link in inside["links"] if link["id"] in shown["linkIds"]]
    kind = {"mask": ("MaskPreview", "mask"), "image": ("PreviewImage", "images")}[output]
    wire = [str(source["origin_id"]), source["origin_slot"]]
    prompt["show"] = {"class_type": kind[0], "inputs": {kind[1]: wire}, "_meta": {"title": "show"}}
    for node in prompt.values():
        node["inputs"] |= {
            key: value for key, value in {"preset": "fast", "candidates": 1}.items() if key in node["inputs"]
        }
    run = client.run(prompt)
    assert run.status == "success", run.error
    picture = np.asarray(Image.open(io.BytesIO(client.download(run.outputs["show"]["images"][0]))))
    if output == "mask":
        found = picture[..., 0] > 127
        assert (found & SHUTTLE).sum() / (found | SHUTTLE).sum() > 0.7
    else:
        photo = np.asarray(Image.open(PHOTO).convert("RGB")).astype(int)
        changed = np.abs(picture - photo).max(-1) > 12
        assert changed[SHUTTLE].mean() > 0.8
        assert changed[:, :300].sum() == 0
