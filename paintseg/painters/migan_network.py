"""The generator of MI-GAN (Sargsyan et al., ICCV 2023): one forward pass of 6.6 M parameters.

An encoder of separable convolutions goes from the photo's size down to 1/128 of it, a synthesis network of
the same kind comes back up, taking the encoder's feature at every level. No layer is bound to a size, so any
multiple of 128 px will do; 512 px is what the weights were trained on.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import repeat

import torch
from torch import Tensor, nn
from torch.nn import functional

CHANNELS = {512: 64, 256: 128, 128: 256, 64: 512, 32: 512, 16: 512, 8: 512, 4: 512}
"""Channels of each level, which is named by the side of its feature maps when the photo has 512 px."""

LEVELS = tuple(CHANNELS)
DEEPEST = LEVELS[-1]


def activate(x: Tensor) -> Tensor:
    """Leaky ReLU with the gain that keeps the variance, bounded so that fp16 would do; overwrites `x`."""
    # In place: at 512 px a map has 67 MB, and fresh memory for each would take a third of the time.
    return functional.leaky_relu_(x, 0.2).mul_(math.sqrt(2)).clamp_(-256, 256)


def upsample(x: Tensor) -> Tensor:
    """Twice the size by zero insertion and the filter [1, 3, 3, 1] / 4 along either axis, zeros outside.

    That filter is bilinear interpolation; the ring of zeros makes the border fade as the filter does.
    """
    ringed = functional.pad(x, (1, 1, 1, 1))
    doubled = functional.interpolate(ringed, scale_factor=2, mode="bilinear", align_corners=False)
    return doubled[..., 2:-2, 2:-2]


def downsample(x: Tensor) -> Tensor:
    """Half the size by the filter [1, 3, 3, 1] / 8 along either axis at stride 2, zeros outside."""
    taps = x.new_ones(4)  # made there: a list would be brought to a GPU, which waits for it
    taps[1:3] = 3
    taps /= 8
    kernel = torch.outer(taps, taps).expand(x.shape[1], 1, 4, 4)
    return functional.conv2d(x, kernel, stride=2, padding=1, groups=x.shape[1])


def tiled(noise: Tensor, height: int, width: int) -> Tensor:
    """A square map repeated, or its upper left part, h x w."""
    side = noise.shape[0]
    return noise.repeat(-(-height // side), -(-width // side))[:height, :width]


class SeparableConv(nn.Module):
    """Depthwise 3 x 3, then pointwise 1 x 1, each activated.

    Args:
        inputs: channels in.
        outputs: channels out.
        resample: "down" halves the size before the pointwise convolution, "up" doubles it after; "" neither.
        noise: side of the fixed noise map added before the last activation, 0 for none.
    """

    noise: Tensor | None

    def __init__(self, inputs: int, outputs: int, resample: str = "", noise: int = 0) -> None:
        super().__init__()
        self.resample = resample
        self.depthwise = nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs)
        self.pointwise = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.register_buffer("noise", torch.zeros(noise, noise) if noise else None)

    def forward(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        """`noise`: N x 1 x h x w, standard normal, scaled here; None takes the fixed map."""
        x = activate(self.depthwise(x))
        if self.resample == "down":
            x = downsample(x)
        x = self.pointwise(x)
        if self.resample == "up":
            x = upsample(x)
        if self.noise is not None:
            strength = self.noise.float().std().to(x)
            x.add_(tiled(self.noise, *x.shape[2:]) if noise is None else noise * strength)
        return activate(x)


class EncoderBlock(nn.Module):
    """One level down: N x C x h x w to the feature of this level (same size) and the input of the next."""

    def __init__(self, level: int) -> None:
        super().__init__()
        deepest = level == DEEPEST
        self.first = SeparableConv(CHANNELS[level], CHANNELS[level])
        self.second = SeparableConv(
            CHANNELS[level], CHANNELS[level if deepest else level // 2], resample="" if deepest else "down"
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        feature = self.first(x)
        return feature, self.second(feature)


class SynthesisBlock(nn.Module):
    """One level up: the encoder's feature joins after the first convolution, RGB is summed over levels."""

    def __init__(self, level: int) -> None:
        super().__init__()
        deepest = level == DEEPEST
        noise = 0 if deepest else level
        self.first = SeparableConv(
            CHANNELS[level if deepest else level // 2], CHANNELS[level], resample="" if deepest else "up", noise=noise
        )
        self.second = SeparableConv(CHANNELS[level], CHANNELS[level], noise=noise)
        self.to_rgb = nn.Conv2d(CHANNELS[level], 3, 1)

    def forward(
        self, x: Tensor, feature: Tensor, rgb: Tensor | None, noise: tuple[Tensor | None, Tensor | None]
    ) -> tuple[Tensor, Tensor]:
        x = self.second(self.first(x, noise[0]).add_(feature), noise[1])
        return x, self.to_rgb(x) if rgb is None else upsample(rgb).add_(self.to_rgb(x))


class MIGAN(nn.Module):
    """The generator; see the module's docstring."""

    def __init__(self) -> None:
        super().__init__()
        self.from_rgb = nn.Conv2d(4, CHANNELS[512], 1)
        self.encoder = nn.ModuleDict({str(level): EncoderBlock(level) for level in LEVELS})
        self.synthesis = nn.ModuleDict({str(level): SynthesisBlock(level) for level in reversed(LEVELS)})

    def forward(self, inputs: Tensor, noise: Sequence[Tensor] | None = None) -> Tensor:
        """Paint.

        Args:
            inputs: N x 4 x H x W, H and W multiples of 128: the keep-mask minus 0.5 (so -0.5 in the hole),
                then the image in [-1, 1] times the keep-mask.
            noise: maps as `draw_noise` gives them, of N x 1 x h x w. None takes the fixed maps that came with the
                weights. These are of 512 px: smaller photos get their upper left part, larger ones get them tiled.

        Returns N x 3 x H x W, the whole picture in about [-1, 1], inside and outside the hole.
        """
        x = activate(self.from_rgb(inputs))
        features = {}
        for level, block in self.encoder.items():
            features[level], x = block(x)
        fresh: Iterator[Tensor | None] = repeat(None) if noise is None else iter(noise)
        deepest, *others = self.synthesis.items()
        level, block = deepest
        x, rgb = block(x, features[level], None, (None, None))
        for level, block in others:
            x, rgb = block(x, features[level], rgb, (next(fresh), next(fresh)))
        return rgb

    @staticmethod
    def draw_noise(height: int, width: int, generator: torch.Generator | None = None) -> list[Tensor]:
        """Standard normal maps for one image of that size, in the order of their use, each 1 x 1 x h x w."""
        sides = [(height * level // 512, width * level // 512) for level in reversed(LEVELS[:-1])]
        return [torch.randn(1, 1, *side, generator=generator) for side in sides for _ in range(2)]
