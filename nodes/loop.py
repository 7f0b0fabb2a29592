"""AMCPLoop: the whole method in one node."""

from __future__ import annotations

import logging
from typing import Any

from comfy_api.latest import io, ui
from torch import Tensor, cat

from ..paintseg.errors import InputError
from ..paintseg.layers import cut_out, remove
from ..paintseg.painters import Painter
from ..paintseg.parsing import pair_up
from ..paintseg.prompts import Prompt
from ..paintseg.segment import Result, segment
from ..paintseg.visualize import overlay, step_frame
from .convert import image_output, mask_output, photos_from
from .method import Method, method_inputs, warn
from .sockets import CATEGORY, image_input, prompt_input


class AMCPLoop(io.ComfyNode):
    """Prompt in, masks and layers out."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PaintSeg_AMCPLoop",
            display_name="PaintSeg Segment",
            category=CATEGORY,
            description="Finds the object by painting: a painter imagines what the place looks like without "
            "it, an encoder measures how far that is from the photo, and the mask follows. Gives the mask, "
            "the photo without the object and the object alone. Works on the embedded models.",
            search_aliases=[
                "paintseg",
                "segment",
                "segmentation",
                "mask",
                "remove object",
                "cut out",
                "matting",
                "background removal",
                "remove background",
                "erase",
                "sam",
                "select object",
                "amcp",
                "adversarial mask contrastive painting",
                "clean plate",
            ],
            inputs=[
                image_input("The photo. Images of a batch are segmented one by one."),
                prompt_input(),
                *method_inputs(),
            ],
            outputs=[
                io.Mask.Output(display_name="mask", tooltip="The object, 0 or 1."),
                io.Mask.Output(
                    display_name="soft_mask", tooltip="How likely each pixel is the object, 0 to 1."
                ),
                io.Image.Output(display_name="clean_plate", tooltip="The photo without the object."),
                io.Image.Output(
                    display_name="cut_out", tooltip="The object alone, with transparency (RGBA)."
                ),
                io.Image.Output(
                    display_name="steps", tooltip="One picture per step: the painting, and the mask after it."
                ),
            ],
            is_output_node=True,
            essentials_category="Image Tools",
        )

    @classmethod
    def execute(
        cls,
        image: Tensor,
        prompt: tuple[Prompt, ...],
        **inputs: Any,
    ) -> io.NodeOutput:
        method = Method.of(**inputs)
        pairs = pair_up(photos_from(image), prompt, ("images", "prompts"))
        run = method.watched(len(pairs))
        masks, softs, plates, cut_outs, frames, shown = [], [], [], [], [], []
        for photo, one in pairs:
            # The states of an image are dropped with its result: those of a long batch would fill the memory.
            result = segment(photo, one, *run)
            plate, layer = _layers(photo, result, method.inpainter, method.seed)
            masks.append(result.mask)
            softs.append(result.soft)
            plates.append(plate)
            cut_outs.append(layer)
            frames.extend(step_frame(state).cpu() for state in result.states)
            shown.append(overlay(photo, result.soft))
        return io.NodeOutput(
            mask_output(masks),
            mask_output(softs),
            image_output(plates),
            image_output(cut_outs),
            image_output(frames),
            ui=ui.PreviewImage(image_output(shown), cls=cls),
        )


def _layers(photo: Tensor, result: Result, painter: Painter, seed: int) -> tuple[Tensor, Tensor]:
    """The plate and the cut-out. Where nothing can be taken out, the photo as it is, and a warning."""
    warn(result.note)
    try:
        return remove(photo, result.mask, painter, seed=seed), cut_out(photo, result.soft)
    except InputError as problem:
        # One image without an object must not cost the others of a batch their masks.
        logging.warning("PaintSeg left the photo as it is: %s", problem)
        return photo, cat([photo, result.soft[None]])
