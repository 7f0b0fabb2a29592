"""PaintSeg_Layers: a photo taken apart."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io
from torch import Tensor

from ..paintseg.errors import InputError
from ..paintseg.layers.amodal import peel
from ..paintseg.layers.document import layers_value
from ..paintseg.ops.images import size_of
from ..paintseg.prompts import Prompt
from .convert import image_output, mask_output, pictures_from
from .method import Method, layer_inputs, warn
from .progress import StepProgress
from .sockets import LAYERS, LayersSocket, image_input, prompt_input, words


class Layers(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PaintSeg_Layers",
            display_name="PaintSeg Layers",
            category=LAYERS,
            description="Takes a photo apart from front to back: each object becomes a layer, completed where an "
            "earlier one hid it, and what is left is the last plate. Without prompts it finds what stands out.",
            search_aliases=words("paintseg, layers, decompose, layered image, split photo, parallax, psd"),
            inputs=[
                image_input("One photo."),
                prompt_input(optional=True, tooltip="A prompt per object, front to back. Unwired: found by itself."),
                *layer_inputs(),
                io.Int.Input("most", default=3, min=1, max=16, tooltip="Objects at most when no prompts are wired."),
                io.Boolean.Input("shadow", default=False, tooltip="Take shadows out with their objects."),
                io.Boolean.Input(
                    "hidden_parts",
                    default=False,
                    optional=True,
                    tooltip="In layer_stack, what was hidden of an object is a layer of its own beneath it.",
                ),
            ],
            outputs=[
                io.Image.Output(display_name="layers", tooltip="RGBA images, front to back."),
                io.Mask.Output(display_name="masks", tooltip="Their soft masks."),
                io.Image.Output(display_name="plate", tooltip="The photo without any of the objects."),
                LayersSocket.Output(
                    display_name="layer_stack",
                    tooltip="The objects, each cropped, with name and place, and the plate behind them: for PaintSeg "
                    "Reassemble, PaintSeg Save Layers, and Create Layered Image where ComfyUI has it.",
                ),
            ],
        )

    @classmethod
    def execute(
        cls,
        image: Tensor,
        candidates: int,
        most: int,
        shadow: bool,
        prompt: tuple[Prompt, ...] | None = None,
        hidden_parts: bool = False,
        **inputs: Any,
    ) -> io.NodeOutput:
        photos = pictures_from(image)
        if len(photos) != 1:
            raise InputError(f"layers are made of one image, not of a batch of {len(photos)}")
        progress = StepProgress(1, 1)
        found = peel(photos[0], prompt, *Method.of(**inputs).one_painter, candidates, shadow, most, progress.job())
        warn(found.note)
        progress.final(found.plate)
        return io.NodeOutput(
            image_output(found.layers),
            mask_output(found.masks),
            image_output([found.plate]),
            layers_value(found.named(hidden=hidden_parts), size_of(found.plate)),
        )
