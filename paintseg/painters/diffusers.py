"""Inpainting pipelines of the diffusers library as painters (https://github.com/huggingface/diffusers).

Nothing here imports diffusers: the caller makes the pipeline. The reference set-up of the paper is in
`scripts/examples/reference_setup.py`.
"""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor

from ..errors import InputError, PainterError
from ..ops.images import size_of
from ..ops.memory import in_chunks
from .base import check_request, keep_outside
from .fitting import fill_smoothly, fit


class DiffusersPainter:
    """Any pipeline that is called with a prompt, an image and a mask and gives images back.

    The pipeline lies where its owner put it. Every painting has a generator of its own, so it does not
    depend on how many are asked for at once; they are painted in one batch, in smaller ones when memory runs
    out, one by one on the CPU.

    Args:
        pipeline: such as StableDiffusionInpaintPipeline, one of SDXL, Flux Fill or Kandinsky, or
            `latent_diffusion.LatentInpainting`.
        prompt: what to paint; empty as in the paper.
        steps: iterations of the sampler (paper: 50).
        guidance: classifier-free guidance (paper: 7.5).
        size: longer side in pixels the photo is scaled to; 0 asks the pipeline for its own.
        multiple: the pipeline's sides are multiples of it.

    Raises InputError for a pipeline that does not inpaint.
    """

    multiple = 8
    stochastic = True

    def __init__(
        self,
        pipeline: Any,
        prompt: str = "",
        steps: int = 50,
        guidance: float = 7.5,
        size: int = 0,
        multiple: int = 64,
        **options: object,
    ) -> None:
        self.name = type(pipeline).__name__
        self._known = inspect.signature(pipeline.__call__).parameters
        if not {"image", "mask_image"} <= self._known.keys():
            raise InputError(f"{self.name} is no inpainting pipeline: it takes no image and mask_image")
        unknown = {key for key in options if key not in self._known}
        if unknown:
            raise InputError(f"{self.name} does not know {', '.join(sorted(unknown))}")
        self.pipeline = pipeline
        self.size = size or native_size(pipeline)
        self._prompt, self._step = prompt, multiple
        # Strength 1 starts from pure noise: the painter may not look at what is in the hole.
        self._options: dict[str, Any] = {
            "num_inference_steps": steps,
            "guidance_scale": guidance,
            "strength": 1.0,
            **options,
        }

    @torch.no_grad()
    def paint(self, image: Tensor, hole: Tensor, count: int = 1, generator: torch.Generator | None = None) -> Tensor:
        """See `Painter.paint`. Raises PainterError when a safety checker blacks out a painting."""
        check_request(self, image, hole, count)
        if not (hole > 0.5).any():
            return image.expand(count, -1, -1, -1).clone()
        request = fit(size_of(image), self._step, self.size)
        shown = request.show_image(fill_smoothly(image, hole)).float()[None]
        area = request.show_hole(hole)[None]
        seeds = [int(torch.randint(2**62, (), generator=generator)) for _ in range(count)]
        device = torch.device(getattr(self.pipeline, "device", "cpu"))

        def run(part: slice) -> list[Tensor]:
            return [self._call(shown, area, seeds[part])]

        painted = in_chunks(run, count, device)[0]
        return keep_outside(image, hole, request.restore(painted.float().to(image.device)))

    @torch.no_grad()
    def round_trip(self, image: Tensor) -> Tensor | None:
        """The photo, 3 x H x W, through the pipeline's autoencoder and back; None where it has none of its own."""
        codec = getattr(self.pipeline, "vae", None) or getattr(self.pipeline, "vqvae", None)
        if codec is None:
            return None
        request = fit(size_of(image), self._step, self.size)
        weight = next(codec.parameters())
        encoded = codec.encode(request.show_image(image)[None].to(weight) * 2 - 1)
        latents = encoded.latents if hasattr(encoded, "latents") else encoded.latent_dist.mode()
        coded = (codec.decode(latents).sample.float() / 2 + 0.5).clamp(0, 1)
        return request.restore(coded)[0].to(image)

    def _call(self, image: Tensor, hole: Tensor, seeds: list[int]) -> Tensor:
        number = len(seeds)
        wanted = {
            **self._options,
            "prompt": [self._prompt] * number,
            "image": image.expand(number, -1, -1, -1),
            "mask_image": hole.expand(number, -1, -1, -1),
            "height": image.shape[-2],
            "width": image.shape[-1],
            "generator": [torch.Generator().manual_seed(seed) for seed in seeds],
            "output_type": "pt",
            "return_dict": True,
        }
        result = self.pipeline(**{key: value for key, value in wanted.items() if key in self._known})
        if any(getattr(result, "nsfw_content_detected", None) or ()):
            raise PainterError(
                f"the safety checker of {self.name} blacked out a painting; make the pipeline "
                "with safety_checker=None or try another seed"
            )
        return result.images


def native_size(pipeline: Any) -> int:
    """The side in pixels a pipeline was trained on, as far as it tells; else 512."""
    network = getattr(pipeline, "unet", None) or getattr(pipeline, "transformer", None)
    side = getattr(getattr(network, "config", None), "sample_size", None)
    scale = getattr(pipeline, "vae_scale_factor", 8)
    if isinstance(side, int):
        return side * scale
    return 1024 if getattr(pipeline, "transformer", None) is not None else 512
