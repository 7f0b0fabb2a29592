"""What bundled workflows are put together from: the photo and its note, the prompt, the method, core's editors."""

from __future__ import annotations

import json
from collections.abc import Sequence

from .workflow import Node, Output, Workflow

Place = tuple[int, int]
"""(x, y), a pixel."""

ASTRONAUT, COFFEE = "paintseg_astronaut.png", "paintseg_coffee.jpg"
SHUTTLE = {"x": 346, "y": 0, "width": 136, "height": 298}
HELMET = {"x": 272, "y": 340, "width": 240, "height": 172}
WOMAN = {"x": 20, "y": 5, "width": 350, "height": 507}
SAUCER = {"x": 70, "y": 60, "width": 415, "height": 332}
IN_FIRST_FRAME = {"x": 178, "y": 0, "width": 134, "height": 286}
WHOLE = {"x": 0, "y": 0, "width": 512, "height": 512}
RED, GREEN = "#eb4637", "#3cd282"


def start(flow: Workflow, title: str, text: str, photo: str = ASTRONAUT) -> Node:
    """The photo, and the note under it."""
    image = flow.add("LoadImage", image=photo)
    flow.note("How to", f"## {title}\n\n{text}")
    return image


def prompt_of(flow: Workflow, image: Output, **inputs: object) -> Node:
    """PaintSeg Prompt. Its box lies around the whole photo where it counts for nothing.

    With boxes wired it is folded up: its own box counts for nothing then and must not look as if it did.
    Where its box is drawn it is tall, so that classic nodes have room for the photo.
    """
    flow.column()
    folded = isinstance(inputs.get("boxes"), Output)
    size = (260, 260) if folded else (400, 560) if inputs.get("kind") == "box" else None
    return flow.add("PaintSeg_PromptToMask", size=size, collapsed=folded, image=image, **{"box": WHOLE, **inputs})


def click_on(flow: Workflow, image: Output, on: Sequence[Place], off: Sequence[Place] = ()) -> Node:
    """PaintSeg Click with points clicked on the astronaut: on the object, and on what is not."""
    flow.column()
    points = [{"x": x + 0.5, "y": y + 0.5, "label": label} for label, some in ((1, on), (0, off)) for x, y in some]
    clicks = {"version": 1, "size": [512, 512], "points": points, "strokes": [], "box": None, "candidate": 0}
    return flow.add("PaintSeg_Click", image=image, clicks=json.dumps(clicks))


def segment(flow: Workflow, image: Output, prompt: Output) -> list[Node]:
    """The whole method, and its two results that every prompt is tried for: those three nodes."""
    flow.column()
    loop = flow.add("PaintSeg_AMCPLoop", image=image, prompt=prompt)
    flow.column()
    mask = flow.add("MaskPreview", "Mask", mask=loop["mask"])
    return [loop, mask, flow.add("PreviewImage", "Cut-out", images=loop["cut_out"])]


def painter(flow: Workflow, title: str, image: Output, file: str, color: str, size: tuple[int, int]) -> Node:
    """Core's Painter with something painted already. `size` goes in steps of 64; the wired photo's own counts."""
    brush = {
        "painterTool": "brush",
        "painterBrushSize": 14,
        "painterBrushColor": color,
        "painterBrushOpacity": 1,
        "painterBrushHardness": 1,
    }
    return flow.add(
        "Painter", title, properties=brush, image=image, mask=f"paintseg/{file} [input]", width=size[0], height=size[1]
    )


def boxes(flow: Workflow, title: str, image: Output, *drawn: dict[str, int]) -> Node:
    """Core's Create Bounding Boxes with boxes drawn already on the astronaut."""
    flow.column()
    plain = {"type": "obj", "text": "", "desc": "", "palette": []}
    state = [{**box, "metadata": plain} for box in drawn]
    return flow.add("CreateBoundingBoxes", title, background=image, width=512, height=512, editor_state=state)


def text(flow: Workflow, title: str, value: object) -> Node:
    """A list as JSON."""
    return flow.add("PrimitiveStringMultiline", title, value=json.dumps(value))
