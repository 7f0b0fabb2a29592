"""A custom node pack for the tests' own ComfyUI: what test_wires.py needs of other packs, and a node that takes
its time."""

import time

import comfy.model_management
import torch
from comfy_execution.graph_utils import GraphBuilder


class Counting:
    name, multiple, size, stochastic = "counting", 8, 64, False

    def __init__(self, place):
        self.place = place

    def paint(self, image, hole, count, generator):
        with open(self.place, "a") as file:
            file.write("x")
        return torch.where(hole > 0.5, 0.5, image).expand(count, -1, -1, -1)


class CountingPainter:
    RETURN_TYPES, FUNCTION, CATEGORY = ("PAINTSEG_PAINTER",), "run", "test"

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"place": ("STRING", {})}}

    def run(self, place):
        return (Counting(place),)


class AnyInpaintModel:
    RETURN_TYPES, FUNCTION, CATEGORY = ("INPAINT_MODEL",), "run", "test"

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {}}

    def run(self):
        class Grey(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.level = torch.nn.Parameter(torch.tensor(0.25))

            def forward(self, image, mask):
                return torch.where(mask > 0.5, self.level, image)

        return (Grey(),)


class PlateOfAnother:
    RETURN_TYPES, FUNCTION, CATEGORY = ("IMAGE",), "run", "test"

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"image": ("IMAGE",), "prompt": ("PAINTSEG_PROMPT",), "painter": ("PAINTSEG_PAINTER",)}}

    def run(self, image, prompt, painter):
        graph = GraphBuilder()
        loop = graph.node("PaintSeg_AMCPLoop", image=image, prompt=prompt, painter=painter, preset="fast", seed=3)
        return {"result": (loop.out(2),), "expand": graph.finalize()}


class UntilStopped:
    RETURN_TYPES, FUNCTION, CATEGORY, OUTPUT_NODE = (), "run", "test", True

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {}}

    def run(self):
        for _ in range(1200):
            comfy.model_management.throw_exception_if_processing_interrupted()
            time.sleep(0.05)


NODE_CLASS_MAPPINGS = {one.__name__: one for one in (CountingPainter, AnyInpaintModel, PlateOfAnother, UntilStopped)}
