"""PaintSeg_Video: the frames of a video, or photos that have nothing to do with each other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from comfy_api.latest import io
from torch import Tensor

from ..paintseg.errors import InputError
from ..paintseg.io.inputs import pair_up
from ..paintseg.prompts import Prompt
from ..paintseg.segmentation import Result, segment
from ..paintseg.tasks.video import Tracked, follow
from ..paintseg.visualize import overlay
from .convert import image_output, mask_output, photos_from
from .method import Method, method_inputs, warn
from .previews import preview
from .sockets import CATEGORY, image_input, prompt_input, words


class Video(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PaintSeg_Video",
            display_name="PaintSeg Video",
            category=CATEGORY,
            description="Follows one object through the frames of a video: point at it in the first frame, and each "
            "frame's mask seeds the next. Or segments a batch of photos one by one.",
            search_aliases=words(
                "paintseg, segment, mask, sam, video, track, tracking, propagate mask, frames, rotoscope, "
                "video object segmentation, batch"
            ),
            inputs=[
                image_input("The frames, in order."),
                prompt_input(
                    tooltip="Where the object is in the first frame, from PaintSeg Prompt. For mode "
                    "independent: one prompt for all images, or one per image."
                ),
                io.Combo.Input(
                    "mode",
                    options=["follow", "independent"],
                    default="follow",
                    tooltip="follow: the images are frames of one video; each frame's mask seeds the next. "
                    "independent: they have nothing to do with each other.",
                ),
                *method_inputs(),
                io.Boolean.Input(
                    "keep_first",
                    default=False,
                    optional=True,
                    advanced=True,
                    tooltip="For mode follow with a mask as the prompt: take it for the first frame's mask as it is.",
                ),
            ],
            outputs=[
                io.Mask.Output(display_name="mask", tooltip="The object in every frame, 0 or 1."),
                io.Mask.Output(display_name="soft_mask", tooltip="How likely each pixel is the object, 0 to 1."),
                io.Image.Output(display_name="overview", tooltip="The frames with the object tinted."),
            ],
            is_output_node=True,
        )

    @classmethod
    def execute(
        cls, image: Tensor, prompt: tuple[Prompt, ...], mode: str, keep_first: bool = False, **inputs: Any
    ) -> io.NodeOutput:
        if keep_first and mode != "follow":
            raise InputError("the first frame's mask can be kept in mode follow only; switch keep_first off")
        photos = photos_from(image)
        method, progress = Method.of(**inputs).watched(len(photos))
        found: Iterable[Result | Tracked]
        if mode == "follow":
            if len(prompt) > 1:
                raise InputError(
                    f"one object is followed through the frames, but there are {len(prompt)} prompts; give one"
                )
            found = follow(photos, prompt[0], *method, progress, keep_first)
        else:
            if len(prompt) not in (1, len(photos)):
                raise InputError(
                    f"there are {len(photos)} images and {len(prompt)} prompts: give one prompt, or as many"
                )
            pairs = pair_up(photos, prompt, ("images", "prompts"))
            found = (segment(photo, one, *method, progress) for photo, one in pairs)
        masks, softs, shown = [], [], []
        for photo, one in zip(photos, found, strict=True):
            warn(one.note)
            masks.append(one.mask)
            softs.append(one.soft)
            shown.append(overlay(photo, one.soft))
            progress.final(shown[-1])
        return io.NodeOutput(mask_output(masks), mask_output(softs), image_output(shown), ui=preview(shown, cls))
