"""PaintSeg_Discover: a prompt out of nothing."""

from __future__ import annotations

from comfy_api.latest import io
from torch import Tensor

from ..paintseg.config import MOST_CHOICES
from ..paintseg.encoders import Encoder
from ..paintseg.errors import InputError
from ..paintseg.locate.discovery import coarse_mask, coarse_masks
from ..paintseg.prompts import mask_prompt
from ..paintseg.visualize import overlay
from .convert import mask_output, photos_from
from .managed import embedded_encoder
from .previews import preview, shrunk
from .sockets import CATEGORY, PromptSocket, encoder_input, image_input, words


class Discover(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PaintSeg_Discover",
            display_name="PaintSeg Discover",
            category=CATEGORY,
            description="Finds what stands out in a photo without being told where it is (TokenCut), as a prompt for "
            "PaintSeg Segment or, with more than one object, for PaintSeg Objects.",
            search_aliases=words(
                "paintseg, tokencut, maskcut, automatic mask, salient object, auto segment, saliency, foreground, "
                "rembg, remove background"
            ),
            inputs=[
                image_input("The photo. Several images are looked at one by one."),
                io.Int.Input(
                    "objects",
                    default=1,
                    min=1,
                    max=MOST_CHOICES,
                    tooltip="How many objects at most, what stands out most first. With 1 the mask may be in several "
                    "pieces, such as a pair of birds. More than 1 go with a single image.",
                ),
                encoder_input("Tells what is alike in the photo."),
            ],
            outputs=[
                PromptSocket.Output(
                    display_name="prompt",
                    tooltip="The rough masks as prompts, one per image, or one per object of a single image.",
                ),
                io.Mask.Output(
                    display_name="mask", tooltip="The rough masks themselves, soft, as coarse as the encoder's patches."
                ),
            ],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, image: Tensor, objects: int = 1, encoder: Encoder | None = None) -> io.NodeOutput:
        photos, encoder = photos_from(image), encoder or embedded_encoder()
        if objects > 1 and len(photos) > 1:
            raise InputError(f"several objects are looked for in one image, not in {len(photos)}; set objects to 1")
        if objects > 1:
            masks = coarse_masks(photos[0], encoder, objects)
        else:
            masks = [coarse_mask(photo, encoder) for photo in photos]
        shown = [overlay(shrunk(photos[min(index, len(photos) - 1)]), shrunk(mask)) for index, mask in enumerate(masks)]
        prompts = tuple(mask_prompt(mask) for mask in masks)
        return io.NodeOutput(prompts, mask_output(masks), ui=preview(shown, cls))
