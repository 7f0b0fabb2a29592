"""Nodes photographed on ComfyUI's canvas, wired to what they need: those with nothing to show without a model."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from . import browser
from .client import Client
from .console import SetupError
from .page import ComfyPage
from .server import Server

Place = tuple[str, int, int]
"""Node type, and where its upper left corner lies."""
Wire = tuple[int, str, int, str]
"""From node, output; to node, input."""

SEGMENT = ("PaintSeg_AMCPLoop", 330, 0)
MADE: dict[str, tuple[list[Place], list[Wire]]] = {
    "PaintSeg_DiffusionPainter": (
        [("CheckpointLoaderSimple", 0, 0), ("PaintSeg_DiffusionPainter", 0, 220), SEGMENT],
        [
            (0, "VAE", 1, "vae"),
            (0, "MODEL", 1, "sampling.model"),
            (0, "CLIP", 1, "sampling.clip"),
            (1, "painter", 2, "painter"),
        ],
    ),
    "PaintSeg_InpaintModelPainter": (
        [("PaintSeg_InpaintModelPainter", 0, 0), SEGMENT],
        [(0, "painter", 1, "painter")],
    ),
    "PaintSeg_CLIPVisionEncoder": (
        [("CLIPVisionLoader", 0, 0), ("PaintSeg_CLIPVisionEncoder", 0, 170), SEGMENT],
        [(0, "CLIP_VISION", 1, "clip_vision"), (1, "encoder", 2, "encoder")],
    ),
}
"""By node id: what stands on the canvas."""

FILES = {
    "ckpt_name": ("checkpoints", "sd-v1-5-inpainting.ckpt"),
    "clip_name": ("clip_vision", "dinov2-large.safetensors"),
    "model_name": ("inpaint", "big-lama.pt"),
}
"""Widgets that name a file, its model folder, and the name to show."""

DRAW = """([places, wires, files]) => {
    app.graph.clear()
    const nodes = places.map(([kind, x, y]) => {
        const node = LiteGraph.createNode(kind)
        app.graph.add(node)
        node.pos = [x, y]
        for (const widget of node.widgets ?? [])
            if (widget.name in files) widget.value = files[widget.name]
        return node
    })
    for (const [from, output, to, input] of wires)
        nodes[from].connect(nodes[from].findOutputSlot(output), nodes[to], nodes[to].findInputSlot(input))
    const right = Math.max(...nodes.map(node => node.pos[0] + node.size[0]))
    const bottom = Math.max(...nodes.map(node => node.pos[1] + node.size[1]))
    const corner = app.canvas.canvas.getBoundingClientRect()
    app.canvas.ds.scale = 1
    app.canvas.ds.offset = [200, 140]
    app.canvas.setDirty(true, true)
    return { x: corner.x + 180, y: corner.y + 85, width: right + 40, height: bottom + 75 }
}"""


def photograph(server: Server, client: Client, node: str) -> Image.Image:
    """The picture of one node. Raises SetupError where there is no browser."""
    path = browser.find()
    if path is None:
        raise SetupError("no Chromium here: scripts/test --browser installs or names one")
    for folder, name in FILES.values():  # empty ones: ComfyUI frames a node in red whose file is not there
        place = server.base / "models" / folder
        place.mkdir(parents=True, exist_ok=True)
        (place / name).touch()
    client.post_json("/settings", {"Comfy.TutorialCompleted": True, "Comfy.VueNodes.Enabled": False})
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, headless=True, args=list(browser.FLAGS))
        page = ComfyPage(running.new_page(viewport={"width": 1600, "height": 1000}), server.url)
        page.open()
        page.add_node(node)
        area: dict[str, Any] = page.page.evaluate(DRAW, [*MADE[node], {key: name for key, (_, name) in FILES.items()}])
        page.page.wait_for_timeout(1000)
        picture = Image.open(io.BytesIO(page.page.screenshot(clip=area))).convert("RGB")
        running.close()
    return picture
