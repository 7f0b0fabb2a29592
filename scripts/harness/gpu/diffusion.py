"""The networks of Stable Diffusion 1.5 and SDXL with random weights: as large and as slow as the real ones, no files.

Channels, depths, heads and contexts are those of the published inpainting models (nine channels in); a test counts
their parameters against diffusers' own classes. What they paint means nothing. Rombach et al., CVPR 2022 (Stable
Diffusion); Podell et al., 2023 (SDXL).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Shape:
    """A model's shape.

    Attributes:
        name: what people call it. size: side in pixels it paints at.
        channels: of the levels, from the finest. depths: transformer blocks at each; 0 for none.
        heads: attention heads at each level. context: width of a text token. pooled: of the vector SDXL adds; 0: none.
        coder: channels of the autoencoder's levels.
    """

    name: str
    size: int
    channels: tuple[int, ...]
    depths: tuple[int, ...]
    heads: tuple[int, ...]
    context: int
    pooled: int = 0
    coder: tuple[int, ...] = (128, 256, 512, 512)


SD15 = Shape("SD 1.5", 512, (320, 640, 1280, 1280), (1, 1, 1, 0), (8, 8, 8, 8), 768)
SDXL = Shape("SDXL", 1024, (320, 640, 1280), (0, 2, 10), (5, 10, 20), 2048, pooled=2816)
TINY = Shape("tiny", 64, (32, 64), (0, 1), (2, 2), 16, pooled=8, coder=(32, 32))
GROUPS = 32
TOKENS = 77
LATENT = 4


class Residual(nn.Module):
    """Two convolutions beside a shortcut, told the time where `times` is its width."""

    def __init__(self, inputs: int, outputs: int, times: int = 0) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.GroupNorm(GROUPS, inputs), nn.SiLU(), nn.Conv2d(inputs, outputs, 3, padding=1))
        self.time = nn.Linear(times, outputs) if times else None
        self.second = nn.Sequential(nn.GroupNorm(GROUPS, outputs), nn.SiLU(), nn.Conv2d(outputs, outputs, 3, padding=1))
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor, time: Tensor | None = None) -> Tensor:
        """N x inputs x h x w to N x outputs x h x w; `time`: N x times."""
        inner = self.first(x)
        if self.time is not None and time is not None:
            inner = inner + self.time(F.silu(time))[..., None, None]
        return self.shortcut(x) + self.second(inner)


class Attention(nn.Module):
    """From N x n x width to a context, or to itself."""

    def __init__(self, width: int, context: int, heads: int, bias: bool = False) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width, bias=bias)
        self.key, self.value = nn.Linear(context, width, bias=bias), nn.Linear(context, width, bias=bias)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """N x n x width; the context is N x m x its width."""
        context = x if context is None else context
        parts = (self.query(x), self.key(context), self.value(context))
        query, key, value = (part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in parts)
        return self.out(F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Attention to itself and to the text, then a gated layer."""

    def __init__(self, width: int, context: int, heads: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.own, self.text = Attention(width, width, heads), Attention(width, context, heads)
        self.widen, self.narrow = nn.Linear(width, 8 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """N x n x width."""
        x = x + self.own(self.norms[0](x))
        x = x + self.text(self.norms[1](x), context)
        value, gate = self.widen(self.norms[2](x)).chunk(2, dim=-1)
        return x + self.narrow(value * F.gelu(gate))


class Transformer(nn.Module):
    """Blocks over the places of a map."""

    def __init__(self, width: int, context: int, heads: int, depth: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(GROUPS, width)
        self.enter, self.leave = nn.Linear(width, width), nn.Linear(width, width)
        self.blocks = nn.ModuleList(Block(width, context, heads) for _ in range(depth))

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """N x width x h x w."""
        inner = self.enter(self.norm(x).flatten(2).mT)
        for block in self.blocks:
            inner = block(inner, context)
        return x + self.leave(inner).mT.unflatten(2, x.shape[2:])


class Unit(nn.Module):
    """A residual block, and transformers behind it where the level has some."""

    def __init__(self, inputs: int, outputs: int, times: int, shape: Shape, level: int) -> None:
        super().__init__()
        self.residual, depth = Residual(inputs, outputs, times), shape.depths[level]
        self.transformer = Transformer(outputs, shape.context, shape.heads[level], depth) if depth else None

    def forward(self, x: Tensor, time: Tensor, context: Tensor) -> Tensor:
        """N x inputs x h x w to N x outputs x h x w."""
        x = self.residual(x, time)
        return x if self.transformer is None else self.transformer(x, context)


class UNet(nn.Module):
    """The denoiser: nine channels in (noise, mask, masked photo), four out."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        first, times, levels = shape.channels[0], 4 * shape.channels[0], len(shape.channels)
        self.first = first
        self.time = nn.Sequential(nn.Linear(first, times), nn.SiLU(), nn.Linear(times, times))
        pooled = shape.pooled
        self.added = nn.Sequential(nn.Linear(pooled, times), nn.SiLU(), nn.Linear(times, times)) if pooled else None
        self.enter = nn.Conv2d(2 * LATENT + 1, first, 3, padding=1)
        self.down, self.shrink, kept, width = nn.ModuleList(), nn.ModuleList(), [first], first
        for level, channels in enumerate(shape.channels):
            for _ in range(2):
                self.down.append(Unit(width, channels, times, shape, level))
                width = channels
                kept.append(width)
            if level < levels - 1:
                self.shrink.append(nn.Conv2d(width, width, 3, stride=2, padding=1))
                kept.append(width)
        deepest = max(shape.depths[-1], 1)
        self.middle = nn.ModuleList(Residual(width, width, times) for _ in range(2))
        self.between = Transformer(width, shape.context, shape.heads[-1], deepest)
        self.up, self.grow = nn.ModuleList(), nn.ModuleList()
        for level in reversed(range(levels)):
            for _ in range(3):
                self.up.append(Unit(width + kept.pop(), shape.channels[level], times, shape, level))
                width = shape.channels[level]
            if level:
                self.grow.append(nn.Conv2d(width, width, 3, padding=1))
        self.leave = nn.Sequential(nn.GroupNorm(GROUPS, width), nn.SiLU(), nn.Conv2d(width, LATENT, 3, padding=1))

    def forward(self, x: Tensor, time: Tensor, context: Tensor, added: Tensor | None = None) -> Tensor:
        """N x 9 x h x w, N times, N x tokens x context, N x pooled to N x 4 x h x w."""
        half = self.first // 2
        waves = time.float()[:, None] * torch.exp(-math.log(1e4) * torch.arange(half, device=x.device) / half)
        told = self.time(torch.cat([waves.cos(), waves.sin()], 1).to(x.dtype))
        if self.added is not None and added is not None:
            told = told + self.added(added)
        x = self.enter(x)
        kept = [x]
        for number, unit in enumerate(self.down):
            x = unit(x, told, context)
            kept.append(x)
            if number % 2 and number // 2 < len(self.shrink):
                x = self.shrink[number // 2](x)
                kept.append(x)
        x = self.middle[1](self.between(self.middle[0](x, told), context), told)
        for number, unit in enumerate(self.up):
            x = unit(torch.cat([x, kept.pop()], 1), told, context)
            if number % 3 == 2 and number // 3 < len(self.grow):
                x = self.grow[number // 3](F.interpolate(x, scale_factor=2.0))
        return self.leave(x)


class Middle(nn.Module):
    """The autoencoder's deepest part: attention between two residual blocks."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = Residual(width, width), Residual(width, width)
        self.norm, self.attention = nn.GroupNorm(GROUPS, width), Attention(width, width, 1, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        """N x width x h x w."""
        x = self.first(x)
        return self.second(x + self.attention(self.norm(x).flatten(2).mT).mT.unflatten(2, x.shape[2:]))


class Coder(nn.Module):
    """The autoencoder: images N x 3 x H x W in [-1, 1] to latents N x 4 x h x w and back."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        levels, width = shape.coder, shape.coder[0]
        parts: list[nn.Module] = [nn.Conv2d(3, width, 3, padding=1)]
        for level, channels in enumerate(levels):
            parts += [Residual(width, channels), Residual(channels, channels)]
            width = channels
            if level < len(levels) - 1:
                parts += [nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(width, width, 3, stride=2)]
        parts += [Middle(width), nn.GroupNorm(GROUPS, width), nn.SiLU(), nn.Conv2d(width, 2 * LATENT, 3, padding=1)]
        self.encode = nn.Sequential(*parts, nn.Conv2d(2 * LATENT, 2 * LATENT, 1))
        parts = [nn.Conv2d(LATENT, LATENT, 1), nn.Conv2d(LATENT, width, 3, padding=1), Middle(width)]
        for level, channels in enumerate(reversed(levels)):
            parts += [Residual(width, channels), *(Residual(channels, channels) for _ in range(2))]
            width = channels
            if level < len(levels) - 1:
                parts += [nn.Upsample(scale_factor=2.0), nn.Conv2d(width, width, 3, padding=1)]
        parts += [nn.GroupNorm(GROUPS, width), nn.SiLU(), nn.Conv2d(width, 3, 3, padding=1)]
        self.decode = nn.Sequential(*parts)
