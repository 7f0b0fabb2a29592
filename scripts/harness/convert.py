"""Turn a workflow as the browser saves it into the prompt that ComfyUI's HTTP interface takes.

Made for this pack's own workflows: widgets, links, muted nodes and notes. What it does not know (subgraphs,
reroutes, bypassed nodes) it refuses rather than guesses. comfy-cli has a general converter, but version 1.23
puts the default box in place of one drawn on an image and loses the choice of an option without inputs; the tests
hold this one against the browser's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

NOTES = {"Note", "MarkdownNote"}
MUTED = 2
BYPASSED = 4
WIDGETS = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO", "BOUNDING_BOX", "BOUNDING_BOXES", "COLOR", "PAINTSEG_CLICKS"}
WITHOUT_SLOT = {"PAINTSEG_CLICKS"}  # nothing can be wired to these, in the browser
DYNAMIC_COMBO = "COMFY_DYNAMICCOMBO_V3"
BOX_FIELDS = 4  # a box widget saves its value and, behind it, the four numbers of its classic form


class NotConvertible(ValueError):
    """The workflow uses something this converter does not know; the message names the node."""


def to_prompt(workflow: dict[str, Any], object_info: dict[str, Any]) -> dict[str, Any]:
    """The API form of `workflow` (version 0.4), read with the schemas of a running server."""
    muted = {node["id"] for node in workflow["nodes"] if node["mode"] == MUTED}
    # Links are arrays: id, from node, from slot, to node, to slot, type.
    sources = {link[0]: (link[1], link[2]) for link in workflow["links"] if link[1] not in muted}
    prompt = {}
    for node in workflow["nodes"]:
        if node["type"] in NOTES or node["id"] in muted:
            continue
        if node["mode"] == BYPASSED or node["type"] not in object_info:
            raise NotConvertible(f"Node {node['id']} ({node['type']}) is bypassed or not known to this server.")
        schema = object_info[node["type"]]
        inputs = dict(_widget_values(node, schema["input"]))
        for socket in node.get("inputs", []):
            if socket.get("link") in sources:
                origin, slot = sources[socket["link"]]
                inputs[socket["name"]] = [str(origin), slot]
        title = node.get("title") or schema["display_name"] or node["type"]
        prompt[str(node["id"])] = {"class_type": node["type"], "inputs": inputs, "_meta": {"title": title}}
    return prompt


def _widget_values(node: dict[str, Any], schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    values = list(node.get("widgets_values") or [])
    try:
        yield from _take(values, schema, "")
    except IndexError:
        message = f"Node {node['id']} ({node['type']}) holds fewer values than it has widgets."
        raise NotConvertible(message) from None
    if values:
        raise NotConvertible(f"Node {node['id']} ({node['type']}) holds values no widget takes: {values}.")


def _take(values: list[Any], schema: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """Hand out the saved values in the order in which the browser makes the widgets."""
    yield from _take_section(values, schema.get("required", {}), prefix)
    # The button that uploads a file stands behind all that is required.
    for _ in range(sum(map(is_upload, schema.get("required", {}).values()))):
        values.pop(0)
    yield from _take_section(values, schema.get("optional", {}), prefix)


def _take_section(values: list[Any], section: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, spec in section.items():
        kind, options = spec[0], spec[1] if len(spec) > 1 else {}
        kind = "COMBO" if isinstance(kind, list) else kind
        if options.get("forceInput"):
            continue
        if kind == DYNAMIC_COMBO:
            chosen = values.pop(0)
            yield prefix + name, chosen
            below = next(option["inputs"] for option in options["options"] if option["key"] == chosen)
            yield from _take(values, below, f"{prefix}{name}.")
        elif kind in WIDGETS:
            value = values.pop(0)
            # A list would be read as a link; the browser wraps it too.
            yield prefix + name, {"__value__": value} if isinstance(value, list) else value
            for _ in range(companions(name, kind, options)):
                values.pop(0)


def companions(name: str, kind: str, options: dict[str, Any]) -> int:
    """How many values the browser saves behind a widget's own that the server never sees."""
    if kind == "BOUNDING_BOX":
        return BOX_FIELDS
    return int(bool(options.get("control_after_generate", kind == "INT" and name in ("seed", "noise_seed"))))


def is_upload(spec: list[Any]) -> bool:
    """Whether an input, by its schema, brings a button that uploads a file."""
    options = spec[1] if len(spec) > 1 else {}
    wanted = options.get("image_upload") or options.get("video_upload")
    return bool(wanted) and options.get("widgetType") != "PAINTER"
