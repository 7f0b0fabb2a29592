"""The pictures of the help pages: what the nodes make of the bundled photo inside a real ComfyUI.

Three nodes have nothing to show without a model that the pack does not hold (a checkpoint, LaMa, DINOv2 Large). They
are photographed on ComfyUI's canvas, wired as their workflows wire them.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from .client import Client
from .console import SetupError
from .panels import Panel, heat
from .paths import PHOTO

Box = tuple[int, int, int, int]
ROCKET: Box = (346, 0, 482, 298)
WOMAN: Box = (18, 8, 372, 512)
HELMET: Box = (274, 338, 512, 512)
TANK = (416, 60)
PAN = (176, 150, 124)  # left edges of the frames that stand for a video
FRAME = 336


class Sheet:
    """A graph under construction, and after `run` the pictures its nodes made."""

    def __init__(self, client: Client, output: Path) -> None:
        self.client = client
        self.output = output
        self.graph: dict[str, dict[str, Any]] = {}
        self.outputs: dict[str, dict[str, Any]] = {}
        self.photo = self.add("LoadImage", image=PHOTO.name)

    def add(self, kind: str, /, **inputs: Any) -> str:
        """A node; its id."""
        key = str(len(self.graph) + 1)
        self.graph[key] = {"class_type": kind, "inputs": inputs}
        return key

    def prompt(self, *boxes: Box, photo: str = "") -> str:
        """The prompt of one box or several."""
        x0, y0, x1, y1 = boxes[0]
        more = {}
        if len(boxes) > 1:
            more = {"boxes": [self.add("PrimitiveString", value=str([list(box) for box in boxes])), 0]}
        box = {"x": x0, "y": y0, "width": x1 - x0, "height": y1 - y0}
        return self.add("PaintSeg_PromptToMask", image=[photo or self.photo, 0], kind="box", box=box, **more)

    def segment(self, prompt: str, kind: str = "PaintSeg_AMCPLoop", /, photo: str = "", **more: Any) -> str:
        """A node that takes photo, prompt and the method's parameters, on their defaults."""
        wired = {"image": [photo or self.photo, 0], "prompt": [prompt, 0]}
        return self.add(kind, **wired, preset="balanced", seed=0, **more)

    def remove(self, mask: list[Any], **more: Any) -> str:
        """PaintSeg_RemoveObject on its defaults."""
        wired = {"image": [self.photo, 0], "mask": mask}
        return self.add("PaintSeg_RemoveObject", **wired, seed=0, candidates=3, shadow=True, **more)

    def show(self, node: str, slot: int, mask: bool = False) -> str:
        """A preview of that output; its id."""
        if mask:
            return self.add("MaskPreview", mask=[node, slot])
        return self.add("PreviewImage", images=[node, slot])

    def run(self) -> None:
        """Run the graph. Raises SetupError when it fails."""
        run = self.client.run(self.graph)
        if run.status != "success":
            raise SetupError(f"{run.error.get('node_type')}: {run.error.get('exception_message', run.status)}")
        self.outputs = run.outputs

    def pictures(self, node: str) -> list[Image.Image]:
        """What a node shows."""
        return [Image.open(io.BytesIO(self.client.download(one))) for one in self.outputs[node]["images"]]

    def picture(self, node: str, number: int = 0) -> Image.Image:
        """One of what a node shows."""
        return self.pictures(node)[number]


def prompt_to_mask(sheet: Sheet) -> Iterator[Panel]:
    box = sheet.prompt(ROCKET)
    point = sheet.add("PaintSeg_PromptToMask", image=[sheet.photo, 0], kind="point", **{"kind.x": 416, "kind.y": 150})
    stroke = sheet.add("SolidMask", value=0.0, width=512, height=512)
    brush = sheet.add("SolidMask", value=1.0, width=10, height=190)
    drawn = sheet.add("MaskComposite", destination=[stroke, 0], source=[brush, 0], x=414, y=40, operation="add")
    scribble = sheet.add(
        "PaintSeg_PromptToMask", image=[sheet.photo, 0], kind="scribble", **{"kind.scribble": [drawn, 0]}
    )
    sheet.run()
    yield "box", sheet.picture(box)
    yield "point", sheet.picture(point)
    yield "scribble", sheet.picture(scribble)


def click(sheet: Sheet) -> Iterator[Panel]:
    point = {"x": TANK[0], "y": TANK[1], "label": 1}
    asked: dict[str, dict[str, Any]] = {
        "one click": {"points": [point]},
        "a part of it": {"points": [point], "candidate": 1},
        "more than that": {"points": [point], "candidate": 2},
        "without that": {"points": [point, {"x": 365, "y": 245, "label": 0}]},
    }
    shown = {}
    for caption, clicks in asked.items():
        node = sheet.add("PaintSeg_Click", image=[sheet.photo, 0], clicks=json.dumps(clicks))
        rest = sheet.add("InvertMask", mask=[node, 1])
        shown[caption] = sheet.show(sheet.add("JoinImageWithAlpha", image=[sheet.photo, 0], alpha=[rest, 0]), 0)
    sheet.run()
    for caption, node in shown.items():
        yield caption, sheet.picture(node)


def discover(sheet: Sheet) -> Iterator[Panel]:
    one = sheet.add("PaintSeg_Discover", image=[sheet.photo, 0], objects=1)
    more = sheet.add("PaintSeg_Discover", image=[sheet.photo, 0], objects=3)
    sheet.run()
    yield "1 asked", sheet.picture(one)
    for number, picture in enumerate(sheet.pictures(more)[:3], start=1):
        yield f"of 3 asked: number {number}", picture


def segment(sheet: Sheet) -> Iterator[Panel]:
    prompt = sheet.prompt(ROCKET)
    node = sheet.segment(prompt)
    mask, plate, cut = sheet.show(node, 0, mask=True), sheet.show(node, 2), sheet.show(node, 3)
    sheet.run()
    yield "the prompt", sheet.picture(prompt)
    yield "mask", sheet.picture(mask)
    yield "clean_plate", sheet.picture(plate)
    yield "cut_out", sheet.picture(cut)


def candidates(sheet: Sheet) -> Iterator[Panel]:
    prompt = sheet.add(
        "PaintSeg_PromptToMask", image=[sheet.photo, 0], kind="point", **{"kind.x": TANK[0], "kind.y": TANK[1]}
    )
    node = sheet.segment(prompt, "PaintSeg_Candidates")
    overview = sheet.show(node, 4)
    sheet.run()
    yield "the point", sheet.picture(prompt)
    for number, picture in enumerate(sheet.pictures(overview), start=1):
        yield f"overview: number {number}", picture


def objects(sheet: Sheet) -> Iterator[Panel]:
    node = sheet.segment(sheet.prompt(ROCKET, WOMAN, HELMET), "PaintSeg_Objects")
    masks, overview = sheet.show(node, 0, mask=True), sheet.show(node, 3)
    sheet.run()
    yield "overview", sheet.picture(overview)
    for number, picture in enumerate(sheet.pictures(masks), start=1):
        yield f"masks, number {number}", picture


def video(sheet: Sheet) -> Iterator[Panel]:
    crops = [sheet.add("ImageCrop", image=[sheet.photo, 0], width=FRAME, height=FRAME, x=x, y=0) for x in PAN]
    frames = crops[0]
    for crop in crops[1:]:
        frames = sheet.add("ImageBatch", image1=[frames, 0], image2=[crop, 0])
    x0, y0, x1, y1 = ROCKET
    box = x0 - PAN[0], y0, min(x1 - PAN[0], FRAME), y1
    node = sheet.segment(sheet.prompt(box, photo=crops[0]), "PaintSeg_Video", photo=frames, mode="follow")
    shown = sheet.show(node, 2)
    sheet.run()
    for number, picture in enumerate(sheet.pictures(shown), start=1):
        yield f"frame {number}", picture


def start(sheet: Sheet) -> Iterator[Panel]:
    prompt = sheet.prompt(ROCKET)
    state = sheet.segment(prompt, "PaintSeg_AMCPStart")
    masks = []
    for _ in range(2):
        state = sheet.add("PaintSeg_AMCPStep", state=[state, 0], direction="auto")
        masks.append(sheet.show(state, 1, mask=True))
    sheet.run()
    yield "the prompt", sheet.picture(prompt)
    for number, mask in enumerate(masks, start=1):
        yield f"after {number} PaintSeg Step", sheet.picture(mask)


def step(sheet: Sheet) -> Iterator[Panel]:
    begun = sheet.segment(sheet.prompt(ROCKET), "PaintSeg_AMCPStart")
    node = sheet.add("PaintSeg_AMCPStep", state=[begun, 0], direction="auto")
    painting, potential = sheet.show(node, 2), sheet.show(node, 3, mask=True)
    mask = sheet.show(node, 1, mask=True)
    sheet.run()
    yield "painting", sheet.picture(painting)
    yield "potential, as colours", heat(sheet.picture(potential))
    yield "mask", sheet.picture(mask)


def potential(sheet: Sheet) -> Iterator[Panel]:
    prompt = sheet.prompt(ROCKET)
    plate = sheet.remove([prompt, 1])
    node = sheet.add(
        "PaintSeg_ContrastivePotential",
        image=[sheet.photo, 0],
        painted=[plate, 0],
        mask=[prompt, 1],
        direction="I",
        preset="paper",
    )
    shown = [sheet.show(node, slot) for slot in (1, 2, 3)]
    painted = sheet.show(plate, 0)
    sheet.run()
    yield "painted", sheet.picture(painted)
    for caption, preview in zip(("heat_map", "paint_term", "color_term"), shown, strict=True):
        yield caption, sheet.picture(preview)


def fast_painter(sheet: Sheet) -> Iterator[Panel]:
    painter = sheet.add("PaintSeg_FastPainter")
    begun = sheet.segment(sheet.prompt(ROCKET), "PaintSeg_AMCPStart", painter=[painter, 0])
    first = sheet.add("PaintSeg_AMCPStep", state=[begun, 0], direction="I")
    second = sheet.add("PaintSeg_AMCPStep", state=[first, 0], direction="O")
    object_away, background_away = sheet.show(first, 2), sheet.show(second, 2)
    sheet.run()
    yield "object painted away", sheet.picture(object_away)
    yield "background painted away", sheet.picture(background_away)


def dino_encoder(sheet: Sheet) -> Iterator[Panel]:
    encoder = sheet.add("PaintSeg_DINOEncoder", model="DINOv2 ViT-S/14 (embedded)", download=False)
    node = sheet.add("PaintSeg_Discover", image=[sheet.photo, 0], objects=1, encoder=[encoder, 0])
    mask = sheet.show(node, 1, mask=True)
    sheet.run()
    yield "the photo", Image.open(PHOTO)
    yield "what it finds alike", heat(sheet.picture(mask))


def remove_object(sheet: Sheet) -> Iterator[Panel]:
    node = sheet.remove([sheet.segment(sheet.prompt(ROCKET)), 0])
    plate, hole = sheet.show(node, 0), sheet.show(node, 1, mask=True)
    sheet.run()
    yield "the photo", Image.open(PHOTO)
    yield "hole", sheet.picture(hole)
    yield "plate", sheet.picture(plate)


def cut_out(sheet: Sheet) -> Iterator[Panel]:
    mask = sheet.segment(sheet.prompt(ROCKET))
    layer = sheet.add("PaintSeg_CutOut", image=[sheet.photo, 0], mask=[mask, 1], soften=0.5)
    sea = sheet.add("EmptyImage", width=512, height=512, batch_size=1, color=0x1F6F8B)
    placed = sheet.add("PaintSeg_Reassemble", plate=[sea, 0], layers=[layer, 0], **AS_IT_WAS)
    soft, alone, over = sheet.show(mask, 1, mask=True), sheet.show(layer, 0), sheet.show(placed, 0)
    sheet.run()
    yield "soft mask", sheet.picture(soft)
    yield "layer", sheet.picture(alone)
    yield "on another colour", sheet.picture(over)


def amodal(sheet: Sheet) -> Iterator[Panel]:
    front = sheet.segment(sheet.prompt(HELMET))
    node = sheet.add(
        "PaintSeg_Amodal",
        image=[sheet.photo, 0],
        front=[front, 0],
        prompt=[sheet.prompt(WOMAN), 0],
        preset="balanced",
        seed=0,
        candidates=1,
    )
    hides, mask, layer = sheet.show(front, 0, mask=True), sheet.show(node, 0, mask=True), sheet.show(node, 1)
    sheet.run()
    yield "front: the helmet", sheet.picture(hides)
    yield "all it partly hides", sheet.picture(mask)
    yield "layer", sheet.picture(layer)


def layers(sheet: Sheet) -> Iterator[Panel]:
    node = taken_apart(sheet)
    alone, plate = sheet.show(node, 0), sheet.show(node, 2)
    sheet.run()
    for number, picture in enumerate(sheet.pictures(alone), start=1):
        yield f"layer {number}", picture
    yield "plate", sheet.picture(plate)


def reassemble(sheet: Sheet) -> Iterator[Panel]:
    mask = sheet.segment(sheet.prompt(ROCKET))
    layer = sheet.add("PaintSeg_CutOut", image=[sheet.photo, 0], mask=[mask, 1], soften=0.5)
    plate = sheet.remove([mask, 0])
    moved = {**AS_IT_WAS, "dx": -40.0, "dy": 40.0, "scale": 0.8, "rotation": 30.0, "flip": True}
    node = sheet.add("PaintSeg_Reassemble", plate=[plate, 0], layers=[layer, 0], **moved)
    behind, alone, done = sheet.show(plate, 0), sheet.show(layer, 0), sheet.show(node, 0)
    sheet.run()
    yield "plate", sheet.picture(behind)
    yield "layer", sheet.picture(alone)
    yield "moved, turned, mirrored", sheet.picture(done)


def save_layers(sheet: Sheet) -> Iterator[Panel]:
    node = taken_apart(sheet)
    sheet.add(
        "PaintSeg_SaveLayers",
        layers=[node, 0],
        plate=[node, 2],
        filename_prefix="help/layers",
        format="OpenRaster",
        names="helmet, woman, shuttle",
    )
    sheet.run()
    newest = max(sheet.output.glob("help/*.ora"), key=lambda path: path.stat().st_mtime)
    with zipfile.ZipFile(newest) as archive:
        inside = sorted(name for name in archive.namelist() if name.startswith("data/"))
        for name in inside:
            yield name, Image.open(io.BytesIO(archive.read(name)))


def taken_apart(sheet: Sheet) -> str:
    """The photo's three objects as layers."""
    return sheet.segment(sheet.prompt(HELMET, WOMAN, ROCKET), "PaintSeg_Layers", candidates=1, most=3, shadow=False)


AS_IT_WAS = {
    "layer": 0,
    "dx": 0.0,
    "dy": 0.0,
    "scale": 1.0,
    "rotation": 0.0,
    "flip": False,
    "opacity": 1.0,
    "shadow": 0.0,
}
MADE: dict[str, Callable[[Sheet], Iterator[Panel]]] = {
    "PaintSeg_PromptToMask": prompt_to_mask,
    "PaintSeg_Click": click,
    "PaintSeg_Discover": discover,
    "PaintSeg_AMCPLoop": segment,
    "PaintSeg_Candidates": candidates,
    "PaintSeg_Objects": objects,
    "PaintSeg_Video": video,
    "PaintSeg_AMCPStart": start,
    "PaintSeg_AMCPStep": step,
    "PaintSeg_ContrastivePotential": potential,
    "PaintSeg_FastPainter": fast_painter,
    "PaintSeg_DINOEncoder": dino_encoder,
    "PaintSeg_RemoveObject": remove_object,
    "PaintSeg_CutOut": cut_out,
    "PaintSeg_Amodal": amodal,
    "PaintSeg_Layers": layers,
    "PaintSeg_Reassemble": reassemble,
    "PaintSeg_SaveLayers": save_layers,
}
"""By node id: runs its graph and yields the panels."""
