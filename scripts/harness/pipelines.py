"""Inpainting pipelines of diffusers from folders, from Hugging Face, and from checkpoints as ComfyUI keeps them.

Not in the library: diffusers may fetch what it is asked for, and the library promises that nothing connects anywhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from paintseg.errors import InputError
from paintseg.io.packages import need
from paintseg.painters.latent_diffusion import LatentInpainting


def load_pipeline(name: str, device: str) -> Any:
    """An inpainting pipeline on a device, in half precision on a GPU.

    Args:
        name: a folder in diffusers' layout; a folder with `vqvae`, `unet` and `scheduler` and no pipeline of its own,
            which is latent diffusion without text and is put together from its parts; a checkpoint (.safetensors),
            whose configuration diffusers knows or fetches; else a name on Hugging Face.
        device: as torch names it.

    Raises InputError for what is none of these.
    """
    need("diffusers")
    from diffusers import AutoPipelineForInpainting

    folder, half = Path(name), torch.float16 if device.startswith("cuda") else torch.float32
    if (folder / "vqvae").is_dir() and not (folder / "model_index.json").exists():
        return _latent_diffusion(folder, device)
    try:
        if folder.suffix == ".safetensors":
            pipeline = _of_checkpoint(folder)
        else:
            pipeline = AutoPipelineForInpainting.from_pretrained(name, safety_checker=None)
    except (OSError, ValueError, KeyError) as problem:
        raise InputError(f"{name} cannot be read as an inpainting pipeline: {problem}") from problem
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(device, half)


def _of_checkpoint(file: Path) -> Any:
    """The pipeline of a single file: Stable Diffusion's or SDXL's, by the width of its text."""
    from diffusers import StableDiffusionInpaintPipeline, StableDiffusionXLInpaintPipeline
    from safetensors import safe_open

    if not file.is_file():
        raise InputError(f"there is no checkpoint {file}")
    with safe_open(file, "pt") as opened:
        names = set(opened.keys())
    if any(name.startswith("conditioner.embedders.1.") for name in names):
        return StableDiffusionXLInpaintPipeline.from_single_file(str(file))
    return StableDiffusionInpaintPipeline.from_single_file(str(file), safety_checker=None)


def _latent_diffusion(folder: Path, device: str) -> LatentInpainting:
    """Rombach et al. 2022's released inpainting_big, converted by diffusers' script."""
    from diffusers import DDIMScheduler, UNet2DModel, VQModel

    coder = VQModel.from_pretrained(folder, subfolder="vqvae").to(device)
    unet = UNet2DModel.from_pretrained(folder, subfolder="unet").to(device)
    return LatentInpainting(coder, unet, DDIMScheduler.from_pretrained(folder, subfolder="scheduler"))
