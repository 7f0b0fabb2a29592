"""PaintSeg_Objects: several objects of one photo."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io
from torch import Tensor

from ..paintseg.errors import InputError
from ..paintseg.io.inputs import as_masks
from ..paintseg.io.labels import prompts_from_labels
from ..paintseg.prompts import Prompt
from ..paintseg.tasks.several import segment_each
from ..paintseg.visualize import overlay_objects
from .convert import image_output, mask_output, photos_from
from .method import Method, method_inputs, warn
from .previews import preview
from .sockets import CATEGORY, image_input, prompt_input, words


class Objects(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PaintSeg_Objects",
            display_name="PaintSeg Objects",
            category=CATEGORY,
            description="Segments several objects of one photo, one per prompt, so that their masks do not overlap. "
            "Gives the masks as a batch and all of them in one label map.",
            search_aliases=words(
                "paintseg, several objects, multiple objects, instances, instance segmentation, label map, "
                "segment all, segment anything, sam, mask"
            ),
            inputs=[
                image_input("The photo, a single one."),
                prompt_input(
                    optional=True,
                    tooltip="One prompt per object: several boxes or masks in PaintSeg Prompt, or PaintSeg Discover "
                    "with several objects.",
                ),
                io.Mask.Input(
                    "labels",
                    optional=True,
                    tooltip="Instead of prompts: a rough label map of the photo's size. Every grey other than black is "
                    "an object, 64 at most. Drawn with hard edges; resized by nearest-exact, kept as PNG.",
                ),
                *method_inputs(),
            ],
            outputs=[
                io.Mask.Output(display_name="masks", tooltip="The objects, 0 or 1, in the order of the prompts."),
                io.Mask.Output(display_name="soft_masks", tooltip="How likely each pixel is the object, 0 to 1."),
                io.Mask.Output(
                    display_name="label_map",
                    tooltip="All in one: 0 is the background, the n-th object is n / 255, so that an 8-bit picture "
                    "holds the numbers.",
                ),
                io.Image.Output(display_name="overview", tooltip="The photo, every object in a colour of its own."),
            ],
            is_output_node=True,
        )

    @classmethod
    def execute(
        cls, image: Tensor, prompt: tuple[Prompt, ...] | None = None, labels: Tensor | None = None, **inputs: Any
    ) -> io.NodeOutput:
        photos = photos_from(image)
        if len(photos) > 1:
            raise InputError(f"several objects are segmented in one image, not in {len(photos)}; take one of the batch")
        prompts = _prompts(prompt, labels)
        method, progress = Method.of(**inputs).watched(len(prompts))
        found = segment_each(photos[0], prompts, *method, progress)
        for number, result in enumerate(found.results, start=1):
            warn(result.note, of=f"object {number}")
        overview = overlay_objects(photos[0], found.labels)
        progress.final(overview)
        return io.NodeOutput(
            mask_output(list(found.masks)),
            mask_output(list(found.soft)),
            mask_output([found.labels.clamp(max=255) / 255]),
            image_output([overview]),
            ui=preview([overview], cls),
        )


def _prompts(prompt: tuple[Prompt, ...] | None, labels: Tensor | None) -> list[Prompt]:
    if (prompt is None) == (labels is None):
        raise InputError("say where the objects are: wire either prompts or a label map, not both")
    if labels is None:
        return list(prompt or ())
    maps = as_masks(labels.cpu(), "label map")
    if len(maps) > 1:
        raise InputError(f"there must be one label map, not {len(maps)}")
    return prompts_from_labels(torch.as_tensor(maps[0]))
