"""Models of true architecture with random weights: what the tests load in place of real weights.

State dictionaries carry the names that the published files carry, so ComfyUI and spandrel must recognise
them. Large checkpoints are written once, into `.cache/random-models`, and linked from there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from .paths import CACHE

FOLDER = CACHE / "random-models"

CLIP_L = {
    "num_hidden_layers": 12,
    "hidden_size": 768,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "hidden_act": "quick_gelu",
    "max_position_embeddings": 77,
    "eos_token_id": 49407,
}
UNET_SD15 = {
    "image_size": 32,
    "model_channels": 320,
    "out_channels": 4,
    "num_res_blocks": [1, 1],
    "channel_mult": [1, 2],
    "transformer_depth": [1, 1],
    "transformer_depth_middle": 1,
    "transformer_depth_output": [1] * 4,
    "num_heads": 8,
    "context_dim": 768,
    "use_spatial_transformer": True,
    "use_linear_in_transformer": False,
    "legacy": False,
}
"""Stable Diffusion 1.5 (Rombach et al., 2022) in its true width, by which ComfyUI knows it, with two of its four levels
and one block in each: a tenth of its weights."""
VAE_SD = {
    "double_z": True,
    "z_channels": 4,
    "resolution": 256,
    "in_channels": 3,
    "out_ch": 3,
    "ch": 128,
    "ch_mult": [1, 2, 4, 4],
    "num_res_blocks": 2,
    "attn_resolutions": [],
    "dropout": 0.0,
}
FLUX_FILL = {
    "image_model": "flux",
    "in_channels": 96,
    "out_channels": 16,
    "patch_size": 2,
    "vec_in_dim": 768,
    "context_in_dim": 768,
    "hidden_size": 256,
    "mlp_ratio": 4.0,
    "num_heads": 2,
    "depth": 1,
    "depth_single_blocks": 1,
    "axes_dim": [16, 56, 56],
    "theta": 10000,
    "qkv_bias": True,
    "guidance_embed": True,
    "txt_ids_dims": [],
}
"""Flux Fill (Black Forest Labs, 2024) with one block of either kind instead of 19 and 38, and two heads
instead of 24; text enters as CLIP-L's 768 numbers instead of T5-XXL's 4096."""


def cached(name: str, make: Callable[[], dict[str, Tensor]]) -> Path:
    """The file of that name in `FOLDER`, written by the first who asks."""
    from safetensors.torch import save_file

    path = FOLDER / f"{name}.safetensors"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}.part")
        save_file(make(), unfinished)
        os.replace(unfinished, path)
    return path


def link(path: Path, place: Path) -> None:
    """Make a file appear under another name, without a copy where the system can."""
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, place)
    except OSError:
        place.symlink_to(path)


def filled(shapes: Iterable[tuple[str, Tensor]], dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    """Values for tensors of these names and shapes that keep activations near 1.

    Norms are 1 and biases 0; the rest is normal over the root of the inputs. Large tensors repeat a pool of a
    million numbers from a place of their own, which is quick.
    """
    pool = torch.randn(2**20, generator=torch.Generator().manual_seed(0))
    values = {}
    for index, (name, like) in enumerate(shapes):
        if not like.is_floating_point():
            values[name] = torch.arange(like.numel()).view(like.shape).to(like.dtype)
        elif like.ndim < 2 or name.endswith(("running_mean", "running_var")):
            one = name.endswith(("weight", "scale", "running_var", "lambda1", "gamma", "gamma_1", "gamma_2"))
            level = 1.0 if one else 0.0
            values[name] = torch.full(like.shape, level, dtype=dtype)
        else:
            scaled = (pool.roll(7919 * index) / like[0].numel() ** 0.5).to(dtype)
            count = like.numel()
            values[name] = scaled.repeat(-(-count // len(scaled)))[:count].view(like.shape)
    return values


def prefixed(module: nn.Module, prefix: str) -> list[tuple[str, Tensor]]:
    """The tensors of a module under longer names."""
    return [(prefix + name, tensor) for name, tensor in module.state_dict().items()]


def sd15_checkpoint(channels: int) -> Path:
    """`UNET_SD15`, its autoencoder and its text encoder in fp16, SIZE: `channels` 9 is the inpainting model, 4 the
    ordinary one."""
    return cached(f"sd15-reduced-{channels}-channels", lambda: filled(_sd15_shapes(channels), torch.float16))


def _sd15_shapes(channels: int) -> list[tuple[str, Tensor]]:
    import comfy.ops
    from comfy.clip_model import CLIPTextModel
    from comfy.ldm.models.autoencoder import AutoencoderKL
    from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel

    with torch.device("meta"):
        unet = UNetModel(in_channels=channels, **UNET_SD15, operations=comfy.ops.disable_weight_init)
        vae = AutoencoderKL(ddconfig=VAE_SD, embed_dim=4)
        text = CLIPTextModel(CLIP_L, torch.float16, "meta", comfy.ops.disable_weight_init)
    words = [
        (name, tensor)
        for name, tensor in prefixed(text, "cond_stage_model.transformer.")
        if "text_projection" not in name
    ]
    return [*prefixed(unet, "model.diffusion_model."), *prefixed(vae, "first_stage_model."), *words]


def clip_l() -> Path:
    """CLIP-L's text encoder in fp16, 246 MB, under the names of clip_l.safetensors."""
    import comfy.ops
    from comfy.clip_model import CLIPTextModel

    def make() -> dict[str, Tensor]:
        text = CLIPTextModel(CLIP_L, torch.float16, "meta", comfy.ops.disable_weight_init)
        return filled(
            ((name, tensor) for name, tensor in prefixed(text, "") if "projection" not in name), torch.float16
        )

    return cached("clip-l", make)


def flux_fill() -> Path:
    """`FLUX_FILL` in fp16, 10 MB, under the names of flux1-fill-dev.safetensors."""
    import comfy.ops
    from comfy.ldm.flux.model import Flux

    def make() -> dict[str, Tensor]:
        config = {key: value for key, value in FLUX_FILL.items() if key != "image_model"}
        model = Flux(**config, dtype=torch.float16, device="meta", operations=comfy.ops.disable_weight_init)
        return filled(prefixed(model, ""), torch.float16)

    return cached("flux-fill-reduced", make)


def flux_vae() -> Path:
    """Flux's autoencoder in fp16, 168 MB, under the names of ae.safetensors."""

    def make() -> dict[str, Tensor]:
        from comfy.ldm.models.autoencoder import AutoencodingEngine

        parts = "comfy.ldm.modules.diffusionmodules.model"
        config = {**VAE_SD, "z_channels": 16}
        with torch.device("meta"):
            vae = AutoencodingEngine(
                regularizer_config={"target": "comfy.ldm.models.autoencoder.DiagonalGaussianRegularizer"},
                encoder_config={"target": f"{parts}.Encoder", "params": config},
                decoder_config={"target": f"{parts}.Decoder", "params": config},
            )
        return filled(prefixed(vae, ""), torch.float16)

    return cached("flux-vae", make)


def lama() -> dict[str, Tensor]:
    """BigLaMa's 51 M parameters under the names of big-lama.pt."""
    from spandrel.architectures.LaMa import LaMa

    tensors = prefixed(LaMa(in_nc=4, out_nc=3), "")
    return filled((name.replace("model.model", "generator.model"), tensor) for name, tensor in tensors)


def mat() -> dict[str, Tensor]:
    """MAT's 62 M parameters under the names of MAT_Places512_G_fp16.safetensors."""
    from spandrel_extra_arches.architectures.MAT import MAT

    model = MAT()  # its filters and windows are no parameters: they stay
    return {name.removeprefix("model."): tensor for name, tensor in model.state_dict().items()}


@contextmanager
def narrow_mat() -> Iterator[None]:
    """While entered, MAT is made with a fraction of its channels, here and by spandrel: it paints squares of 512 as
    ever, in a tenth of the time."""
    from spandrel_extra_arches.architectures.MAT import MAT

    network = sys.modules[MAT.__module__]
    whole = network.nf, network.FirstStage
    network.nf, network.FirstStage = lambda stage: whole[0](stage) // 8, partial(whole[1], dim=24)
    try:
        yield
    finally:
        network.nf, network.FirstStage = whole


def upscaler() -> dict[str, Tensor]:
    """A small ESRGAN: a model spandrel loads that does not inpaint."""
    from spandrel.architectures.ESRGAN import ESRGAN

    return ESRGAN(num_filters=8, num_blocks=1, scale=2).state_dict()


def small_unet(channels: int, xl: bool = False):
    """A ModelPatcher of ComfyUI's own classes for SD 1.5 or SDXL, narrow and without most blocks."""
    import comfy.supported_models

    config = {
        "image_size": 32,
        "in_channels": channels,
        "out_channels": 4,
        "model_channels": 64 if xl else 32,
        "num_res_blocks": [1, 1],
        "channel_mult": [1, 2],
        "transformer_depth": [1, 1],
        "transformer_depth_middle": 1,
        "transformer_depth_output": [1] * 4,
        "num_heads": 2,
        "context_dim": 16,
        "use_spatial_transformer": True,
        "use_linear_in_transformer": xl,
        "legacy": False,
        "dtype": torch.float32,
        "adm_in_channels": None,
    }
    if xl:
        config |= {"adm_in_channels": 2816, "num_classes": "sequential"}
    kind = comfy.supported_models.SDXL if xl else comfy.supported_models.SD15
    return _patcher(kind({**config}).get_model({}, ""))


def small_flux_fill():
    """A ModelPatcher of `FLUX_FILL` in ComfyUI's own class."""
    import comfy.supported_models

    kind = comfy.supported_models.FluxInpaint
    return _patcher(kind({**FLUX_FILL, "dtype": torch.float32}).get_model({}, ""))


def _patcher(model):
    import comfy.model_patcher

    network = model.diffusion_model
    network.load_state_dict(filled(prefixed(network, "")))
    cpu = torch.device("cpu")
    return comfy.model_patcher.CoreModelPatcher(model, load_device=cpu, offload_device=cpu)


def small_vae(channels: int = 4):
    """ComfyUI's VAE with a quarter of the width of Stable Diffusion's."""
    import comfy.sd
    from comfy.ldm.models.autoencoder import AutoencoderKL

    shape = {
        "ddconfig": {**VAE_SD, "ch": 32, "ch_mult": [1, 1, 1, 1], "num_res_blocks": 1, "z_channels": channels},
        "embed_dim": channels,
    }
    tensors = filled(prefixed(AutoencoderKL(**shape), ""))
    # Random weights overshoot: their pictures would be black and white.
    tensors["decoder.conv_out.weight"] *= 0.3
    return comfy.sd.VAE(tensors, config={"params": shape})


class PublishedLaMa(nn.Module):
    """The generator under the name it has in big-lama.pt."""

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        """As the network."""
        return self.generator(image, mask)


def lama_script() -> Path:
    """BigLaMa as TorchScript, 205 MB, which is how big-lama.pt is published."""
    from spandrel.architectures.LaMa import LaMa

    path = FOLDER / "lama.pt"
    if not path.exists():
        published = PublishedLaMa(LaMa(in_nc=4, out_nc=3).model).eval()
        published.load_state_dict(lama())
        with torch.no_grad():
            traced = torch.jit.trace(published, (torch.rand(1, 3, 64, 64), torch.ones(1, 1, 64, 64)))
        FOLDER.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}.part")
        traced.save(str(unfinished))
        os.replace(unfinished, path)
    return path
