"""The bundled workflows on one photo: the first steps, how the method works, several objects, videos, layers."""

from __future__ import annotations

from .bundled_parts import (
    COFFEE,
    GREEN,
    HELMET,
    IN_FIRST_FRAME,
    RED,
    SAUCER,
    SHUTTLE,
    WHOLE,
    WOMAN,
    boxes,
    click_on,
    painter,
    prompt_of,
    segment,
    start,
)
from .workflow import Node, Output, Workflow

STEPS = 5
BY_HAND = (
    "1. Choose your photo in **Load Image**.\n2. Click on the object in **PaintSeg Click**; its mask appears at once. "
    "Right-click what does not belong to it, or drag a box around it.\n3. Press **Run**."
)
ROCKET = (410, 120)

# --- the first steps


def quickstart(flow: Workflow) -> None:
    photo = start(
        flow,
        "Click on it",
        f"{BY_HAND}\n\n"
        "A painter imagines the place without the object, and the mask is where that differs from the photo. No model "
        "to download: both come with the nodes.",
    )
    prompt = click_on(flow, photo["IMAGE"], [ROCKET])
    shown = segment(flow, photo["IMAGE"], prompt["prompt"])
    flow.app([(photo, "image"), (prompt, "clicks"), (shown[0], "preset")], shown)


def object_removal(flow: Workflow) -> None:
    photo = start(
        flow,
        "Take something out of a photo",
        f"{BY_HAND}\n\n"
        "You get the object's mask, the photo without the object, and the object as a layer with transparency. "
        "Everything runs on this computer, on models that come with the nodes.",
    )
    prompt = click_on(flow, photo["IMAGE"], [ROCKET])
    loop, mask, cut_out = segment(flow, photo["IMAGE"], prompt["prompt"])
    flow.column()
    plate = flow.add("PreviewImage", "Clean plate", images=loop["clean_plate"])
    flow.add("PreviewImage", "Steps", images=loop["steps"])
    flow.app([(photo, "image"), (prompt, "clicks"), (loop, "preset")], [plate, cut_out, mask])


def points(flow: Workflow) -> None:
    photo = start(
        flow,
        "Several clicks",
        "Click on the object's different parts, and right-click what does not belong to it. Here three clicks are on "
        "the woman, and one is on the helmet, which the suit would otherwise take along.\n\nThe keys *1*, *2* and *3* "
        "choose between the object, a part of it and something larger, as long as there is a single click.\n\nPoints "
        "of other nodes are wired to *points* and *negative_points*: the point editors of other packs and the nodes "
        "of SAM3 write the text that is wanted.",
    )
    prompt = click_on(flow, photo["IMAGE"], [(225, 125), (110, 330), (310, 300)], [(400, 440)])
    shown = segment(flow, photo["IMAGE"], prompt["prompt"])
    flow.app([(photo, "image"), (prompt, "clicks"), (shown[0], "preset")], shown)


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
        flow,
        photo["IMAGE"],
        kind="scribble",
        kind__scribble=on["MASK"],
        negative_scribble=off["MASK"],
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
    shown = segment(flow, photo["IMAGE"], found["prompt"])
    flow.column(shown[0].position[0], 520)  # below what PaintSeg Segment grows to
    flow.add("MaskPreview", "Rough mask", mask=found["mask"], size=(400, 370))
    flow.app([(photo, "image"), (shown[0], "preset")], shown)


# --- how it works


def step_by_step(flow: Workflow) -> None:
    photo = start(
        flow,
        "The method, step by step",
        "Read the frames from left to right; each is one step of the method (figure 4 of the paper). From top to "
        "bottom: the **painting**, how far the photo is from it (**potential**), which of that is a cluster "
        "of its own (**cluster**), and the **mask** after the step.\n\nOdd steps paint the object away and cut what "
        "looks the same as before. Even steps paint the background and add what looks the same.",
    )
    prompt = prompt_of(flow, photo["IMAGE"], kind="box", box=SHUTTLE)
    flow.column()
    begun = flow.add("PaintSeg_AMCPStart", image=photo["IMAGE"], prompt=prompt["prompt"], steps=STEPS)
    flow.add("MaskPreview", "Mask at the start", mask=prompt["mask"], size=(330, 370))
    state = begun["state"]
    for number in range(1, STEPS + 1):
        flow.column()
        done = flow.add("PaintSeg_AMCPStep", f"Step {number}", state=state, size=(300, 140))
        flow.column(y=240)  # below the wire from step to step
        small = {"size": (320, 360)}
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
    begun = flow.add("PaintSeg_AMCPStart", image=photo["IMAGE"], prompt=prompt["prompt"])
    flow.column()
    rough = flow.add("PaintSeg_AMCPStep", "A first step", state=begun["state"])
    flow.column()
    painted = flow.add(
        "PaintSeg_RemoveObject",
        "Paint it over",
        image=photo["IMAGE"],
        mask=rough["mask"],
        candidates=1,
        shadow=False,
    )
    flow.column()
    flow.add("PreviewImage", "Painting", images=painted["plate"])
    found = flow.add(
        "PaintSeg_ContrastivePotential",
        image=photo["IMAGE"],
        painted=painted["plate"],
        mask=rough["mask"],
        prompt=prompt["prompt"],
    )
    terms = []
    for name in ("paint", "color", "prompt"):
        flow.column(y=80)
        terms.append(flow.add("PreviewImage", f"The {name} term", images=found[f"{name}_term"], size=(340, 380)))
    flow.column(terms[0].position[0], terms[0].size[1] + 190)
    flow.add("PreviewImage", "Their sum", images=found["heat_map"], size=(340, 380))
    flow.group("Three terms of eq. 1", *terms)


# --- several objects, videos, layers


def several(flow: Workflow) -> None:
    photo = start(
        flow,
        "Several objects in one run",
        "Draw a box around each object in **Create Bounding Boxes** (in *Nodes 2.0*). **PaintSeg Objects** gives each "
        "a mask of its own, in the order of the boxes, and none lies on top of another: where two claim a pixel, the "
        "surer one gets it.\n\n**label_map** holds all of them in one picture: the n-th object has the grey n.",
    )
    drawn = boxes(flow, "A box around each object", photo["IMAGE"], SHUTTLE, WOMAN, HELMET)
    prompt = prompt_of(flow, photo["IMAGE"], kind="box", boxes=drawn["bboxes"])
    flow.column()
    found = flow.add("PaintSeg_Objects", image=photo["IMAGE"], prompt=prompt["prompt"])
    flow.column()
    flow.add("PreviewImage", "Overview", images=found["overview"])
    flow.add("MaskPreview", "Masks", mask=found["masks"])


def reassembly(flow: Workflow) -> None:
    photo = start(
        flow,
        "Take out, put together again",
        "The object leaves the photo (**clean plate**), becomes a layer (**PaintSeg Cut Out**) and is put back "
        "elsewhere, smaller and mirrored.\n\nRun it once: then **PaintSeg Reassemble** shows the layer on the plate. "
        "Drag it, pull a corner to scale it, pull the knob to turn it, and run again. Its *?* tells the keys.\n\n"
        "The first arrangement is in the node's numbers. What is dragged takes their place, until the bin brings them "
        "back. Any other photo may be the plate.",
    )
    prompt = prompt_of(flow, photo["IMAGE"], kind="box", box=SHUTTLE)
    flow.column()
    loop = flow.add("PaintSeg_AMCPLoop", image=photo["IMAGE"], prompt=prompt["prompt"])
    flow.column()
    layer = flow.add("PaintSeg_CutOut", image=photo["IMAGE"], mask=loop["soft_mask"])
    flow.add("PreviewImage", "Clean plate", images=loop["clean_plate"])
    flow.column()
    put = flow.add(
        "PaintSeg_Reassemble", plate=loop["clean_plate"], layers=layer["layer"], dx=-40, dy=54, scale=0.62, flip=True
    )
    flow.column()
    seen = flow.add("PreviewImage", "Put together again", images=put["image"], size=(560, 610))
    flow.add("PreviewImage", "Layer", images=layer["layer"])
    flow.app([(photo, "image"), (loop, "preset"), (put, "picture")], [seen])


def amodal(flow: Workflow) -> None:
    photo = start(
        flow,
        "What is hidden behind it",
        "Paint over what stands in front (**Painter**, in *Nodes 2.0*: cup and spoon), and put the box of **PaintSeg "
        "Prompt** around what it hides (the saucer).\n\nThe front is painted away, and the object behind is segmented "
        "in that painting: its whole mask, seen and hidden, and a layer that is complete. What the hidden part looks "
        "like is a guess.",
        COFFEE,
    )
    flow.column()
    front = painter(flow, "In front", photo["IMAGE"], "paintseg_cup_painted.png", GREEN, (576, 384))
    prompt = prompt_of(flow, photo["IMAGE"], kind="box", box=SAUCER)
    flow.column()
    whole = flow.add("PaintSeg_Amodal", image=photo["IMAGE"], front=front["MASK"], prompt=prompt["prompt"])
    flow.column()
    flow.add("MaskPreview", "Whole mask, seen and hidden", mask=whole["mask"])
    flow.add("PreviewImage", "Completed layer", images=whole["layer"])
    flow.column()
    flow.add("PreviewImage", "Without the front", images=whole["plate"])


def taken_apart(flow: Workflow, image: Output, title: str) -> tuple[Node, Node]:
    """The node of three boxes, helmet, woman and shuttle, and PaintSeg Layers of them; then a new column."""
    drawn = boxes(flow, title, image, HELMET, WOMAN, SHUTTLE)
    prompt = prompt_of(flow, image, kind="box", boxes=drawn["bboxes"])
    flow.column()
    found = flow.add("PaintSeg_Layers", image=image, prompt=prompt["prompt"])
    flow.column()
    return drawn, found


def layers(flow: Workflow) -> None:
    photo = start(
        flow,
        "A photo as layers",
        "A box per object, drawn in *Nodes 2.0* (a switch in ComfyUI's menu), **front to back** as everywhere in "
        "PaintSeg: the helmet hides a part of the woman, so it is box 1. Each becomes a layer that is completed where "
        "an earlier one hid it; the **plate** is what remains.\n\n**PaintSeg Save Layers** writes an OpenRaster file "
        "(.ora) into ComfyUI's output folder; Krita and GIMP open it. *PSD* is for Photoshop.\n\nWhere ComfyUI has "
        "**Create Layered Image** (0.31 and later), wire *layer_stack* to it: its editor moves, turns and blends the "
        "layers.",
    )
    drawn, found = taken_apart(flow, photo["IMAGE"], "Boxes, the front one first")
    saved = flow.add("PaintSeg_SaveLayers", layers=found["layer_stack"], names="helmet, woman, shuttle")
    shown = flow.add("PreviewImage", "Layers", images=found["layers"], size=(400, 390))
    flow.column(y=530)  # beside the layers, below what PaintSeg Save Layers grows to
    plate = flow.add("PreviewImage", "Plate", images=found["plate"], size=(400, 390))
    flow.app([(photo, "image"), (drawn, "editor_state"), (saved, "names")], [saved, shown, plate])


def layers_moved(flow: Workflow) -> None:
    photo = start(
        flow,
        "Layers, moved",
        "The photo is taken apart by boxes, drawn **front to back**: helmet, woman, shuttle. *layer_stack* holds the "
        "layers with their places, and **PaintSeg Reassemble** puts them together again. Here the shuttle, layer 2, "
        "goes behind the woman; what the photo never showed behind it is painted.\n\nRun it once: then drag the "
        "layers on the picture in **PaintSeg Reassemble**, scale and turn them there, and run again. Any other photo "
        "may be the *plate*.\n\nWhere ComfyUI has "
        "**Create Layered Image** (0.31 and later), it takes *layer_stack* as well and opens an editor for it.",
    )
    drawn, found = taken_apart(flow, photo["IMAGE"], "Boxes, front to back")
    put = flow.add("PaintSeg_Reassemble", plate=found["plate"], layers=found["layer_stack"], layer=2, dx=-80)
    flow.add("PreviewImage", "Plate", images=found["plate"])
    flow.column()
    flow.add("PreviewImage", "Put together again", images=put["image"], size=(560, 610))


def video(flow: Workflow) -> None:
    film = flow.add("LoadVideo", file="paintseg_camera.mp4")
    flow.note(
        "How to",
        "## Through a video\n\nPoint at the object in the first frame; **PaintSeg Video** follows it through the "
        "others. The first frame appears in **PaintSeg Prompt** once the workflow has run.\n\nFor photos that have "
        "nothing to do with each other set *mode* to independent. Each frame takes as long as a photo; the preset "
        "*fast* is there for trying out.",
    )
    flow.column()
    parts = flow.add("GetVideoComponents", video=film["VIDEO"])
    flow.column()
    first = flow.add("ImageFromBatch", image=parts["images"])
    flow.column()
    seen = flow.add("PreviewImage", "First frame", images=first["IMAGE"])
    prompt = prompt_of(flow, seen["images"], kind="box", box=IN_FIRST_FRAME)
    flow.column()
    found = flow.add("PaintSeg_Video", image=parts["images"], prompt=prompt["prompt"])
    flow.column()
    made = flow.add("CreateVideo", images=found["overview"], fps=parts["fps"])
    flow.add("MaskPreview", "Masks", mask=found["mask"], size=(400, 390))
    flow.column()
    flow.add("SaveVideo", video=made["VIDEO"], filename_prefix="video/PaintSeg", size=(400, 560))
