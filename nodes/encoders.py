"""Encoders: DINO in all sizes, and what ComfyUI loads as CLIP_VISION."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import comfy.clip_vision
import comfy.utils
import torch
from comfy_api.latest import io

from ..paintseg.encoders.catalog import CATALOG, Published
from ..paintseg.encoders.dino import DINOEncoder
from ..paintseg.io.download import download
from . import folders
from .clip_vision import ClipVisionEncoder
from .managed import ManagedDINO, embedded_encoder
from .sockets import CATEGORY, encoder_output, words

EMBEDDED = "DINOv2 ViT-S/14 (embedded)"
FOLDER = "dino"


class DINOEncoderNode(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PaintSeg_DINOEncoder",
            display_name="PaintSeg DINO Encoder",
            category=CATEGORY,
            description="A self-supervised vision transformer that tells what is alike in a photo. The "
            "embedded one is what the other nodes use when no encoder is wired; the others are files in "
            "models/dino.",
            search_aliases=words("dino, dinov2, dinov3, features, vision transformer, paintseg encoder"),
            inputs=[
                io.Combo.Input(
                    "model",
                    options=[EMBEDDED, *(published.title for published in CATALOG)],
                    tooltip="Which encoder. The paper's is DINO ViT-S/8; all but the embedded one need a file.",
                ),
                io.Boolean.Input(
                    "download",
                    default=False,
                    optional=True,
                    tooltip="Fetch the file from Hugging Face into models/dino when it is missing. Off, nothing "
                    "is ever downloaded.",
                ),
            ],
            outputs=[encoder_output()],
        )

    @classmethod
    def execute(cls, model: str, download: bool = False) -> io.NodeOutput:
        if model == EMBEDDED:
            return io.NodeOutput(embedded_encoder())
        published = next(one for one in CATALOG if one.title == model)
        path = locate(published, download)
        return io.NodeOutput(read(published.model_name, path, path.stat().st_mtime_ns))


class CLIPVisionEncoderNode(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PaintSeg_CLIPVisionEncoder",
            display_name="PaintSeg CLIP Vision Encoder",
            category=CATEGORY,
            description="DINOv2 Large or Giant or DINOv3, loaded by Load CLIP Vision, as the encoder. Photos "
            "keep their shape: nothing is cropped to a square.",
            search_aliases=words("clip vision, dinov2 large, dinov2 giant, dinov3, paintseg encoder"),
            inputs=[io.ClipVision.Input("clip_vision", tooltip="From Load CLIP Vision: DINOv2 or DINOv3, not a CLIP.")],
            outputs=[encoder_output()],
        )

    @classmethod
    def execute(cls, clip_vision: comfy.clip_vision.ClipVisionModel) -> io.NodeOutput:
        return io.NodeOutput(ClipVisionEncoder(clip_vision))


def locate(published: Published, may_download: bool) -> Path:
    """The file of an encoder. Raises WeightsError when it is missing and may not or cannot be fetched."""
    if path := folders.find(published.file, FOLDER, "clip_vision"):
        return path
    if not may_download:
        raise published.missing(folders.home(FOLDER))
    target = folders.home(FOLDER) / published.file
    bar = comfy.utils.ProgressBar(1)
    download(
        published.address,
        target,
        published.sha256,
        lambda there, total: bar.update_absolute(there, max(total, there, 1)),
    )
    return target


@lru_cache(maxsize=2)
def read(model_name: str, path: Path, changed: int) -> ManagedDINO:
    """An encoder from its file, read once for as long as the file stays as it is (`changed`: its time)."""
    with torch.inference_mode(False):
        return ManagedDINO(DINOEncoder(model_name, folders.tensors_of(path)))
