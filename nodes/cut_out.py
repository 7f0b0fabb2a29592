"""PaintSeg_CutOut: the object alone."""

from __future__ import annotations

from comfy_api.latest import io
from torch import Tensor

from ..paintseg.finish.pieces import largest_piece as largest
from ..paintseg.io.inputs import as_masks, pair_up
from ..paintseg.layers.cutout import cut_out
from ..paintseg.layers.matting import matte
from ..paintseg.ops.images import resize_mask, size_of
from .convert import image_output, pictures_from
from .sockets import LAYERS, image_input, words


class CutOut(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PaintSeg_CutOut",
            display_name="PaintSeg Cut Out",
            category=LAYERS,
            description="The object as a layer with transparency. The background's colour is taken out of the "
            "edge, so that no halo shows on another background.",
            search_aliases=words(
                "paintseg, cut out, cutout, matting, matte, alpha, rgba, transparent, remove background, rembg, mask, "
                "hair, sticker, defringe"
            ),
            inputs=[
                image_input("The photo."),
                io.Mask.Input("mask", tooltip="The object, best the soft mask of PaintSeg Segment."),
                io.Float.Input(
                    "soften",
                    default=0.5,
                    min=0.0,
                    max=20.0,
                    step=0.1,
                    tooltip="Width in pixels by which the edge is softened, against the steps of a hard mask.",
                ),
                io.Combo.Input(
                    "edge",
                    options=["mask", "matte"],
                    default="mask",
                    optional=True,
                    tooltip="mask: as sharp or soft as the mask is. matte: how much of every pixel at the edge is the "
                    "object is worked out from the colours, for hair and fur; takes a few seconds more.",
                ),
                io.Boolean.Input(
                    "largest_piece",
                    default=False,
                    optional=True,
                    tooltip="Keep the mask's largest piece alone: loose crumbs and all other parts go.",
                ),
            ],
            outputs=[io.Image.Output(display_name="layer", tooltip="RGBA, of the photo's size. Save it as PNG.")],
        )

    @classmethod
    def execute(
        cls, image: Tensor, mask: Tensor, soften: float, edge: str = "mask", largest_piece: bool = False
    ) -> io.NodeOutput:
        pairs = pair_up(pictures_from(image), as_masks(mask.cpu()), ("images", "masks"))
        layers = []
        for photo, one in pairs:
            soft = resize_mask(largest(one) if largest_piece else one, size_of(photo))
            if edge == "matte":
                layers.append(cut_out(photo, matte(photo, soft), levels=(0.0, 1.0)))
            else:
                layers.append(cut_out(photo, soft, soften))
        return io.NodeOutput(image_output(layers))
