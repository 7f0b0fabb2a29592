"""Latent-diffusion inpainting without text, the paper's phi, put together from parts of diffusers.

Rombach et al., "High-Resolution Image Synthesis with Latent Diffusion Models", CVPR 2022, section 4.5: a
network that sees the noisy latent, the latent of the masked photo and the mask, side by side. diffusers has
the parts (VQModel, UNet2DModel, a scheduler) but no pipeline of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


class LatentInpainting:
    """A pipeline as `DiffusersPainter` wants it, without a prompt.

    Args:
        vqvae: diffusers' VQModel, or an AutoencoderKL.
        unet: diffusers' UNet2DModel with 2 z + 1 channels in and z out, where z are those of the latent.
        scheduler: any scheduler of diffusers; the paper's is DDIM.
    """

    def __init__(self, vqvae: Any, unet: Any, scheduler: Any) -> None:
        self.vqvae, self.unet, self.scheduler = vqvae, unet, scheduler
        self.vae_scale_factor = 2 ** (len(vqvae.config.block_out_channels) - 1)

    @property
    def device(self) -> torch.device:
        """Where the network lies."""
        return self.unet.device

    @torch.no_grad()
    def __call__(
        self,
        image: Tensor,
        mask_image: Tensor,
        num_inference_steps: int = 50,
        generator: list[torch.Generator] | None = None,
    ) -> SimpleNamespace:
        """Paint.

        Args:
            image: N x 3 x h x w in [0, 1], sides multiples of what autoencoder and network divide them by.
            mask_image: N x 1 x h x w, 1 where to paint.
            num_inference_steps: iterations.
            generator: one per image.

        Returns `images`, N x 3 x h x w in [0, 1], as a pipeline of diffusers does.
        """
        weight = self.unet.conv_in.weight
        mask = (mask_image > 0.5).to(weight)
        masked = (image.to(weight) * 2 - 1) * (1 - mask)
        known = self._encode(masked)
        area = functional.interpolate(mask * 2 - 1, known.shape[-2:])
        generators: Sequence[torch.Generator | None] = generator or [None] * len(known)
        noise = [torch.randn(1, *known.shape[1:], generator=one) for one in generators]
        latents = torch.cat(noise).to(weight) * self.scheduler.init_noise_sigma
        self.scheduler.set_timesteps(num_inference_steps)
        for timestep in self.scheduler.timesteps:
            seen = torch.cat([self.scheduler.scale_model_input(latents, timestep), known, area], dim=1)
            latents = self.scheduler.step(self.unet(seen, timestep).sample, timestep, latents).prev_sample

        painted = self.vqvae.decode(latents / self._scale).sample
        return SimpleNamespace(images=(painted.float() / 2 + 0.5).clamp(0, 1))

    @property
    def _scale(self) -> float:
        # The published model was trained on latents as they are (VQ, f = 4); KL autoencoders have a factor.
        return 1.0 if hasattr(self.vqvae, "quantize") else self.vqvae.config.scaling_factor

    def _encode(self, images: Tensor) -> Tensor:
        encoded = self.vqvae.encode(images)
        latents = encoded.latents if hasattr(encoded, "latents") else encoded.latent_dist.mode()
        return latents * self._scale
