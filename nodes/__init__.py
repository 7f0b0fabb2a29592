"""The pack's nodes: schemas, conversion of types, progress, cancelling. The method is in `paintseg`."""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io
from typing_extensions import override

from ..paintseg import errors
from ..paintseg.io.packages import too_old
from .amodal import Amodal
from .candidates import Candidates
from .click import Click
from .cut_out import CutOut
from .diffusion import DiffusionPainterNode
from .discover import Discover
from .encoders import CLIPVisionEncoderNode, DINOEncoderNode
from .example import place_example_files
from .inpaint_model import InpaintModelPainter
from .layers import Layers
from .loop import AMCPLoop
from .method import warn
from .painters import FastPainter
from .potential import ContrastivePotential
from .prompt import PromptToMask
from .reassemble import Reassemble
from .remove import RemoveObject
from .route import add_routes
from .save_layers import SaveLayers
from .several import Objects
from .steps import AMCPStart, AMCPStep
from .video import Video

# ComfyUI puts the module of an error's class before its sentence, and a pack's module is named after its folder's path.
for _error in vars(errors).values():
    if isinstance(_error, type) and issubclass(_error, Exception):
        _error.__module__ = "builtins"


class PaintSegExtension(ComfyExtension):
    """All nodes of this pack."""

    @override
    async def on_load(self) -> None:
        for sentence in too_old():
            warn(sentence)
        place_example_files()
        # Not at import: there is none when the pack is only read, as by tests and by whoever lists its nodes.
        from server import PromptServer

        add_routes(PromptServer.instance)

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
            Click,
        ]


async def comfy_entrypoint() -> PaintSegExtension:
    """Called by ComfyUI when it loads the pack."""
    return PaintSegExtension()
