"""PaintSeg_Candidates: what a point may mean."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io
from torch import Tensor

from ..paintseg.errors import InputError
from ..paintseg.prompts import Prompt
from ..paintseg.tasks.candidates import MOST, candidates
from ..paintseg.visualize import overlay
from .convert import image_output, mask_output, photos_from
from .method import Method, method_inputs, warn
from .previews import preview
from .sockets import CATEGORY, image_input, prompt_input, words


class Candidates(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PaintSeg_Candidates",
            display_name="PaintSeg Candidates",
            category=CATEGORY,
            description="For a point that may mean a part, the object or a group: up to three masks, the most likely "
            "first, judged without labels by how badly painters guess either side of each mask's edge.",
            search_aliases=words(
                "paintseg, candidates, ambiguous point, part or whole, multimask, alternatives, sam multimask output, "
                "mask"
            ),
            inputs=[
                image_input("The photo, a single one."),
                prompt_input(tooltip="One prompt of points or a scribble, from PaintSeg Prompt."),
                *method_inputs(),
            ],
            outputs=[
                io.Mask.Output(display_name="masks", tooltip="The candidates, 0 or 1, the best first."),
                io.Mask.Output(display_name="soft_masks", tooltip="How likely each pixel is the object, 0 to 1."),
                io.Mask.Output(display_name="best", tooltip="The first of the masks alone."),
                io.String.Output(
                    display_name="scores",
                    tooltip="A line per mask: its score (eq. 6 of the paper), higher is better, and the share of the "
                    "photo it covers.",
                ),
                io.Image.Output(display_name="overview", tooltip="The photo with each candidate tinted."),
            ],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, image: Tensor, prompt: tuple[Prompt, ...], **inputs: Any) -> io.NodeOutput:
        photos = photos_from(image)
        if len(photos) > 1 or len(prompt) > 1:
            raise InputError(
                f"candidates are of one prompt in one image, not of {len(prompt)} in {len(photos)}; take one of either"
            )
        method, progress = Method.of(**inputs).watched(MOST)
        found = candidates(photos[0], prompt[0], *method, progress)
        for number, one in enumerate(found, start=1):
            warn(one.result.note, of=f"candidate {number}")
        overviews = [overlay(photos[0], one.result.soft) for one in found]
        progress.final(overviews[0])
        lines = [f"{one.score.total:.4f}, {float(one.result.mask.float().mean()):.1%}" for one in found]
        return io.NodeOutput(
            mask_output([one.result.mask for one in found]),
            mask_output([one.result.soft for one in found]),
            mask_output([found[0].result.mask]),
            "\n".join(lines),
            image_output(overviews),
            ui=preview(overviews, cls),
        )
