"""PaintSeg_DiffusionPainter: whatever ComfyUI samples with, as a painter."""

from __future__ import annotations

from typing import Any

import comfy.samplers
import comfy.sd
from comfy.model_patcher import ModelPatcher
from comfy.samplers import CFGGuider, Sampler
from comfy_api.latest import io
from torch import Tensor

from ..paintseg.errors import InputError
from .sampling import DiffusionPainter, Masking, native_size
from .sockets import CATEGORY, painter_output, words

Conditioning = list[list]
"""CONDITIONING: pairs of an embedding and a dictionary."""


class DiffusionPainterNode(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PaintSeg_DiffusionPainter",
            display_name="PaintSeg Diffusion Painter",
            category=CATEGORY,
            description="Your own checkpoint as the painter: inpainting models (SD 1.5, SD 2, SDXL, Flux "
            "Fill) see the masked photo, any other model paints under a noise mask with "
            "differential diffusion. Wire it to painter, outpainter or both.",
            search_aliases=words(
                "paintseg painter, inpaint, stable diffusion, sdxl, flux fill, guider, lcm, lightning, turbo, "
                "checkpoint"
            ),
            inputs=[
                io.Vae.Input("vae", tooltip="The VAE of the model."),
                io.DynamicCombo.Input(
                    "sampling",
                    tooltip="model: a model with its conditioning and a sampler by name. guider: a GUIDER, "
                    "SAMPLER and SIGMAS, for every other model family and few-step models.",
                    options=[
                        io.DynamicCombo.Option("model", model_inputs()),
                        io.DynamicCombo.Option("guider", guider_inputs()),
                    ],
                ),
                io.Combo.Input(
                    "noise_mask",
                    options=["auto", "on", "off"],
                    default="auto",
                    advanced=True,
                    optional=True,
                    tooltip="Hold the photo outside the hole while sampling. auto: unless the model takes "
                    "the mask itself, as inpainting models do.",
                ),
                io.Int.Input(
                    "size",
                    default=0,
                    min=0,
                    max=4096,
                    step=64,
                    advanced=True,
                    optional=True,
                    tooltip="Longer side in pixels at which the model paints; the crop is scaled to it. "
                    "0: 512 for SD 1.5 and SD 2, 1024 for others.",
                ),
            ],
            outputs=[painter_output()],
        )

    @classmethod
    def execute(
        cls, vae: comfy.sd.VAE, sampling: dict[str, Any], noise_mask: Masking = "auto", size: int = 0
    ) -> io.NodeOutput:
        if sampling["sampling"] == "guider":
            guider, sampler, sigmas = sampling["guider"], sampling["sampler"], sampling["sigmas"]
            if len(sigmas) < 2:
                raise InputError(f"the sigmas hold {len(sigmas)} noise levels, too few for a step; give at least two")
        else:
            settings = {key: value for key, value in sampling.items() if key != "sampling"}
            guider, sampler, sigmas = by_name(**settings)
        if len(sigmas) < 2:
            raise InputError("the sampler has no steps to make; give at least one step and a denoise above 0")
        side = size or native_size(guider.model_patcher.model)
        return io.NodeOutput(DiffusionPainter(guider, sampler, sigmas, vae, noise_mask, side))


def model_inputs() -> list[io.Input]:
    """A model, its conditioning, and a sampler by name."""
    return [
        io.Model.Input("model", tooltip="The diffusion model, an inpainting one or any other."),
        io.Conditioning.Input(
            "positive", optional=True, tooltip="What to paint. Unwired: empty text, made with the CLIP below."
        ),
        io.Conditioning.Input(
            "negative", optional=True, tooltip="What not to paint. Unwired: empty text, made with the CLIP below."
        ),
        io.Clip.Input(
            "clip",
            optional=True,
            tooltip="Makes empty conditioning where none is wired. The paper paints without words.",
        ),
        io.Int.Input(
            "steps",
            default=20,
            min=1,
            max=1000,
            tooltip="Steps of the sampler. The paper takes 50; 10 cost it 3 points of IoU.",
        ),
        io.Float.Input(
            "cfg",
            default=7.5,
            min=0.0,
            max=100.0,
            step=0.1,
            round=0.01,
            tooltip="Guidance. 7.5 in the paper; 1 for Flux, LCM, Lightning and Turbo.",
        ),
        io.Combo.Input(
            "sampler_name",
            options=comfy.samplers.KSampler.SAMPLERS,
            default="euler",
            tooltip="The sampler, as in KSampler.",
        ),
        io.Combo.Input(
            "scheduler",
            options=comfy.samplers.KSampler.SCHEDULERS,
            default="normal",
            tooltip="The noise schedule, as in KSampler.",
        ),
        io.Float.Input(
            "denoise",
            default=1.0,
            min=0.01,
            max=1.0,
            step=0.01,
            tooltip="Below 1 the painting starts from the surroundings spread over the hole, never from what "
            "was in it.",
        ),
    ]


def guider_inputs() -> list[io.Input]:
    """What SamplerCustomAdvanced takes, less noise and latent."""
    return [
        io.Guider.Input("guider", tooltip="The model with its conditioning, from CFGGuider, BasicGuider or another."),
        io.Sampler.Input("sampler", tooltip="The sampler, from KSamplerSelect or another."),
        io.Sigmas.Input("sigmas", tooltip="The noise levels, from BasicScheduler or another."),
    ]


def by_name(
    model: ModelPatcher,
    steps: int,
    cfg: float,
    sampler_name: str,
    scheduler: str,
    denoise: float,
    positive: Conditioning | None = None,
    negative: Conditioning | None = None,
    clip: comfy.sd.CLIP | None = None,
) -> tuple[CFGGuider, Sampler, Tensor]:
    """Guider, sampler and noise levels as KSampler would have them."""
    if positive is None:
        positive = empty(clip, "positive")
    if negative is None:
        # Without guidance the model is never asked about the negative.
        negative = positive if clip is None and cfg == 1.0 else empty(clip, "negative")
    guider = CFGGuider(model)
    guider.set_conds(positive, negative)
    guider.set_cfg(cfg)
    levels = comfy.samplers.KSampler(
        model, steps, model.load_device, sampler_name, scheduler, denoise, model.model_options
    ).sigmas
    return guider, comfy.samplers.sampler_object(sampler_name), levels


def empty(clip: comfy.sd.CLIP | None, which: str) -> Conditioning:
    """The conditioning of no words. Raises InputError without a CLIP."""
    if clip is None:
        raise InputError(
            f"the painter has no {which} conditioning; wire one, or wire the model's CLIP and "
            "the painter makes an empty one"
        )
    return clip.encode_from_tokens_scheduled(clip.tokenize(""))
