"""PaintSeg_RemoveObject: the photo without an object."""

from __future__ import annotations

from comfy_api.latest import io
from torch import Tensor

from ..paintseg.encoders import Encoder
from ..paintseg.io.inputs import as_masks, pair_up
from ..paintseg.layers.removal import CANDIDATES, paint_out
from ..paintseg.ops.images import resize_mask, size_of
from ..paintseg.painters import Painter
from .convert import image_output, mask_output, pictures_from
from .managed import embedded_encoder, embedded_painter
from .progress import StepProgress
from .sockets import LAYERS, candidates_input, encoder_input, image_input, painter_input, seed_input, words


class RemoveObject(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PaintSeg_RemoveObject",
            display_name="PaintSeg Remove Object",
            category=LAYERS,
            description="Paints an object out of a photo of any size. Only its surroundings are shown to the "
            "painter; every pixel outside the hole stays as it was, bit for bit.",
            search_aliases=words("paintseg, remove object, erase, clean plate, inpaint, cleanup, eraser"),
            inputs=[
                image_input("The photo."),
                io.Mask.Input("mask", tooltip="The object to remove, of any size, hard or soft."),
                painter_input(),
                encoder_input(),
                seed_input(),
                candidates_input(CANDIDATES),
                io.Boolean.Input(
                    "shadow",
                    default=True,
                    tooltip="Take the shadow the object throws out with it, where one is found.",
                ),
                io.Int.Input(
                    "grow",
                    default=-1,
                    min=-1,
                    max=512,
                    optional=True,
                    advanced=True,
                    tooltip="Pixels the hole reaches beyond the mask. -1: as many as fit the object's size.",
                ),
            ],
            outputs=[
                io.Image.Output(display_name="plate", tooltip="The photo without the object."),
                io.Mask.Output(display_name="hole", tooltip="What was painted: object, rim and shadow."),
            ],
        )

    @classmethod
    def execute(
        cls,
        image: Tensor,
        mask: Tensor,
        seed: int,
        candidates: int,
        shadow: bool,
        grow: int = -1,
        painter: Painter | None = None,
        encoder: Encoder | None = None,
    ) -> io.NodeOutput:
        pairs = pair_up(pictures_from(image), as_masks(mask.cpu()), ("images", "masks"))
        progress = StepProgress(len(pairs), 1)
        done = [
            paint_out(
                photo,
                resize_mask(one, size_of(photo)),
                painter or embedded_painter(),
                seed,
                None if grow < 0 else grow,
                candidates,
                shadow,
                encoder or embedded_encoder(),
                progress.job(),
            )
            for photo, one in pairs
        ]
        progress.final(done[-1].plate)
        return io.NodeOutput(image_output([one.plate for one in done]), mask_output([one.hole for one in done]))
