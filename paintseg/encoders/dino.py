"""DINO and its successors through timm: v1, v2 (with and without registers) and v3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..errors import InputError, WeightsError
from ..io.packages import need
from ..ops.images import size_of
from ..ops.memory import in_chunks, sent
from ..weights import load_weights
from .base import Features, check_images

_PLACES = 20  # patches along each side of the blank picture that tells what keys say of their place


class DINOEncoder:
    """A timm vision transformer as an encoder. It works where its module lies and in its module's precision.

    The forward pass is spelled out over the public parts of timm's models, because keys are no output of timm
    and because timm always resamples position grids with antialiasing, which DINO v1 and DINOv2 without
    registers do not. At the trained grid, and with registers at any, it is timm's own forward; without
    registers it is that of Hugging Face's `Dinov2Model` (plain bicubic by the target size, without the offset
    of 0.1 in the scale that the first release had).

    Args:
        model_name: timm's name, such as "vit_small_patch14_dinov2.lvd142m" or "vit_small_patch8_224.dino".
        state: the model's tensors under timm's names, of any floating type.
        options: more of what timm.create_model takes, such as a smaller `depth`.

    Raises InputError for a model of another kind, WeightsError when the tensors are not that model's.
    """

    def __init__(
        self, model_name: str, state: Mapping[str, Tensor], device: torch.device | str = "cpu", **options: Any
    ) -> None:
        self.name = model_name.split(".")[0]
        self.module = build_module(model_name, state, **options).to(device)
        config = self._vit.pretrained_cfg
        self.stride: int = self._vit.patch_embed.patch_size[0]
        self.size: int = config["input_size"][-1]
        self._mean = torch.tensor(config["mean"]).view(3, 1, 1)
        self._std = torch.tensor(config["std"]).view(3, 1, 1)
        self._antialias = self._vit.reg_token is not None
        self._placed: Tensor | None = None

    @property
    def device(self) -> torch.device:
        """Where it works."""
        return self._vit.cls_token.device

    @property
    def width(self) -> int:
        """Channels of a token."""
        return self._vit.cls_token.shape[-1]

    @property
    def _vit(self) -> Any:
        return self.module  # of which torch's declarations know any attribute as tensor or module

    def encode(self, images: Tensor) -> Tensor:
        """Patch tokens after the final norm, not of unit length; see `Encoder.encode`."""
        return self._maps(images, tokens=True)[0]

    def features(self, images: Tensor, *, tokens: bool = False, keys: bool = False) -> Features:
        """What is asked for, from one forward pass; see `KeyedEncoder.features`.

        Keys are taken before any rotary position embedding and without their bias: a bias shared by all keys moves all
        scores of a query alike and softmax ignores it, but in a cosine it drowns the differences. What they say
        of their place is known where positions are learnt.
        """
        given = iter(self._maps(images, tokens, keys))
        found = Features(tokens=next(given) if tokens else None, keys=next(given) if keys else None)
        if found.keys is None or self._vit.pos_embed is None:
            return found
        return replace(found, places=self._places(size_of(found.keys)).to(found.keys))

    def _places(self, grid: tuple[int, int]) -> Tensor:
        """Keys of a picture of one colour less their mean, 1 x C x h x w: what they say is nothing but their place.

        They are computed once, on a small grid, and resampled like the learnt positions.
        """
        if self._placed is None:
            side = _PLACES * self.stride
            keys = self._maps(self._mean.expand(1, 3, side, side), keys=True)[0]
            self._placed = keys - keys.mean((2, 3), keepdim=True)
        return functional.interpolate(self._placed, grid, mode="bilinear", align_corners=False)

    @torch.no_grad()
    def _maps(self, images: Tensor, tokens: bool = False, keys: bool = False) -> list[Tensor]:
        """The maps asked for, tokens before keys."""
        check_images(self, images)

        def run(part: slice) -> list[Tensor]:
            return self._forward(images[part], tokens, keys)

        return [chunk.to(images.device) for chunk in in_chunks(run, len(images), self.device)]

    def _forward(self, images: Tensor, tokens: bool, keys: bool) -> list[Tensor]:
        """The maps of some of the images."""
        vit = self._vit
        x, rope = self._embed(self._normalise(images))
        *before, last = vit.blocks
        for block in before:
            x = block(x) if rope is None else block(x, rope=rope)
        sequences = [vit.norm(last(x) if rope is None else last(x, rope=rope))] if tokens else []
        if keys:
            sequences.append(last_keys(last, x))
        grid = (images.shape[2] // self.stride, images.shape[3] // self.stride)
        patches = grid[0] * grid[1]
        return [sequence[:, -patches:].mT.unflatten(2, grid).float().contiguous() for sequence in sequences]

    def _normalise(self, images: Tensor) -> Tensor:
        """Images by the model's own mean and deviation, where and in the precision the module is."""
        mean, deviation = (sent(values, images.device) for values in (self._mean, self._std))
        normed = (images.float() - mean) / deviation
        return normed.to(self._vit.cls_token)

    def _embed(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """What enters the first block, B x (prefix + h w) x C, and the rotary embedding if there is one."""
        vit = self._vit
        patches = vit.patch_embed(images)
        grid = (patches.shape[1], patches.shape[2])
        x = patches.flatten(1, 2)
        special = [token for token in (vit.cls_token, vit.reg_token) if token is not None]
        prefix = [token.expand(len(x), -1, -1) for token in special]
        positions = self._positions(grid)
        if positions is not None and vit.no_embed_class:
            x = x + positions
        x = torch.cat([*prefix, x], dim=1)
        if positions is not None and not vit.no_embed_class:
            x = x + positions
        rope = getattr(vit, "rope", None)
        return vit.norm_pre(x), None if rope is None else rope.get_embed(shape=grid)

    def _positions(self, grid: tuple[int, int]) -> Tensor | None:
        """The learnt positions, 1 x tokens x C, interpolated where the grid is not the trained one."""
        vit, learnt = self._vit, self._vit.pos_embed
        if learnt is None or grid == tuple(vit.patch_embed.grid_size):
            return learnt
        prefix = 0 if vit.no_embed_class else vit.num_prefix_tokens
        trained = learnt[:, prefix:].mT.unflatten(2, vit.patch_embed.grid_size)
        resized = functional.interpolate(
            trained.float(), size=grid, mode="bicubic", align_corners=False, antialias=self._antialias
        )
        return torch.cat([learnt[:, :prefix], resized.flatten(2).mT.to(learnt)], dim=1)


def build_module(model_name: str, state: Mapping[str, Tensor], **options: Any) -> nn.Module:
    """The timm model of that name with these tensors, float32 and frozen. Raises InputError, WeightsError."""
    need("timm")
    import timm

    try:
        module = timm.create_model(model_name, num_classes=0, dynamic_img_size=True, **options)
    except (RuntimeError, TypeError) as error:  # a name timm has not; a model without a grid of patches
        raise InputError(f"timm has no vision transformer called {model_name!r}: {error}") from error
    parts = ("patch_embed", "cls_token", "reg_token", "pos_embed", "norm_pre", "blocks", "norm")
    if not all(hasattr(module, part) for part in parts) or module.cls_token is None:
        raise InputError(f"{model_name} is no vision transformer of DINO's kind")
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        raise WeightsError(f"the tensors given are not those of {model_name}: {error}") from error
    return module.eval().requires_grad_(False)


def last_keys(block: Any, x: Tensor) -> Tensor:
    """Keys, without their bias, that a pre-norm block's attention computes for its input `x`, B x tokens x C."""
    attention, normed = block.attn, block.norm1(x)
    if attention.qkv is None:  # timm's Eva may keep the three projections apart
        return attention.k_proj(normed)
    return functional.linear(normed, attention.qkv.weight.chunk(3)[1])


def load_dinov2_small(device: torch.device | str = "cpu") -> DINOEncoder:
    """The embedded DINOv2 ViT-S/14, in float32. Raises WeightsError when its file is missing or broken."""
    return DINOEncoder("vit_small_patch14_dinov2.lvd142m", load_weights("dinov2_vits14"), device)
