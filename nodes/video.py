"""PaintSeg_Video: the frames of a video, or photos that have nothing to do with each other."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from comfy_api.latest import io
from torch import Tensor

from ..paintseg.errors import InputError
from ..paintseg.io.inputs import pair_up
from ..paintseg.prompts import Prompt
from ..paintseg.segmentation import segment
from ..paintseg.tasks.video import follow
from ..paintseg.visualize import overlay
from .convert import image_output, mask_output, photos_from
from .method import Method, Run, method_inputs, warn
from .previews import preview
from .sockets import CATEGORY, image_input, prompt_input, words


class Video(io.ComfyNode):
    """One object through a batch of images."""

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
        cls,
        image: Tensor,
        prompt: tuple[Prompt, ...],
        mode: str,
        keep_first: bool = False,
        **inputs: Any,
    ) -> io.NodeOutput:
        if keep_first and mode != "follow":
            raise InputError("the first frame's mask can be kept in mode follow only; switch keep_first off")
        photos = photos_from(image)
        run = Method.of(**inputs).watched(len(photos))
        segmented = partial(_follow, keep_first=keep_first) if mode == "follow" else _each
        masks, softs, shown = [], [], []
        for photo, (mask, soft) in zip(photos, segmented(photos, prompt, run), strict=True):
            masks.append(mask)
            softs.append(soft)
            shown.append(overlay(photo, soft))
            run.progress.final(shown[-1])
        return io.NodeOutput(mask_output(masks), mask_output(softs), image_output(shown), ui=preview(shown, cls))


def _follow(
    photos: Tensor,
    prompt: tuple[Prompt, ...],
    run: Run,
    keep_first: bool = False,
) -> Iterator[tuple[Tensor, Tensor]]:
    if len(prompt) > 1:
        raise InputError(f"one object is followed through the frames, but there are {len(prompt)} prompts; give one")
    for frame in follow(photos, prompt[0], *run, keep_first):
        warn(frame.note)
        yield frame.mask, frame.soft


def _each(
    photos: Tensor,
    prompt: tuple[Prompt, ...],
    run: Run,
) -> Iterator[tuple[Tensor, Tensor]]:
    if len(prompt) not in (1, len(photos)):
        raise InputError(f"there are {len(photos)} images and {len(prompt)} prompts: give one prompt, or as many")
    for photo, one in pair_up(photos, prompt, ("images", "prompts")):
        result = segment(photo, one, *run)
        warn(result.note)
        yield result.mask, result.soft
