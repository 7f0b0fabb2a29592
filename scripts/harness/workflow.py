"""Workflows as the browser saves them, written down in Python: nodes in columns, wires by name, notes and groups.

What is not said is the widget's default, read from the schemas of a running server; `convert.to_prompt` reads the
result back. Positions are in the browser's pixels, with room between nodes for their titles.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from .convert import DYNAMIC_COMBO, WIDGETS, WITHOUT_SLOT, companions, is_upload

Schemas = dict[str, Any]

GAP = 40
TITLE = 30
NOTE_COLORS = {"color": "#222", "bgcolor": "#000"}  # as core's own templates have them; readable in both styles
NOTE_LETTERS, NOTE_LINE, NOTE_EDGE = 56, 14, 70  # letters to a line, and heights in pixels, as Nodes 2.0 sets them
GROUP_COLOR = "#3f5159"
# Width and height by type, before anything has run.
SIZES = {
    "LoadImage": (330, 400),
    "LoadImageMask": (330, 400),
    "LoadVideo": (330, 400),
    "GetVideoComponents": (330, 90),
    "ImageFromBatch": (330, 110),
    "Painter": (440, 640),
    "CreateBoundingBoxes": (440, 780),
    "PrimitiveBoundingBox": (330, 140),
    "PrimitiveStringMultiline": (400, 150),
    "CreateVideo": (340, 120),
    "SaveVideo": (340, 420),
    "MaskPreview": (340, 370),
    "PreviewImage": (340, 370),
    "PaintSeg_PromptToMask": (400, 260),
    "PaintSeg_Click": (460, 640),
    "PaintSeg_AMCPLoop": (400, 260),
    "PaintSeg_Discover": (400, 110),
    "PaintSeg_Objects": (400, 260),
    "PaintSeg_Video": (400, 300),
    "PaintSeg_AMCPStart": (330, 260),
    "PaintSeg_AMCPStep": (380, 140),
    "PaintSeg_ContrastivePotential": (400, 260),
    "PaintSeg_RemoveObject": (400, 260),
    "PaintSeg_CutOut": (340, 140),
    "PaintSeg_Reassemble": (460, 820),
    "PaintSeg_Amodal": (400, 260),
    "PaintSeg_Layers": (400, 300),
    "PaintSeg_SaveLayers": (400, 160),
}
# What these nodes show once they have run makes them taller, to so many pixels; that room is kept free.
GROWN = {"PaintSeg_AMCPStep": 360, "PaintSeg_Discover": 340, "PaintSeg_SaveLayers": 460}


@dataclass(frozen=True)
class Output:
    """One output of a node."""

    node: Node
    slot: int
    kind: str


@dataclass
class Node:
    """A node of a workflow under construction; `node["mask"]` is its output of that name."""

    id: int
    kind: str
    schema: Schemas
    title: str
    position: tuple[int, int]
    size: tuple[int, int]
    given: dict[str, Any]
    properties: dict[str, Any] = field(default_factory=dict)
    collapsed: bool = False

    def __getitem__(self, name: str) -> Output:
        slot = self.schema["output_name"].index(name)
        return Output(self, slot, self.schema["output"][slot])


class Workflow:
    """A workflow under construction. `name` decides its id, so that writing it again changes nothing."""

    def __init__(self, name: str, schemas: Schemas) -> None:
        self.name = name
        self._schemas = schemas
        self._nodes: list[Node] = []
        self._notes: list[dict[str, Any]] = []
        self._groups: list[dict[str, Any]] = []
        self._app: dict[str, Any] = {}
        self._last = 0
        self._x, self._y = 0, 0

    # --- layout

    def column(self, x: int | None = None, y: int = 0) -> None:
        """Put what follows one below the other from (x, y) on; by default right of everything there is."""
        if x is None:
            x = max(left + width for left, _, width, _ in self._boxes()) + GAP
        self._x, self._y = x, y

    def _place(self, height: int) -> tuple[int, int]:
        place = self._x, self._y
        self._y += height + TITLE + GAP
        return place

    def _boxes(self) -> Iterator[tuple[int, int, int, int]]:
        yield from ((*node.position, *node.size) for node in self._nodes)
        yield from ((*note["pos"], *note["size"]) for note in self._notes)

    # --- parts

    def add(
        self,
        kind: str,
        title: str = "",
        /,
        *,
        size: tuple[int, int] | None = None,
        properties: dict[str, Any] | None = None,
        collapsed: bool = False,
        **inputs: Any,
    ) -> Node:
        """A node at the column's end. `inputs` are wires (Output) or values; `kind__mask` is the input kind.mask."""
        self._last += 1
        size = size or SIZES[kind]
        given = {name.replace("__", "."): value for name, value in inputs.items()}
        schema = self._schemas[kind]
        place = self._place(max(size[1], GROWN.get(kind, 0)))
        node = Node(self._last, kind, schema, title, place, size, given, properties or {}, collapsed)
        unknown = given.keys() - {name for name, _, _, _ in _inputs(schema["input"], node)}
        if unknown:
            raise KeyError(f"{self.name}: {kind} has no input {', '.join(sorted(unknown))}")
        self._nodes.append(node)
        return node

    def note(self, title: str, text: str, width: int = 330) -> None:
        """A Markdown note at the column's end, as tall as its text."""
        self._last += 1
        size = width, note_height(text, width)
        self._notes.append(
            {
                "id": self._last,
                "type": "MarkdownNote",
                "pos": list(self._place(size[1])),
                "size": list(size),
                "flags": {},
                "mode": 0,
                "inputs": [],
                "outputs": [],
                "title": title,
                "properties": {},
                "widgets_values": [text],
                **NOTE_COLORS,
            }
        )

    def group(self, title: str, *nodes: Node) -> None:
        """A titled frame around these nodes."""
        left = min(node.position[0] for node in nodes) - GAP // 2
        top = min(node.position[1] for node in nodes) - TITLE - 2 * GAP
        right = max(node.position[0] + node.size[0] for node in nodes) + GAP // 2
        bottom = max(node.position[1] + node.size[1] for node in nodes) + GAP // 2
        frame = {"id": len(self._groups) + 1, "title": title, "bounding": [left, top, right - left, bottom - top]}
        self._groups.append({**frame, "color": GROUP_COLOR, "font_size": 24, "flags": {}})

    def app(self, inputs: Sequence[tuple[Node, str]], outputs: Sequence[Node]) -> None:
        """What App mode makes a form of: widgets by name, and the nodes whose pictures it shows.

        The file still opens as a graph (no `linearMode`): that is what a template is opened for.
        """
        self._app = {
            "linearData": {
                "inputs": [[node.id, name] for node, name in inputs],
                "outputs": [node.id for node in outputs],
            }
        }

    # --- result

    def to_json(self) -> dict[str, Any]:
        """The file's content, version 0.4."""
        links: list[list[Any]] = []
        nodes = [self._node(node, links) for node in self._nodes]
        for node in nodes:
            for slot, output in enumerate(node["outputs"]):
                output["links"] = [link[0] for link in links if link[1:3] == [node["id"], slot]] or None
        ordered = [{**node, "order": order} for order, node in enumerate([*nodes, *self._notes])]
        return {
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"paintseg/{self.name}")),
            "revision": 0,
            "last_node_id": self._last,
            "last_link_id": len(links),
            "nodes": ordered,
            "links": links,
            "groups": self._groups,
            "config": {},
            "extra": {"ds": {"scale": 0.6, "offset": [130, 120]}, **self._app},
            "version": 0.4,
        }

    def _node(self, node: Node, links: list[list[Any]]) -> dict[str, Any]:
        sockets, below, values = [], [], []
        for name, spec, is_widget, is_nested in _inputs(node.schema["input"], node):
            kind, options = spec
            entry: dict[str, Any] = {"name": name, "type": kind, "link": None}
            if options.get("_optional"):
                entry["shape"] = 7
            if is_widget:
                entry["widget"] = {"name": name}
                wanted = node.given.get(name)
                own = _default(kind, options) if wanted is None or isinstance(wanted, Output) else wanted
                values += _saved(name, kind, options, own)
            if kind not in WITHOUT_SLOT:
                (below if is_widget or is_nested else sockets).append(entry)
        if any(map(is_upload, node.schema["input"].get("required", {}).values())):
            values.append("image")  # the button behind the widgets of core's loaders, which have nothing optional
        entries = sockets + below
        for slot, entry in enumerate(entries):
            source = node.given.get(entry["name"])
            if isinstance(source, Output):
                entry["link"] = len(links) + 1
                links.append([entry["link"], source.node.id, source.slot, node.id, slot, source.kind])
        outputs = [
            {"name": name, "type": kind, "links": None}
            for name, kind in zip(node.schema["output_name"], node.schema["output"], strict=True)
        ]
        return {
            "id": node.id,
            "type": node.kind,
            "pos": list(node.position),
            "size": list(node.size),
            "flags": {"collapsed": True} if node.collapsed else {},
            "mode": 0,
            "inputs": entries,
            "outputs": outputs,
            **({"title": node.title} if node.title else {}),
            "properties": {"Node name for S&R": node.kind, **node.properties},
            "widgets_values": values,
        }


def note_height(text: str, width: int = 330) -> int:
    """How tall a Markdown note is on whose lines all of its text is seen, in pixels."""
    letters = NOTE_LETTERS * width // 330
    shown = re.sub(r"\]\([^)]*\)|[*`#]", "", text)  # neither addresses nor marks take room
    lines = sum(max(1, -(-len(line) // letters)) for line in shown.split("\n"))
    return NOTE_EDGE + NOTE_LINE * lines


def _inputs(schema: Schemas, node: Node, prefix: str = "") -> Iterator[tuple[str, tuple[str, Schemas], bool, bool]]:
    """name, (type, options), whether it is a widget, whether it belongs to an option, in the browser's order."""
    for section in ("required", "optional"):
        for name, spec in schema.get(section, {}).items():
            kind, options = spec[0], dict(spec[1]) if len(spec) > 1 else {}
            if isinstance(kind, list):
                kind, options = "COMBO", {"options": kind, **options}
            options["_optional"] = section == "optional"
            full = prefix + name
            is_widget = kind in WIDGETS | {DYNAMIC_COMBO} and not options.get("forceInput")
            yield full, (kind, options), is_widget, bool(prefix)
            if kind == DYNAMIC_COMBO:
                chosen = node.given.get(full, _default(kind, options))
                below = next(option["inputs"] for option in options["options"] if option["key"] == chosen)
                yield from _inputs(below, node, f"{full}.")


def _default(kind: str, options: Schemas) -> Any:
    if kind == DYNAMIC_COMBO:
        return options["options"][0]["key"]
    if kind == "COMBO":
        return options.get("default", next(iter(options["options"]), None))
    return options.get("default", {"STRING": "", "BOOLEAN": False}.get(kind, 0))


def _saved(name: str, kind: str, options: Schemas, value: Any) -> list[Any]:
    """A widget's value as the browser saves it, with what it saves behind it."""
    if kind == "BOUNDING_BOX":
        return [value, *(value[key] for key in ("x", "y", "width", "height"))]
    return [value, *["fixed"] * companions(name, kind, options)]
