"""The subgraph blueprints: small graphs that ComfyUI's node library offers as one node."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from .bundled_parts import SHUTTLE
from .workflow import Node, Output, Schemas, Workflow

INSIDE, OUTSIDE = -10, -20
CATEGORY = "PaintSeg"

Inlet = tuple[str, Sequence[tuple[Node, str]]]
"""Name of a subgraph's input, and the inner inputs it feeds."""

Outlet = tuple[str, Output]
"""Name of a subgraph's output, and the inner output it shows."""


def build_all(schemas: Schemas) -> dict[str, dict[str, Any]]:
    """File names without suffix, and what the files hold.

    ComfyUI's search lists first what begins with the word typed, and knows no other words for a blueprint: so the
    names are what a person would type.
    """
    return {"Mask an object": _segment(schemas), "Remove object": _remove(schemas)}


def _segment(schemas: Schemas) -> dict[str, Any]:
    flow = Workflow("Mask an object", schemas)
    prompt = flow.add("PaintSeg_PromptToMask", kind="box", box=SHUTTLE)
    flow.column()
    loop = flow.add("PaintSeg_AMCPLoop", prompt=prompt["prompt"])
    return subgraph(
        flow,
        [
            ("image", [(prompt, "image"), (loop, "image")]),
            ("boxes", [(prompt, "boxes")]),
            ("points", [(prompt, "points")]),
            ("negative_points", [(prompt, "negative_points")]),
            ("box", [(prompt, "box")]),
            ("preset", [(loop, "preset")]),
            ("seed", [(loop, "seed")]),
        ],
        [("mask", loop["mask"]), ("soft_mask", loop["soft_mask"]), ("cut_out", loop["cut_out"])],
        "Finds the object in a box: its mask, hard and soft, and the object as a layer with transparency. Works on "
        "the models that come with PaintSeg.",
    )


def _remove(schemas: Schemas) -> dict[str, Any]:
    flow = Workflow("Remove object", schemas)
    prompt = flow.add("PaintSeg_PromptToMask", kind="box", box=SHUTTLE)
    flow.column()
    loop = flow.add("PaintSeg_AMCPLoop", prompt=prompt["prompt"])
    flow.column()
    removed = flow.add("PaintSeg_RemoveObject", mask=loop["mask"])
    return subgraph(
        flow,
        [
            ("image", [(prompt, "image"), (loop, "image"), (removed, "image")]),
            ("boxes", [(prompt, "boxes")]),
            ("box", [(prompt, "box")]),
            ("preset", [(loop, "preset")]),
            ("shadow", [(removed, "shadow")]),
            ("seed", [(removed, "seed")]),
        ],
        [("image", removed["plate"]), ("mask", loop["mask"])],
        "Takes the object in a box out of the photo, with its shadow where it has one. Every pixel outside the hole "
        "stays as it was. Works on the models that come with PaintSeg.",
    )


def subgraph(flow: Workflow, inlets: Sequence[Inlet], outlets: Sequence[Outlet], description: str) -> dict[str, Any]:
    """A blueprint file: a workflow of one node, and the graph inside it."""
    inner = flow.to_json()
    key = inner["id"]
    nodes = {node["id"]: node for node in inner["nodes"]}
    links = [
        {"id": link, "origin_id": origin, "origin_slot": slot, "target_id": target, "target_slot": into, "type": kind}
        for link, origin, slot, target, into, kind in inner["links"]
    ]

    def wire(origin: int, slot: int, target: int, into: int, kind: str) -> int:
        links.append(
            {
                "id": len(links) + 1,
                "origin_id": origin,
                "origin_slot": slot,
                "target_id": target,
                "target_slot": into,
                "type": kind,
            }
        )
        return len(links)

    inputs, sockets, promoted = [], [], []
    for slot, (name, fed) in enumerate(inlets):
        entries = []
        for node, wanted in fed:
            place, entry = next(
                (place, entry) for place, entry in enumerate(nodes[node.id]["inputs"]) if entry["name"] == wanted
            )
            entry["link"] = wire(INSIDE, slot, node.id, place, entry["type"])
            entries.append(entry)
        inputs.append(
            {
                "id": _id(key, "in", name),
                "name": name,
                "type": entries[0]["type"],
                "linkIds": [entry["link"] for entry in entries],
            }
        )
        socket = {"name": name, "type": entries[0]["type"], "link": None}
        if "widget" in entries[0]:
            socket["widget"] = {"name": name}
            promoted.append([str(fed[0][0].id), fed[0][1]])
        sockets.append(socket)
    outputs = []
    for slot, (name, shown) in enumerate(outlets):
        link = wire(shown.node.id, shown.slot, OUTSIDE, slot, shown.kind)
        own = nodes[shown.node.id]["outputs"][shown.slot]
        own["links"] = [*(own["links"] or []), link]
        outputs.append({"id": _id(key, "out", name), "name": name, "type": shown.kind, "linkIds": [link]})
    own_id = inner["last_node_id"] + 1  # ids must differ from those inside
    right = max(node["pos"][0] + node["size"][0] for node in nodes.values())
    state = {"lastGroupId": 0, "lastNodeId": inner["last_node_id"], "lastLinkId": len(links), "lastRerouteId": 0}
    instance = {
        "id": own_id,
        "type": key,
        "pos": [0, 0],
        "size": [400, 240],
        "flags": {},
        "order": 0,
        "mode": 0,
        "inputs": sockets,
        "outputs": [{"name": name, "type": shown.kind, "links": None} for name, shown in outlets],
        "title": flow.name,
        "properties": {"proxyWidgets": promoted},
        "widgets_values": [],
    }
    definition = {
        "id": key,
        "version": 1,
        "state": state,
        "revision": 0,
        "config": {},
        "name": flow.name,
        "inputNode": {"id": INSIDE, "bounding": [-220, 0, 140, 40 + 20 * len(inputs)]},
        "outputNode": {"id": OUTSIDE, "bounding": [right + 80, 0, 120, 40 + 20 * len(outputs)]},
        "inputs": inputs,
        "outputs": outputs,
        "widgets": [],
        "nodes": list(nodes.values()),
        "groups": [],
        "links": links,
        "extra": {},
        "category": CATEGORY,
        "description": description,
    }
    return {
        "id": _id(key, "file", flow.name),
        "revision": 0,
        "last_node_id": own_id,
        "last_link_id": 0,
        "nodes": [instance],
        "links": [],
        "groups": [],
        "definitions": {"subgraphs": [definition]},
        "config": {},
        "extra": {},
        "version": 0.4,
    }


def _id(key: str, *words: str) -> str:
    return str(uuid.uuid5(uuid.UUID(key), "/".join(words)))
