"""Encoders."""

from __future__ import annotations

from comfy_api.latest import io

from .managed import ManagedDINO, embedded_encoder
from .sockets import CATEGORY, EncoderSocket

MODELS = {"DINOv2 ViT-S/14 (embedded)": embedded_encoder}
"""What the node offers, and how each is made."""


class DINOEncoderNode(io.ComfyNode):
    """A self-supervised vision transformer."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PaintSeg_DINOEncoder",
            display_name="PaintSeg DINO Encoder",
            category=CATEGORY,
            description="A self-supervised vision transformer that tells what is alike in a photo. The "
            "embedded one is what the other nodes use when no encoder is wired.",
            search_aliases=["dino", "dinov2", "dinov3", "features", "vision transformer", "paintseg encoder"],
            inputs=[io.Combo.Input("model", options=list(MODELS), tooltip="Which encoder.")],
            outputs=[
                EncoderSocket.Output(
                    display_name="encoder", tooltip="For the encoder inputs of the PaintSeg nodes."
                )
            ],
        )

    @classmethod
    def execute(cls, model: str) -> io.NodeOutput:
        encoder: ManagedDINO = MODELS[model]()
        return io.NodeOutput(encoder)
