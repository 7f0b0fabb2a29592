"""A custom node pack for the tests' own ComfyUI: one switch that makes the presets' views small.

What a test of the server claims is about wires, batches, files and sentences, and holds at any size of the views; at
the presets' own sizes a run takes four times as long. Whatever else a preset says stays: steps, paintings, contexts.
A video is followed on a grid of 30 patches instead of 60, and plates are judged on 224 pixels instead of 448: a run
judges three, each at the price of a step.
POST /tests/presets with {"small": true} or false.
"""

import sys
from dataclasses import replace

from aiohttp import web
from server import PromptServer

NODE_CLASS_MAPPINGS = {}
SIDES = {"size": 192, "encoder_size": 280, "photo_size": 280}
CELLS, JUDGED = 30, 224
OWN = {}


def module(name):
    """One of the pack's modules; ComfyUI names them by the folder they are in."""
    return next(found for full, found in sys.modules.items() if full.endswith(f"PaintSeg.paintseg.{name}"))


def small(config):
    return replace(config, **{name: min(side, getattr(config, name)) for name, side in SIDES.items()})


@PromptServer.instance.routes.post("/tests/presets")
async def switch(request):
    table, video, plates = module("config").PRESETS, module("tasks.video"), module("layers.plausibility")
    if not OWN:
        OWN.update(table, cells=video.CELLS, judged=plates.SIZE)
    wanted = (await request.json())["small"]
    table.update({name: small(OWN[name]) if wanted else OWN[name] for name in table})
    video.CELLS = CELLS if wanted else OWN["cells"]
    plates.SIZE = JUDGED if wanted else OWN["judged"]
    return web.json_response({name: config.size for name, config in table.items()})
