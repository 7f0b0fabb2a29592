#!/usr/bin/env python3
"""PaintSeg as its paper sets it up: latent diffusion inpaints, Stable Diffusion outpaints, DINO compares.

    python scripts/examples/reference_setup.py photo.jpg --box 40,30,200,180 \\
        --phi models/ldm-inpainting --psi stabilityai/stable-diffusion-2-inpainting -o mask.png

Section 5.2 of Li et al. 2023 (arXiv 2305.19406): phi paints without text, psi with an empty prompt at guidance 7.5,
both with 50 iterations; five steps of five paintings. It needs the extra `diffusers` and, to end within minutes, a GPU.

--phi and --psi are folders in diffusers' layout or names on Hugging Face. A folder with `vqvae`, `unet` and `scheduler`
and no pipeline of its own is latent diffusion without text (Rombach et al. 2022, the released inpainting_big, converted
with diffusers' script convert_ldm_original_checkpoint_to_diffusers); any inpainting pipeline will do instead.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout need not be installed
sys.path.append(str(Path(__file__).resolve().parents[1]))

from harness.pipelines import load_pipeline

from paintseg.cli.console import guarded
from paintseg.config import preset
from paintseg.encoders import Encoder
from paintseg.encoders.catalog import CATALOG
from paintseg.encoders.dino import DINOEncoder, load_dinov2_small
from paintseg.errors import InputError
from paintseg.io.formats import to_image
from paintseg.io.pictures import write_image
from paintseg.io.reading import read_photo
from paintseg.painters.diffusers import DiffusersPainter
from paintseg.prompts import Prompt
from paintseg.segmentation import segment


def main(argv: list[str] | None = None) -> int:
    """Segment one photo; 0 when a mask was written, 2 for input that cannot be used."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--box", required=True, metavar="X0,Y0,X1,Y1", help="pixels; the corner is not part of it")
    parser.add_argument("--phi", required=True, help="paints the object away")
    parser.add_argument("--psi", required=True, help="paints the background away")
    parser.add_argument(
        "--encoder",
        type=Path,
        help="vit_small_patch8_224.dino.safetensors or another of the catalogue; the embedded DINOv2 S/14 by default",
    )
    parser.add_argument("--preset", default="paper")
    parser.add_argument("--steps", type=int, help="instead of the preset's")
    parser.add_argument("--paintings", type=int, help="instead of the preset's")
    parser.add_argument("--iterations", type=int, default=50, help="of the samplers")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("-o", "--output", type=Path, default=Path("mask.png"))
    return guarded(lambda: run(parser.parse_args(argv)))


def run(options: argparse.Namespace) -> None:
    """Everything between the arguments and the mask."""
    photo = read_photo(options.photo)
    box = tuple(float(edge) for edge in options.box.split(","))
    if len(box) != 4:
        raise InputError(f"--box takes four numbers, not {options.box}")
    changes = {"steps": options.steps, "paintings": options.paintings}
    config = preset(options.preset, **{key: value for key, value in changes.items() if value})
    phi, psi = (
        DiffusersPainter(load_pipeline(name, options.device), prompt="", steps=options.iterations, guidance=7.5)
        for name in (options.phi, options.psi)
    )
    result = segment(
        photo,
        Prompt(size=tuple(photo.shape[1:]), box=box),
        phi,
        load_encoder(options.encoder),
        config,
        options.seed,
        psi,
        progress=lambda state: print(f"step {state.step} of {config.steps}", flush=True),
    )
    write_image(options.output, to_image(result.mask.float()))


def load_encoder(path: Path | None) -> Encoder:
    """The encoder of a file of the catalogue, or the embedded one."""
    if path is None:
        return load_dinov2_small()
    from safetensors.torch import load_file

    known = {published.file: published.model_name for published in CATALOG}
    if path.name not in known:
        raise InputError(f"{path.name} is none of the catalogue's files: {', '.join(known)}")
    return DINOEncoder(known[path.name], load_file(path))


if __name__ == "__main__":
    sys.exit(main())
