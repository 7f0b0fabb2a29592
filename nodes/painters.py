"""Painters."""

from __future__ import annotations

from comfy_api.latest import io

from .managed import embedded_painter
from .sockets import CATEGORY, painter_output, words


class FastPainter(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PaintSeg_FastPainter",
            display_name="PaintSeg Fast Painter",
            category=CATEGORY,
            description="MI-GAN, the painter that comes with this pack: no download, about a second per "
            "painting on a CPU. It is what the other nodes use when no painter is wired.",
            search_aliases=words("migan, mi-gan, inpaint model, paintseg painter, lama"),
            inputs=[],
            outputs=[painter_output()],
        )

    @classmethod
    def execute(cls) -> io.NodeOutput:
        return io.NodeOutput(embedded_painter())
