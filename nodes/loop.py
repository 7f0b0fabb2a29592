"""AMCPLoop: the whole method in one node."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from comfy_api.latest import io
from comfy_execution.graph_utils import ExecutionBlocker
from torch import Tensor, cat

from ..paintseg.errors import InputError
from ..paintseg.io.inputs import pair_up
from ..paintseg.layers.cutout import cut_out
from ..paintseg.layers.removal import CANDIDATES, paint_out
from ..paintseg.prompts import Prompt
from ..paintseg.segmentation import Result, segment
from ..paintseg.visualize import overlay, step_frame
from .convert import image_output, mask_output, pictures_from
from .method import Method, method_inputs, warn
from .previews import preview, shrunk
from .progress import StepProgress
from .sockets import CATEGORY, image_input, prompt_input, words
from .wiring import wired_outputs


class AMCPLoop(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PaintSeg_AMCPLoop",
            display_name="PaintSeg Segment",
            category=CATEGORY,
            description="Finds the object by painting: a painter imagines what the place looks like without "
            "it, an encoder measures how far that is from the photo, and the mask follows. Gives the mask, "
            "the photo without the object and the object alone. Works on the embedded models.",
            search_aliases=words(
                "paintseg, segment, segmentation, mask, remove object, cut out, matting, background removal, "
                "remove background, erase, sam, segment anything, rembg, select object, amcp, "
                "adversarial mask contrastive painting, clean plate"
            ),
            inputs=[
                image_input("The photo. Images of a batch are segmented one by one."),
                prompt_input(),
                *method_inputs(),
            ],
            outputs=[
                io.Mask.Output(display_name="mask", tooltip="The object, 0 or 1."),
                io.Mask.Output(display_name="soft_mask", tooltip="How likely each pixel is the object, 0 to 1."),
                io.Image.Output(display_name="clean_plate", tooltip="The photo without the object."),
                io.Image.Output(display_name="cut_out", tooltip="The object alone, with transparency (RGBA)."),
                io.Image.Output(
                    display_name="steps", tooltip="One picture per step: the painting, and the mask after it."
                ),
            ],
            is_output_node=True,
        )

    @classmethod
    def fingerprint_inputs(cls, **_: Any) -> str:
        """What is made beside the masks: with another wire it must be made anew."""
        return " ".join(_extras(cls))

    @classmethod
    def execute(cls, image: Tensor, prompt: tuple[Prompt, ...], **inputs: Any) -> io.NodeOutput:
        extras = _extras(cls)
        method = Method.of(**inputs)
        pairs = pair_up(pictures_from(image), prompt, ("images", "prompts"))
        run, progress = method.watched(len(pairs), "clean_plate" in extras)
        masks, softs, shown = [], [], []
        made: dict[str, list[Tensor]] = {name: [] for name in extras}
        for photo, one in pairs:
            # The states of an image are dropped with its result: those of a long batch would fill the memory.
            result = segment(photo[:3], one, *run, progress)
            warn(result.note)
            masks.append(result.mask)
            softs.append(result.soft)
            shown.append(overlay(shrunk(photo[:3]), shrunk(result.soft)))
            for name, values in made.items():
                values.extend(MAKE[name](photo, result, method, progress))
            progress.final(shown[-1])
        others = (image_output(made[name]) if name in made else ExecutionBlocker(_LATE.format(name)) for name in MAKE)
        return io.NodeOutput(mask_output(masks), mask_output(softs), *others, ui=preview(shown, cls))


def _plate(photo: Tensor, result: Result, method: Method, progress: StepProgress) -> list[Tensor]:
    """The photo without the object, as Remove Object makes it by default; as it is where there is none: one of a batch
    must not cost the others theirs."""
    told = progress.job()
    try:
        removal = paint_out(
            photo, result.mask, method.inpainter, method.seed, None, CANDIDATES, True, method.encoder, told
        )
        return [removal.plate]
    except InputError as problem:
        logging.warning("PaintSeg left the photo as it is: %s", problem)
        return [photo.clone()]


def _cut_out(photo: Tensor, result: Result, *_: object) -> list[Tensor]:
    """The object alone, all of it transparent where there is none."""
    if (result.soft > 0.5).any():
        return [cut_out(photo, result.soft)]
    alpha = result.soft * photo[3] if len(photo) == 4 else result.soft
    return [cat([photo[:3], alpha[None]])]


def _frames(_: Tensor, result: Result, *__: object) -> list[Tensor]:
    return [step_frame(state).cpu() for state in result.states]


MAKE: dict[str, Callable[[Tensor, Result, Method, StepProgress], list[Tensor]]] = {
    "clean_plate": _plate,
    "cut_out": _cut_out,
    "steps": _frames,
}
"""The outputs beside the masks, in their order: each costs time or memory and is made only where it is wired."""

_LATE = "{} was not made, since nothing was wired to it when the node began; run it again"


def _extras(node: type[io.ComfyNode]) -> tuple[str, ...]:
    return tuple(name for name in wired_outputs(node) if name in MAKE)
