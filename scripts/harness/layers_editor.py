"""The editor on PaintSeg Reassemble, in the words of a person who moves layers on the picture."""

from __future__ import annotations

import json
from typing import Any

from .click_editor import ClickEditor, Place, node
from .paths import PHOTO

KIND = "PaintSeg_Reassemble"
KNOB = 26  # pixels of the stage between a frame and its knob (web/js/layers/editor.js)
REST = [0, 0, 0, 1, 0, False, 1, 0]
"""What the node's numbers are when they move nothing: layer, dx, dy, scale, rotation, flip, opacity, shadow."""


class LayersEditor(ClickEditor):
    """Drives the editor of the `index`-th PaintSeg Reassemble on a page; `size` is its plate's width and height."""

    kind, names, widget, edge = KIND, ".paintseg-layers", "placements", 30

    @property
    def placements(self) -> list[dict[str, Any]]:
        """The node's placements without their fingerprints."""
        listed = json.loads(self.text or "[]")
        return [{name: value for name, value in one.items() if name != "fingerprint"} for one in listed]

    def above_by_knob(self, place: Place) -> Place:
        """The knob that turns, in pixels of the plate, above a place on the upper edge of a frame."""
        width, height = self.stage.evaluate("stage => [stage.clientWidth, stage.clientHeight]")
        scale = min((width - 2 * self.edge) / self.size[0], (height - 2 * self.edge) / self.size[1])
        return place[0], place[1] - KNOB / scale


def workflow(
    *masks: str, photo: str = PHOTO.name, numbers: list[Any] | None = None, placements: str = ""
) -> dict[str, Any]:
    """A photo, and over it, by PaintSeg Reassemble, what one or two masks of the input folder cut out of it."""
    nodes = [node(1, "LoadImage", (0, 0), (330, 400), [photo, "image"], outputs=[_image(), _mask()])]
    links: list[list[Any]] = []

    def wire(source: int, slot: int, target: int, name: str, kind: str = "IMAGE") -> None:
        there = {one["id"]: one for one in nodes}
        links.append([len(links) + 1, source, slot, target, len(there[target]["inputs"]), kind])
        there[source]["outputs"][slot]["links"].append(len(links))
        there[target]["inputs"].append({"name": name, "type": kind, "link": len(links)})

    last = 0
    for number, mask in enumerate(masks):
        loaded, cut = 10 + 2 * number, 11 + 2 * number
        down = 450 * number
        nodes.append(node(loaded, "LoadImageMask", (0, 450 + down), (330, 400), [mask, "red"], outputs=[_mask()]))
        nodes.append(node(cut, "PaintSeg_CutOut", (380, down), (340, 140), [0.0, "mask", False], outputs=[_image()]))
        wire(1, 0, cut, "image")
        wire(loaded, 0, cut, "mask", "MASK")
        if last:
            nodes.append(node(2, "ImageBatch", (380, 200), (340, 80), [], outputs=[_image()]))
            wire(last, 0, 2, "image1")
            wire(cut, 0, 2, "image2")
        last = 2 if last else cut
    values = [*(numbers or REST), placements]
    nodes.append(node(4, KIND, (770, 0), (460, 900), values, outputs=[_image()]))
    wire(1, 0, 4, "plate")
    wire(last, 0, 4, "layers")
    nodes.append(node(5, "PreviewImage", (1280, 0), (400, 430), []))
    wire(4, 0, 5, "images")
    return {"nodes": nodes, "links": links, "last_node_id": 20, "last_link_id": len(links), "version": 0.4}


def _image() -> dict[str, Any]:
    return {"name": "IMAGE", "type": "IMAGE", "links": []}


def _mask() -> dict[str, Any]:
    return {"name": "MASK", "type": "MASK", "links": []}
