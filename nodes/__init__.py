"""The pack's nodes: schemas, conversion of types, progress, cancelling. The method is in `paintseg`."""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io
from typing_extensions import override

from .candidates import Candidates
from .diffusion import DiffusionPainterNode
from .discover import Discover
from .encoders import CLIPVisionEncoderNode, DINOEncoderNode
from .example import place_example_files
from .inpaint_model import InpaintModelPainter
from .layers import Amodal, CutOut, Layers, Reassemble, RemoveObject, SaveLayers
from .loop import AMCPLoop
from .painters import FastPainter
from .potential import ContrastivePotential
from .prompt import PromptToMask
from .several import Objects
from .steps import AMCPStart, AMCPStep
from .video import Video


class PaintSegExtension(ComfyExtension):
    """All nodes of this pack."""

    @override
    async def on_load(self) -> None:
        place_example_files()

    @override
    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return [
            PromptToMask,
            Discover,
            AMCPLoop,
            Candidates,
            Objects,
            Video,
            AMCPStart,
            AMCPStep,
            ContrastivePotential,
            FastPainter,
            DiffusionPainterNode,
            InpaintModelPainter,
            DINOEncoderNode,
            CLIPVisionEncoderNode,
            RemoveObject,
            CutOut,
            Amodal,
            Layers,
            Reassemble,
            SaveLayers,
        ]


async def comfy_entrypoint() -> PaintSegExtension:
    """Called by ComfyUI when it loads the pack."""
    return PaintSegExtension()
