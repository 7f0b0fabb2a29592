"""A painter of Stable Diffusion's size: encode, some steps of a sampler with guidance, decode."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn

from paintseg.ops.images import size_of
from paintseg.ops.memory import sent
from paintseg.painters import check_request, keep_outside
from paintseg.painters.fitting import fill_smoothly, fit

from .diffusion import LATENT, TOKENS, Coder, Shape, UNet

GUIDANCE = 7.5

Network = TypeVar("Network", bound=nn.Module)


class SizedPainter:
    """A `LatentPainter` of random weights, which works as the real one does and takes its time; see `Shape`.

    Nothing in the sampler waits for a GPU.
    """

    multiple = 8
    stochastic = True

    def __init__(self, shape: Shape, device: str, dtype: torch.dtype, steps: int) -> None:
        self.name, self.size, self.steps = f"the size of {shape.name}", shape.size, steps
        with torch.device("meta"):
            unet, coder = UNet(shape), Coder(shape)
        self.unet, self.coder = filled(unet, device, dtype), filled(coder, device, dtype)
        self.context = torch.zeros(1, TOKENS, shape.context, dtype=dtype, device=device)
        self.added = torch.zeros(1, shape.pooled, dtype=dtype, device=device) if shape.pooled else None
        self.device, self.dtype = device, dtype

    @property
    def parameters(self) -> int:
        """Numbers in both networks."""
        return sum(one.numel() for network in (self.unet, self.coder) for one in network.parameters())

    @torch.no_grad()
    def paint(self, image: Tensor, hole: Tensor, count: int = 1, generator: torch.Generator | None = None) -> Tensor:
        """See `Painter.paint`; the loop asks for no painting without a hole."""
        check_request(self, image, hole, count)
        request = fit(size_of(image), 64, self.size)
        shown = self._encode(request.show_image(fill_smoothly(image, hole)))
        area = torch.nn.functional.adaptive_max_pool2d(request.show_hole(hole)[None], size_of(shown)).to(shown)
        known = torch.cat([area, shown], 1).expand(2 * count, -1, -1, -1)
        noise = torch.randn(count, *shown.shape[1:], generator=generator)
        latents = sent(noise, shown.device).to(self.dtype)
        context = self.context.expand(2 * count, -1, -1)
        added = None if self.added is None else self.added.expand(2 * count, -1)
        for step in range(self.steps):
            level = 1 - step / self.steps
            time = torch.full((2 * count,), 1000 * level, device=shown.device)
            seen = torch.cat([latents.repeat(2, 1, 1, 1), known], 1)
            without, told = self.unet(seen, time, context, added).chunk(2)
            latents = latents - (without + GUIDANCE * (told - without)) / self.steps
        painted = self._decode(latents.nan_to_num(0, 0, 0).clamp(-4, 4))
        return keep_outside(image, hole, request.restore(painted).to(image.device))

    @torch.no_grad()
    def round_trip(self, image: Tensor) -> Tensor:
        """See `LatentPainter.round_trip`."""
        request = fit(size_of(image), 64, self.size)
        return request.restore(self._decode(self._encode(request.show_image(image))))[0].to(image.device)

    def _encode(self, image: Tensor) -> Tensor:
        return self.coder.encode(image[None].to(self.device, self.dtype) * 2 - 1)[:, :LATENT]

    def _decode(self, latents: Tensor) -> Tensor:
        # what random weights decode to may be anything; a painter must not return NaN
        return (self.coder.decode(latents).float() / 2 + 0.5).nan_to_num(0.5, 1, 0).clamp(0, 1)


@torch.no_grad()
def filled(module: Network, device: str, dtype: torch.dtype) -> Network:
    """A module of the device "meta" with random weights that keep what passes near 1.

    They are made where they will lie and in the precision asked for, so that SDXL's fit on a card of 8 GB.
    """
    module = module.to(dtype).to_empty(device=device).eval().requires_grad_(False)
    for name, values in module.named_parameters():
        if values.ndim > 1:
            values.uniform_(-1, 1).mul_(values[0].numel() ** -0.5)
        else:
            values.fill_(0.0 if name.endswith("bias") else 1.0)
    return module
