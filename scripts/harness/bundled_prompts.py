"""The bundled workflows that show every other way to point at something."""

from __future__ import annotations

from .bundled_parts import GREEN, HELMET, SHUTTLE, WOMAN, painter, prompt_of, segment, start, text
from .workflow import Workflow


def edited(flow: Workflow, title: str, text: str, picture: str, kind: str, socket: str) -> None:
    """A photo whose file the mask editor has painted on; the painted part is the prompt."""
    photo = start(flow, title, text, picture)
    prompt = prompt_of(flow, photo["IMAGE"], kind=kind, **{f"kind__{socket}": photo["MASK"]})
    segment(flow, photo["IMAGE"], prompt["prompt"])


def painted(flow: Workflow, title: str, text: str, name: str, drawing: str, kind: str, socket: str) -> None:
    """The astronaut, and what was painted over her in Painter; that is the prompt."""
    photo = start(flow, title, text)
    flow.column()
    drawn = painter(flow, name, photo["IMAGE"], drawing, GREEN, (512, 512))
    prompt = prompt_of(flow, photo["IMAGE"], kind=kind, **{f"kind__{socket}": drawn["MASK"]})
    segment(flow, photo["IMAGE"], prompt["prompt"])


def box_drawn(flow: Workflow) -> None:
    photo = start(
        flow,
        "A box on the photo",
        "Put the box around the object in **PaintSeg Prompt**: drag its corners on the picture (with *Nodes 2.0* "
        "switched on in ComfyUI's menu), or type its four numbers. Then press **Run**.",
    )
    prompt = prompt_of(flow, photo["IMAGE"], kind="box", box=SHUTTLE)
    segment(flow, photo["IMAGE"], prompt["prompt"])


def box_numbers(flow: Workflow) -> None:
    photo = start(
        flow,
        "A box from another node",
        "Whatever gives a bounding box can be wired to *boxes*: detectors, core's **Bounding Box** as here, or "
        "**Create Bounding Boxes**. The box in PaintSeg Prompt then counts for nothing and is not shown.",
    )
    flow.column()
    box = flow.add("PrimitiveBoundingBox", **HELMET)
    prompt = prompt_of(flow, photo["IMAGE"], kind="box", boxes=box["BOUNDING_BOX"])
    segment(flow, photo["IMAGE"], prompt["prompt"])


def box_text(flow: Workflow) -> None:
    photo = start(
        flow,
        "Boxes as text",
        "Four numbers per box: left, top, right, bottom, in pixels. Detectors write them so (BBOX). One box for all "
        "images, one per image of a batch, or several for one image: then there is a mask for each.",
    )
    flow.column()
    box = text(flow, "Left, top, right, bottom", [[20, 5, 370, 512]])
    prompt = prompt_of(flow, photo["IMAGE"], kind="box", boxes=box["STRING"])
    segment(flow, photo["IMAGE"], prompt["prompt"])


def box_and_points(flow: Workflow) -> None:
    photo = start(
        flow,
        "A box and points",
        "A box says how far the object reaches; points say what in it is meant. Here the box around the woman holds a "
        "part of the helmet too, and a point on it that is *not* the object leaves it out.",
    )
    flow.column()
    yes = text(flow, "On the object", [{"x": 225, "y": 125}, {"x": 110, "y": 330}])
    no = text(flow, "Not the object", [{"x": 330, "y": 440}])
    prompt = prompt_of(flow, photo["IMAGE"], kind="box", box=WOMAN, points=yes["STRING"], negative_points=no["STRING"])
    segment(flow, photo["IMAGE"], prompt["prompt"])


def point_numbers(flow: Workflow) -> None:
    photo = start(
        flow,
        "A single point",
        "Two numbers, in pixels from the upper left corner. To find them on the photo set *kind* to box, put a small "
        "box on the object and set *kind* back: with -1 in both the middle of the box is taken.\n\nOne point may mean "
        "a part or the whole; when it takes too little or too much, add points or take a box.",
    )
    prompt = prompt_of(flow, photo["IMAGE"], kind="point", kind__x=400, kind__y=440)
    segment(flow, photo["IMAGE"], prompt["prompt"])


def points_painted(flow: Workflow) -> None:
    painted(
        flow,
        "Points painted as dots",
        "Tap the object a few times in **Painter**: each dot is a point. Dots that touch are one.\n\nPainter needs "
        "*Nodes 2.0*, in ComfyUI's menu.",
        "Dots on the object",
        "paintseg_shuttle_dots.png",
        "point",
        "dots",
    )


def points_mask_editor(flow: Workflow) -> None:
    edited(
        flow,
        "Points from the mask editor",
        "Right-click **Load Image**, choose *Open in MaskEditor*, tap the object and save: each dot is a point. This "
        "picture has three dots on the helmet already.",
        "paintseg_edited_dots.webp",
        "point",
        "dots",
    )


def scribble_mask_editor(flow: Workflow) -> None:
    edited(
        flow,
        "Scribbles from the mask editor",
        "Right-click **Load Image**, choose *Open in MaskEditor*, draw strokes over the object and save. This picture "
        "has some already.\n\nFor strokes on what is *not* the object wire a second mask to *negative_scribble*.",
        "paintseg_edited_strokes.webp",
        "scribble",
        "scribble",
    )


def rough_mask(flow: Workflow) -> None:
    photo = start(
        flow,
        "A rough mask from anywhere",
        "Any MASK will do as a start: hand-drawn, from SAM3 or from a background remover, hard or soft, of any size. "
        "This one is a few straight lines, a quarter as large as the photo. What comes out follows the photo.",
    )
    flow.column()
    rough = flow.add("LoadImageMask", "Rough mask", image="paintseg_rough_mask.png", channel="red")
    prompt = prompt_of(flow, photo["IMAGE"], kind="mask", kind__mask=rough["MASK"])
    segment(flow, photo["IMAGE"], prompt["prompt"])


def mask_painted(flow: Workflow) -> None:
    painted(
        flow,
        "A rough mask painted in the graph",
        "Paint over the object in **Painter**, roughly: what comes out follows the photo. A mask painted beside its "
        "object is put in its place.\n\nPainter needs *Nodes 2.0*, in ComfyUI's menu.",
        "Rough mask",
        "paintseg_helmet_painted.png",
        "mask",
        "mask",
    )


def mask_editor(flow: Workflow) -> None:
    edited(
        flow,
        "A rough mask from the mask editor",
        "Right-click **Load Image**, choose *Open in MaskEditor*, paint over the object and save; a rough job will do. "
        "In this picture the helmet is painted over already.",
        "paintseg_edited_mask.webp",
        "mask",
        "mask",
    )


def label_map(flow: Workflow) -> None:
    photo = start(
        flow,
        "A rough label map",
        "One picture for several objects: every grey other than black is one of them. It may be rough, but as large as "
        "the photo. **Load Image (as Mask)** reads it from any channel; label maps of other packs can be wired as they "
        "are.\n\nThe masks come out in the order of the greys, and do not overlap.",
    )
    flow.column()
    labels = flow.add("LoadImageMask", "Label map", image="paintseg_label_map.png", channel="red")
    flow.column()
    found = flow.add("PaintSeg_Objects", image=photo["IMAGE"], labels=labels["MASK"])
    flow.column()
    flow.add("PreviewImage", "Overview", images=found["overview"])
    flow.add("MaskPreview", "Masks", mask=found["masks"])
