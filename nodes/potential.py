"""ContrastivePotential: eq. 1 of the paper, visible."""

from __future__ import annotations

import torch
from comfy_api.latest import io
from torch import Tensor

from ..paintseg.config import Direction
from ..paintseg.encoders import Encoder
from ..paintseg.io.inputs import as_masks, pair_up
from ..paintseg.ops.images import check_size, resize_mask, size_of
from ..paintseg.prompts import Prompt
from ..paintseg.tasks.painting_potential import Measured, measure
from ..paintseg.visualize import heat_map
from .convert import config_from, image_output, mask_output, photos_from
from .managed import embedded_encoder
from .previews import preview
from .sockets import CATEGORY, encoder_input, image_input, preset_input, prompt_input, words

TERMS = {
    "paint": "How far the encoder sees the photo from the painting.",
    "color": "How likely a pixel belongs with the repainted region by its colour and place.",
    "prompt": "How close a pixel is to the prompt's points.",
    "affinity": "How alike a pixel is to the object, in the encoder's view.",
}


class ContrastivePotential(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PaintSeg_ContrastivePotential",
            display_name="PaintSeg Contrastive Potential",
            category=f"{CATEGORY}/step by step",
            description="Measures how far every place of a photo is from a painting of it, and shows the "
            "terms of that measure as heat maps. The painting may come from any inpainting node.",
            search_aliases=words("paintseg, potential, heat map, difference, compare, contrast, inpaint check"),
            inputs=[
                image_input("The photo."),
                image_input("The same photo with a region repainted.", "painted"),
                io.Mask.Input("mask", tooltip="The region that was repainted."),
                io.Combo.Input(
                    "direction",
                    options=["I", "O"],
                    default="I",
                    tooltip="I: the mask is the object, which was painted away. O: the mask is the "
                    "background, which was painted anew.",
                ),
                preset_input("paper"),
                prompt_input(optional=True, tooltip="For the prompt term. Unwired: the mask is the prompt."),
                encoder_input(),
            ],
            outputs=[
                io.Mask.Output(
                    display_name="potential",
                    tooltip="The weighted sum of the terms, 0 to 1 inside the contrast box, 0 outside.",
                ),
                io.Image.Output(display_name="heat_map", tooltip="The same as colours, grey outside the contrast box."),
                *(
                    io.Image.Output(display_name=f"{name}_term", tooltip=f"{text} Grey when the preset leaves it out.")
                    for name, text in TERMS.items()
                ),
            ],
            is_output_node=True,
        )

    @classmethod
    def execute(
        cls,
        image: Tensor,
        painted: Tensor,
        mask: Tensor,
        direction: Direction,
        preset: str,
        prompt: tuple[Prompt, ...] | None = None,
        encoder: Encoder | None = None,
    ) -> io.NodeOutput:
        config, encoder = config_from(preset), encoder or embedded_encoder()
        photos, paintings = photos_from(image), photos_from(painted, "painted image")
        check_size(paintings, size_of(photos), "painted image", 2)
        regions = [resize_mask(region.cpu(), size_of(photos)) for region in as_masks(mask)]
        pairs = pair_up(photos, paintings, ("images", "painted images"))
        with_masks = pair_up(pairs, regions, ("images", "masks"))
        with_prompts = pair_up(with_masks, prompt or (None,), ("images", "prompts"))
        found = [
            measure(photo, painting, region, encoder, config, direction, one)
            for ((photo, painting), region), one in with_prompts
        ]
        heat = [heat_map(one.total, one.scope) for one in found]
        return io.NodeOutput(
            mask_output([one.total for one in found]),
            image_output(heat),
            *(image_output([_heat_of(one, name) for one in found]) for name in TERMS),
            ui=preview(heat, cls),
        )


def _heat_of(measured: Measured, name: str) -> Tensor:
    """A term as colours; all grey when it is not there."""
    term = getattr(measured, name)
    if term is None:
        return heat_map(torch.zeros_like(measured.total), torch.zeros_like(measured.scope))
    return heat_map(term, measured.scope)
