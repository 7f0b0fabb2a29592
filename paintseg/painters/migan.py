"""MI-GAN, the embedded painter (Sargsyan et al., ICCV 2023, "MI-GAN: A Simple Baseline for Image Inpainting").

A single forward pass of 6.6 M parameters: an encoder of separable convolutions from 512 px to 4 px and a synthesis
network back up, joined at every level. `MIGAN` is the generator alone; `MIGANPainter` makes it a painter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..weights import load_weights
from .base import check_request, keep_outside

LEVELS = (512, 256, 128, 64, 32, 16, 8, 4)
"""Side of the feature maps at each level, for an image of 512 px."""

CHANNELS = {512: 64, 256: 128, 128: 256, 64: 512, 32: 512, 16: 512, 8: 512, 4: 512}
REACH = 64
"""Pixels a painting may be shifted for variety: half the stride of the deepest level."""


def activate(x: Tensor) -> Tensor:
    """Leaky ReLU with the gain that keeps the variance, bounded to what fp16 holds with ease."""
    return functional.leaky_relu(x, 0.2).mul_(math.sqrt(2)).clamp_(-256, 256)


def upsample(x: Tensor) -> Tensor:
    """Twice the size by zero insertion and the filter [1, 3, 3, 1] / 4 along either axis; zero outside.

    That filter is bilinear interpolation; the ring of zeros makes the border fade as the filter does there.
    """
    return functional.interpolate(functional.pad(x, (1, 1, 1, 1)), scale_factor=2, mode="bilinear",
                                  align_corners=False)[..., 2:-2, 2:-2]


def downsample(x: Tensor) -> Tensor:
    """Half the size by the filter [1, 3, 3, 1] / 8 along either axis, stride 2, zeros outside."""
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=x.dtype, device=x.device) / 8
    kernel = torch.outer(taps, taps).expand(x.shape[1], 1, 4, 4)
    return functional.conv2d(x, kernel, stride=2, padding=1, groups=x.shape[1])


class SeparableConv(nn.Module):
    """Depthwise 3 x 3, then pointwise 1 x 1, each activated; optionally resampled in between, optionally with noise.

    Args:
        resample: "down" halves the size before the pointwise convolution, "up" doubles it after.
        noise: side of the fixed noise map added before the last activation; 0 for none.
    """

    def __init__(self, inputs: int, outputs: int, resample: str = "", noise: int = 0) -> None:
        super().__init__()
        self.resample = resample
        self.depthwise = nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs)
        self.pointwise = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.register_buffer("noise", torch.zeros(noise, noise) if noise else None)

    def forward(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        """`noise`: N x 1 x h x w, standard normal; None takes the fixed map."""
        x = activate(self.depthwise(x))
        if self.resample == "down":
            x = downsample(x)
        x = self.pointwise(x)
        if self.resample == "up":
            x = upsample(x)
        if self.noise is not None:
            x = x + (self.fixed_noise(*x.shape[2:]) if noise is None else noise.to(x) * self.noise.std())
        return activate(x)

    def fixed_noise(self, height: int, width: int) -> Tensor:
        """The fixed map, repeated and cut to size."""
        side = self.noise.shape[0]
        return self.noise.repeat(-(-height // side), -(-width // side))[:height, :width]


class EncoderBlock(nn.Module):
    """One level down. Returns the feature handed to the synthesis network at this level, and the next level's input."""

    def __init__(self, level: int) -> None:
        super().__init__()
        inner, outer = CHANNELS[level], CHANNELS[max(level // 2, 4)]
        self.first = SeparableConv(inner, inner)
        self.second = SeparableConv(inner, outer, resample="down" if level > 4 else "")

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        feature = self.first(x)
        return feature, self.second(feature)


class SynthesisBlock(nn.Module):
    """One level up: the encoder's feature joins after the first convolution, RGB is summed over the levels."""

    def __init__(self, level: int) -> None:
        super().__init__()
        inner, outer = CHANNELS[max(level // 2, 4)], CHANNELS[level]
        noise = level if level > 4 else 0
        self.first = SeparableConv(inner, outer, resample="up" if level > 4 else "", noise=noise)
        self.second = SeparableConv(outer, outer, noise=noise)
        self.to_rgb = nn.Conv2d(outer, 3, 1)

    def forward(self, x: Tensor, feature: Tensor, rgb: Tensor | None,
                noise: tuple[Tensor | None, Tensor | None]) -> tuple[Tensor, Tensor]:
        x = self.second(self.first(x, noise[0]) + feature, noise[1])
        return x, self.to_rgb(x) if rgb is None else upsample(rgb) + self.to_rgb(x)


class MIGAN(nn.Module):
    """The generator."""

    def __init__(self) -> None:
        super().__init__()
        self.from_rgb = nn.Conv2d(4, CHANNELS[512], 1)
        self.encoder = nn.ModuleDict({str(level): EncoderBlock(level) for level in LEVELS})
        self.synthesis = nn.ModuleDict({str(level): SynthesisBlock(level) for level in reversed(LEVELS)})

    def forward(self, inputs: Tensor, noise: Sequence[Tensor] | None = None) -> Tensor:
        """Paint.

        Args:
            inputs: N x 4 x H x W, H and W multiples of 128: keep-mask minus 0.5 (so -0.5 in the hole), then the image
                in [-1, 1] times the keep-mask.
            noise: what `draw_noise` gave; None takes the fixed maps of the published file, which repeat to the bit.
                They are of 512 px: smaller images get their upper left part, larger ones get them tiled.

        Returns:
            N x 3 x H x W, the whole picture in about [-1, 1], hole or not.
        """
        x = activate(self.from_rgb(inputs))
        features = {}
        for level, block in self.encoder.items():
            features[level], x = block(x)
        maps = iter(noise) if noise is not None else None
        rgb = None
        for level, block in self.synthesis.items():
            noisy = maps is not None and level != "4"
            x, rgb = block(x, features[level], rgb, (next(maps), next(maps)) if noisy else (None, None))
        return rgb

    @staticmethod
    def draw_noise(height: int, width: int, generator: torch.Generator | None) -> list[Tensor]:
        """Standard normal maps for one image of that size, 1 x 1 x h x w each, in the order they are used."""
        sides = [(height * level // 512, width * level // 512) for level in reversed(LEVELS[:-1])]
        return [torch.randn(1, 1, *side, generator=generator) for side in sides for _ in range(2)]


class MIGANPainter:
    """The painter made of a `MIGAN`. It works where the module lies and in the module's precision.

    The network's own noise hardly changes a painting (mean difference 0.003), so variety comes from showing it the
    photo in another way: mirrored, or moved against its grid of 128 px with the far side wrapped around; the painting
    is moved back, which loses nothing.
    """

    name = "MI-GAN"
    multiple = 128
    size = 512
    stochastic = True

    def __init__(self, module: MIGAN) -> None:
        self.module = module

    @torch.no_grad()
    def paint(self, image: Tensor, hole: Tensor, count: int = 1, generator: torch.Generator | None = None) -> Tensor:
        """See `Painter.paint`. A painting does not depend on how many follow it."""
        check_request(self, image, hole, count)
        weight = self.module.from_rgb.weight
        keep = (hole <= 0.5).to(weight)
        inputs = torch.cat([keep - 0.5, (image.to(weight) * 2 - 1) * keep])
        painted = [self._paint_once(inputs, generator) for _ in range(count)]
        return keep_outside(image, hole, torch.stack(painted).to(image))

    def _paint_once(self, inputs: Tensor, generator: torch.Generator | None) -> Tensor:
        height, width = inputs.shape[1:]
        flip = bool(torch.randint(2, (), generator=generator))
        shift = torch.randint(-REACH, REACH + 1, (2,), generator=generator).tolist()
        noise = self.module.draw_noise(height, width, generator)
        seen = torch.roll(inputs, shift, dims=(1, 2))
        seen = (seen.flip(2) if flip else seen)[None].contiguous(memory_format=torch.channels_last)
        rgb = self.module(seen, noise)[0].float()
        rgb = rgb.flip(2) if flip else rgb
        return torch.roll(rgb, [-s for s in shift], dims=(1, 2)) / 2 + 0.5


def load_migan(device: torch.device | str = "cpu") -> MIGANPainter:
    """The embedded painter, in float32. Raises WeightsError when its file is missing or broken."""
    module = MIGAN()
    module.load_state_dict(load_weights("migan_places2_512"))
    module = module.eval().requires_grad_(False).to(device, memory_format=torch.channels_last)
    return MIGANPainter(module)
