"""The bundled workflows that need no download, as the tool scripts/make_workflows writes them."""

from __future__ import annotations

import json
from collections.abc import Callable

from .workflow import Node, Output, Schemas, Workflow

ASTRONAUT, COFFEE = "paintseg_astronaut.png", "paintseg_coffee.jpg"
SHUTTLE = {"x": 346, "y": 0, "width": 136, "height": 298}
HELMET = {"x": 272, "y": 340, "width": 240, "height": 172}
WOMAN = {"x": 20, "y": 5, "width": 350, "height": 507}
SAUCER = {"x": 70, "y": 60, "width": 415, "height": 332}
IN_FIRST_FRAME = {"x": 178, "y": 0, "width": 134, "height": 286}
WHOLE = {"x": 0, "y": 0, "width": 512, "height": 512}
RED, GREEN = "#eb4637", "#3cd282"
STEPS = 5
TALL = (330, 430)


def build(name: str, schemas: Schemas) -> Workflow:
    """The workflow of that name. Raises KeyError for a name that is not in `NAMES`."""
    workflow = Workflow(name, schemas)
    _MAKERS[name](workflow)
    return workflow


# --- the parts they share


def start(flow: Workflow, title: str, text: str, photo: str = ASTRONAUT) -> Node:
    """The photo, and the note under it."""
    image = flow.add("LoadImage", image=photo)
    flow.note("How to", f"## {title}\n\n{text}", TALL)
    return image


def prompt_of(flow: Workflow, image: Output, **inputs: object) -> Node:
    """PaintSeg Prompt. Its box lies around the whole photo where it counts for nothing."""
    flow.column()
    return flow.add("PaintSeg_PromptToMask", image=image, **{"box": WHOLE, **inputs})


def segment(flow: Workflow, image: Output, prompt: Output) -> Node:
    """The whole method, and its two results that every prompt is tried for."""
    flow.column()
    loop = flow.add("PaintSeg_AMCPLoop", image=image, prompt=prompt)
    flow.column()
    flow.add("MaskPreview", "Mask", mask=loop["mask"])
    flow.add("PreviewImage", "Cut-out", images=loop["cut_out"])
    return loop


def painter(flow: Workflow, title: str, image: Output, file: str, color: str, size: tuple[int, int]) -> Node:
    """Core's Painter with something painted already. `size` goes in steps of 64; the wired photo's own counts."""
    brush = {"painterTool": "brush", "painterBrushSize": 14, "painterBrushColor": color, "painterBrushOpacity": 1,
             "painterBrushHardness": 1}
    return flow.add("Painter", title, properties=brush, image=image, mask=f"paintseg/{file} [input]", width=size[0],
                    height=size[1])


def boxes(flow: Workflow, image: Output, *drawn: dict[str, int]) -> Node:
    """Core's Create Bounding Boxes with boxes drawn already on the astronaut."""
    flow.column()
    plain = {"type": "obj", "text": "", "desc": "", "palette": []}
    state = [{**box, "metadata": plain} for box in drawn]
    return flow.add("CreateBoundingBoxes", background=image, width=512, height=512, editor_state=state)


def text(flow: Workflow, title: str, value: object) -> Node:
    return flow.add("PrimitiveStringMultiline", title, value=json.dumps(value))


# --- the first steps


def quickstart(flow: Workflow) -> None:
    photo = start(
        flow,
        "A box around it",
        "1. Choose your photo in **Load Image**.\n2. Draw a box around the object in **PaintSeg Prompt**. (No picture "
        "there? Switch *Nodes 2.0* on in ComfyUI's menu, or type the four numbers.)\n3. Press **Run**.\n\n"
        "A painter imagines the place without the object, and the mask is where that differs from the photo. No model "
        "to download: both come with the nodes.",
    )
    prompt = prompt_of(flow, photo["IMAGE"], kind="box", box=SHUTTLE)
    segment(flow, photo["IMAGE"], prompt["prompt"])


def points(flow: Workflow) -> None:
    photo = start(
        flow,
        "Points as text",
        "Points are JSON, in pixels from the upper left corner. The point editors of other packs and the nodes of "
        "SAM3 write the same text: wire theirs in place of the two text nodes.\n\n- **points**: on the object. A few, "
        "on its different parts.\n- **negative_points**: on what it is not. Here the helmet, which the suit would "
        "otherwise take along.",
    )
    flow.column()
    yes = text(flow, "On the object", [{"x": 225, "y": 125}, {"x": 110, "y": 330}, {"x": 310, "y": 300}])
    no = text(flow, "Not the object", [{"x": 400, "y": 440}])
    prompt = prompt_of(flow, photo["IMAGE"], kind="point", points=yes["STRING"], negative_points=no["STRING"])
    segment(flow, photo["IMAGE"], prompt["prompt"])


def scribble(flow: Workflow) -> None:
    photo = start(
        flow,
        "Scribbles",
        "Paint over the object in the green **Painter**, and over what it is not in the red one; a few strokes are "
        "enough. (Painter needs *Nodes 2.0*, in ComfyUI's menu.)\n\nThe colour means nothing, the wire does: one goes "
        "to *scribble*, the other to *negative_scribble*. Touch every part that belongs to the object: here cup, "
        "saucer and spoon.",
        COFFEE,
    )
    flow.column()
    size = (576, 384)
    on = painter(flow, "On the object", photo["IMAGE"], "paintseg_strokes_on.png", GREEN, size)
    off = painter(flow, "Not the object", photo["IMAGE"], "paintseg_strokes_off.png", RED, size)
    prompt = prompt_of(
        flow, photo["IMAGE"], kind="scribble", kind__scribble=on["MASK"], negative_scribble=off["MASK"],
        box=WHOLE | {"width": 600, "height": 400},
    )
    segment(flow, photo["IMAGE"], prompt["prompt"])


def automatic(flow: Workflow) -> None:
    photo = start(
        flow,
        "Nothing but the photo",
        "**PaintSeg Discover** looks for what stands out and hands its rough, soft mask to **PaintSeg Segment**, which "
        "finds the true outline.\n\nIt works best with one clear subject. When it takes the wrong thing, point at the "
        "right one with PaintSeg Prompt instead.",
    )
    flow.column()
    found = flow.add("PaintSeg_Discover", image=photo["IMAGE"])
    flow.add("MaskPreview", "Rough mask", mask=found["mask"])
    segment(flow, photo["IMAGE"], found["prompt"])


# --- how it works


def step_by_step(flow: Workflow) -> None:
    photo = start(
        flow,
        "The method, step by step",
        "Read the columns from left to right; each is one step of the method (figure 4 of the paper). From top to "
        "bottom: the node, the **painting**, how far the photo is from it (**potential**), which of that is a cluster "
        "of its own (**cluster**), and the **mask** after the step.\n\nOdd steps paint the object away and cut what "
        "looks the same as before. Even steps paint the background and add what looks the same.",
    )
    prompt = prompt_of(flow, photo["IMAGE"], kind="box", box=SHUTTLE)
    flow.column()
    begun = flow.add("PaintSeg_AMCPStart", image=photo["IMAGE"], prompt=prompt["prompt"], steps=STEPS)
    flow.add("MaskPreview", "Mask at the start", mask=prompt["mask"], size=(330, 340))
    state = begun["state"]
    for number in range(1, STEPS + 1):
        flow.column()
        done = flow.add("PaintSeg_AMCPStep", f"Step {number}", state=state)
        small = {"size": (380, 400)}
        shown = [
            flow.add("PreviewImage", f"{number}: painting", images=done["painting"], **small),
            flow.add("MaskPreview", f"{number}: potential", mask=done["potential"], **small),
            flow.add("MaskPreview", f"{number}: cluster", mask=done["cluster"], **small),
            flow.add("MaskPreview", f"{number}: mask", mask=done["mask"], **small),
        ]
        what = "cut" if number % 2 else "add"
        flow.group(f"{number}. {what}", done, *shown)
        state = done["state"]


def potential(flow: Workflow) -> None:
    photo = start(
        flow,
        "The contrastive potential",
        "How far is the photo from a painting of it? Here a first step has found the object roughly, that is painted "
        "over, and the paper's measure (eq. 1) is taken apart:\n\n- **paint**: what the encoder sees differ\n- "
        "**color**: what belongs together by colour and place\n- **prompt**: what is close to the box's centre\n\n"
        "Their weighted sum is the potential; the object is where it is high. Any inpainting node may paint: wire its "
        "image to *painted*.",
    )
    prompt = prompt_of(flow, photo["IMAGE"], kind="box", box=SHUTTLE)
    flow.column()
    begun = flow.add("PaintSeg_AMCPStart", image=photo["IMAGE"], prompt=prompt["prompt"], size=(380, 300))
    rough = flow.add("PaintSeg_AMCPStep", "A first step", state=begun["state"])
    flow.column()
    painted = flow.add(
        "PaintSeg_RemoveObject", "Paint it over", image=photo["IMAGE"], mask=rough["mask"], candidates=1, shadow=False,
    )
    flow.add("PreviewImage", "Painting", images=painted["plate"], size=(400, 450))
    flow.column()
    found = flow.add(
        "PaintSeg_ContrastivePotential", image=photo["IMAGE"], painted=painted["plate"], mask=rough["mask"],
        prompt=prompt["prompt"], size=(400, 780),
    )
    flow.column()
    terms = []
    for name in ("paint", "color", "prompt"):
        terms.append(flow.add("PreviewImage", f"The {name} term", images=found[f"{name}_term"], size=(340, 380)))
        flow.column(y=80)
    flow.column(terms[0].position[0], terms[0].size[1] + 190)
    flow.add("PreviewImage", "Their sum", images=found["heat_map"], size=(340, 380))
    for number, term in enumerate(terms):
        term.position = (terms[0].position[0] + 380 * number, 80)
    flow.group("Three terms of eq. 1", *terms)


# --- several objects, videos, layers


def several(flow: Workflow) -> None:
    photo = start(
        flow,
        "Several objects in one run",
        "Draw a box around each object in **Create Bounding Boxes**. **PaintSeg Objects** gives each a mask of its "
        "own, in the order of the boxes, and none lies on top of another: where two claim a pixel, the surer one gets "
        "it.\n\n**label_map** holds all of them in one picture: the n-th object has the grey n.",
    )
    drawn = boxes(flow, photo["IMAGE"], SHUTTLE, WOMAN, HELMET)
    prompt = prompt_of(flow, photo["IMAGE"], kind="box", boxes=drawn["bboxes"])
    flow.column()
    found = flow.add("PaintSeg_Objects", image=photo["IMAGE"], prompt=prompt["prompt"])
    flow.column()
    flow.add("PreviewImage", "Overview", images=found["overview"])
    flow.add("MaskPreview", "Masks", mask=found["masks"])


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


def reassembly(flow: Workflow) -> None:
    photo = start(
        flow,
        "Take out, put together again",
        "The object leaves the photo (**clean plate**), becomes a layer (**PaintSeg Cut Out**) and is put back twice, "
        "smaller, once mirrored.\n\nThe list in **PaintSeg Reassemble** says where: *dx* and *dy* are pixels, *scale* "
        "a factor, *rotation* degrees. Empty it, and the widgets above it place the one layer. Any other photo may be "
        "the plate.",
    )
    prompt = prompt_of(flow, photo["IMAGE"], kind="box", box=SHUTTLE)
    flow.column()
    loop = flow.add("PaintSeg_AMCPLoop", image=photo["IMAGE"], prompt=prompt["prompt"])
    flow.column()
    layer = flow.add("PaintSeg_CutOut", image=photo["IMAGE"], mask=loop["soft_mask"], size=(400, 110))
    places = [
        {"layer": 0, "dx": -36, "dy": 54, "scale": 0.62},
        {"layer": 0, "dx": 52, "dy": 54, "scale": 0.62, "flip": True},
    ]
    put = flow.add("PaintSeg_Reassemble", plate=loop["clean_plate"], layers=layer["layer"],
                   placements=json.dumps(places, indent=1), size=(400, 560))
    flow.column()
    flow.add("PreviewImage", "Clean plate", images=loop["clean_plate"])
    flow.add("PreviewImage", "Layer", images=layer["layer"])
    flow.column()
    flow.add("PreviewImage", "Put together again", images=put["image"], size=(560, 610))


def amodal(flow: Workflow) -> None:
    photo = start(
        flow,
        "What is hidden behind it",
        "Paint over what stands in front (**Painter**, in *Nodes 2.0*: cup and spoon), and draw a box around what it "
        "hides (**PaintSeg Prompt**: the saucer).\n\nThe front is painted away, and the object behind is segmented in "
        "that painting: its whole mask, seen and hidden, and a layer that is complete. What the hidden part looks like "
        "is a guess.",
        COFFEE,
    )
    flow.column()
    front = painter(flow, "In front", photo["IMAGE"], "paintseg_cup_painted.png", GREEN, (576, 384))
    prompt = prompt_of(flow, photo["IMAGE"], kind="box", box=SAUCER)
    flow.column()
    whole = flow.add("PaintSeg_Amodal", image=photo["IMAGE"], front=front["MASK"], prompt=prompt["prompt"])
    flow.add("PreviewImage", "Without the front", images=whole["plate"], size=(400, 380))
    flow.column()
    flow.add("MaskPreview", "Whole mask, seen and hidden", mask=whole["mask"])
    flow.add("PreviewImage", "Completed layer", images=whole["layer"])


def layers(flow: Workflow) -> None:
    photo = start(
        flow,
        "A photo as layers",
        "A box per object, front to back: the helmet hides a part of the woman, so it comes first. Each becomes a "
        "layer that is completed where an earlier one hid it; the **plate** is what remains.\n\n**PaintSeg Save "
        "Layers** writes an OpenRaster file (.ora) into ComfyUI's output folder. Krita and GIMP open it.",
    )
    drawn = boxes(flow, photo["IMAGE"], HELMET, WOMAN, SHUTTLE)
    prompt = prompt_of(flow, photo["IMAGE"], kind="box", boxes=drawn["bboxes"])
    flow.column()
    found = flow.add("PaintSeg_Layers", image=photo["IMAGE"], prompt=prompt["prompt"])
    flow.add("PaintSeg_SaveLayers", layers=found["layers"], plate=found["plate"], names="helmet, woman, shuttle")
    flow.column()
    flow.add("PreviewImage", "Layers", images=found["layers"], size=(400, 390))
    flow.add("PreviewImage", "Plate", images=found["plate"], size=(400, 390))


def video(flow: Workflow) -> None:
    film = flow.add("LoadVideo", file="paintseg_camera.mp4")
    flow.note(
        "How to",
        "## Through a video\n\nPoint at the object in the first frame; **PaintSeg Video** follows it through the "
        "others. The first frame appears in **PaintSeg Prompt** once the workflow has run.\n\nFor photos that have "
        "nothing to do with each other set *mode* to independent. Each frame takes as long as a photo; the preset "
        "*fast* is there for trying out.",
        TALL,
    )
    flow.column()
    parts = flow.add("GetVideoComponents", video=film["VIDEO"])
    first = flow.add("ImageFromBatch", image=parts["images"])
    seen = flow.add("PreviewImage", "First frame", images=first["IMAGE"], size=(330, 380))
    prompt = prompt_of(flow, seen["images"], kind="box", box=IN_FIRST_FRAME)
    flow.column()
    found = flow.add("PaintSeg_Video", image=parts["images"], prompt=prompt["prompt"])
    flow.column()
    flow.add("MaskPreview", "Masks", mask=found["mask"], size=(400, 390))
    made = flow.add("CreateVideo", images=found["overview"], fps=parts["fps"])
    flow.column()
    flow.add("SaveVideo", video=made["VIDEO"], filename_prefix="video/PaintSeg", size=(400, 560))


# --- every other way to point at something


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


def box_numbers(flow: Workflow) -> None:
    photo = start(
        flow,
        "A box from another node",
        "Whatever gives a bounding box can be wired to *boxes*: detectors, core's **Bounding Box** as here, or "
        "**Create Bounding Boxes**. The box drawn in PaintSeg Prompt then counts for nothing.",
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
    prompt = prompt_of(
        flow, photo["IMAGE"], kind="box", box=WOMAN, points=yes["STRING"], negative_points=no["STRING"]
    )
    segment(flow, photo["IMAGE"], prompt["prompt"])


def point_numbers(flow: Workflow) -> None:
    photo = start(
        flow,
        "A single point",
        "Two numbers, in pixels from the upper left corner. With -1 the middle of the box is taken: draw a small box "
        "on the object, and you have tapped it.\n\nOne point may mean a part or the whole; when it takes too little "
        "or too much, add points or draw a box.",
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


_MAKERS: dict[str, Callable[[Workflow], None]] = {
    "01_quickstart_box": quickstart,
    "06_points": points,
    "07_scribble": scribble,
    "08_automatic": automatic,
    "09_amcp_step_by_step": step_by_step,
    "10_contrastive_potential": potential,
    "several_objects": several,
    "reassembly": reassembly,
    "amodal": amodal,
    "layers": layers,
    "video": video,
    "prompt_box_from_a_node": box_numbers,
    "prompt_boxes_as_text": box_text,
    "prompt_box_and_points": box_and_points,
    "prompt_single_point": point_numbers,
    "prompt_points_painted": points_painted,
    "prompt_points_mask_editor": points_mask_editor,
    "prompt_scribble_mask_editor": scribble_mask_editor,
    "prompt_rough_mask": rough_mask,
    "prompt_mask_painted": mask_painted,
    "prompt_mask_editor": mask_editor,
    "prompt_label_map": label_map,
}
NAMES = tuple(_MAKERS)
