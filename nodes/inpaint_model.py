"""PaintSeg_InpaintModelPainter: LaMa and MAT as painters."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import torch
from comfy_api.latest import io
from torch import Tensor

from ..paintseg.errors import InputError
from ..paintseg.io.torchscript import is_torchscript, read_torchscript
from ..paintseg.painters.feedforward import painter_of
from . import folders
from .managed import ManagedPainter
from .sockets import CATEGORY, painter_output, words

FOLDER = "inpaint"
WIRED = "(the wired model)"
UNWIRED = "nothing is wired"
MAT_KEY = "synthesis.first_stage.conv_first.conv.resample_filter"

InpaintModelSocket = io.Custom("INPAINT_MODEL")
"""What loaders of other packs hand out: spandrel's descriptor, or a module called with image and mask."""


class InpaintModelPainter(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PaintSeg_InpaintModelPainter",
            display_name="PaintSeg Inpaint Model Painter",
            category=CATEGORY,
            description="LaMa or MAT as the painter, from a file in models/inpaint or from another pack's "
            "loader. Quick, without words.",
            search_aliases=words("lama, big-lama, mat, spandrel, inpaint model, paintseg painter"),
            inputs=[
                io.Combo.Input(
                    "model_name",
                    # The wired model last: with a file there, the node must work as it is dropped.
                    options=[*folders.files(FOLDER), WIRED],
                    tooltip="A file in models/inpaint, such as big-lama.pt. A wired model comes before it.",
                ),
                InpaintModelSocket.Input(
                    "inpaint_model", optional=True, tooltip="INPAINT_MODEL of another pack's loader."
                ),
            ],
            outputs=[painter_output()],
        )

    @classmethod
    def validate_inputs(cls, model_name: str | None, inpaint_model: object = UNWIRED) -> bool | str:
        """Whether there is a model. Of what is wired ComfyUI tells only that it is, as None.

        In place of ComfyUI's own check, which asks for the file even where a wired model comes before it.
        """
        if inpaint_model is not UNWIRED or model_name is None:
            return True
        return _complaint(model_name) or True

    @classmethod
    def execute(cls, model_name: str, inpaint_model: object | None = None) -> io.NodeOutput:
        if inpaint_model is not None:
            return io.NodeOutput(managed(inpaint_model))
        path = folders.find(model_name, FOLDER)
        if path is None:
            raise InputError(_complaint(model_name))
        return io.NodeOutput(load(path, path.stat().st_mtime_ns))


def _complaint(model_name: str) -> str:
    """What is wrong with a choice when no model is wired; nothing if the file is there."""
    home = folders.home(FOLDER)
    if folders.find(model_name, FOLDER) is not None:
        return ""
    there = folders.files(FOLDER)
    have = f"choose one of {', '.join(there)}" if there else "there is none yet; big-lama.pt would be one"
    if model_name == WIRED:
        return f"no inpainting model is wired; wire one, or choose a file of {home}: {have}"
    return f"there is no {model_name} in {home}; put it there and reload the page, or wire a model; {have}"


@lru_cache(maxsize=2)
def load(path: Path, changed: int) -> ManagedPainter:
    """The painter of a file, read once for as long as the file stays as it is (`changed`: its time)."""
    with torch.inference_mode(False):
        return managed(describe(read(path), path.name))


def managed(model: object) -> ManagedPainter:
    """The painter of a loaded model, its network in ComfyUI's hands."""
    painter = painter_of(model)
    return ManagedPainter(painter, painter.module.eval())


def describe(state: dict[str, Tensor], name: str) -> object:
    """What spandrel makes of a model's tensors. Raises InputError for what it does not know."""
    from spandrel import MAIN_REGISTRY, ModelLoader, UnsupportedModelError

    try:  # MAT is there; spandrel itself holds only what may be used commercially
        from spandrel_extra_arches import EXTRA_REGISTRY
    except ImportError:
        if any(key.endswith(MAT_KEY) for key in state):
            raise InputError(
                f"{name} is MAT, which needs the Python package spandrel_extra_arches: install it, or "
                "load the model with another pack and wire it"
            ) from None
    else:
        MAIN_REGISTRY.add(*EXTRA_REGISTRY, ignore_duplicates=True)
    try:
        return ModelLoader().load_from_state_dict(state)
    except UnsupportedModelError as problem:
        raise InputError(f"{name} is no model that spandrel knows; LaMa or MAT would be") from problem


def read(path: Path) -> dict[str, Tensor]:
    """The tensors of a file. Of TorchScript, as big-lama.pt is published, nothing is run either."""
    return read_torchscript(path) if is_torchscript(path) else folders.tensors_of(path)
