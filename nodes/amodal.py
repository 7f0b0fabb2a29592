"""PaintSeg_Amodal: what another object hides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from comfy_api.latest import io
from torch import Tensor

from ..paintseg.errors import InputError
from ..paintseg.io.inputs import as_masks, pair_up
from ..paintseg.layers.amodal import amodal
from ..paintseg.ops.images import resize_mask, size_of
from ..paintseg.prompts import Prompt
from .convert import image_output, mask_output, pictures_from
from .method import Method, layer_inputs, warn
from .progress import StepProgress
from .sockets import LAYERS, image_input, prompt_input, words


class Amodal(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PaintSeg_Amodal",
            display_name="PaintSeg Amodal",
            category=LAYERS,
            description="Completes an object that another one partly hides: the front object is painted away and "
            "what was behind it is segmented in the painting. What it looks like there is a guess.",
            search_aliases=words("paintseg, amodal, occlusion, complete object, behind, hidden part"),
            inputs=[
                image_input("The photo."),
                io.Mask.Input("front", tooltip="The object in front."),
                io.Mask.Input(
                    "behind", optional=True, tooltip="The visible part of the object behind; it is kept as it is."
                ),
                prompt_input(optional=True, tooltip="Or a prompt for the object behind, such as a box around it."),
                *layer_inputs(),
            ],
            outputs=[
                io.Mask.Output(display_name="mask", tooltip="All of the object behind, seen and hidden."),
                io.Image.Output(display_name="layer", tooltip="The completed object, RGBA."),
                io.Image.Output(display_name="plate", tooltip="The photo without the front object."),
            ],
        )

    @classmethod
    def execute(
        cls,
        image: Tensor,
        front: Tensor,
        candidates: int,
        behind: Tensor | None = None,
        prompt: tuple[Prompt, ...] | None = None,
        **inputs: Any,
    ) -> io.NodeOutput:
        if (behind is None) == (prompt is None):
            raise InputError("say what lies behind: wire either its mask or a prompt for it, not both")
        photos = pictures_from(image)
        size = size_of(photos)
        wanted: Sequence[Prompt | Tensor] = prompt or ()
        if behind is not None:
            wanted = [resize_mask(one, size) for one in as_masks(behind.cpu(), "mask behind")]
        pairs = pair_up(photos, as_masks(front.cpu(), "front mask"), ("images", "front masks"))
        jobs = pair_up(pairs, wanted, ("images", "objects behind"))
        method, progress = Method.of(**inputs).one_painter, StepProgress(len(jobs), 1)
        done = [
            amodal(photo, resize_mask(one, size), hidden, *method, candidates, progress.job())
            for (photo, one), hidden in jobs
        ]
        for one in done:
            warn(one.note)
        progress.final(done[-1].plate)
        return io.NodeOutput(
            mask_output([one.soft for one in done]),
            image_output([one.layer for one in done]),
            image_output([one.plate for one in done]),
        )
