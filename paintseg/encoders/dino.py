"""DINO and its successors through timm: v1, v2 (with and without registers) and v3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..errors import InputError, WeightsError
from ..weights import load_weights


@dataclass(frozen=True)
class Features:
    """What one forward pass gave; every map is B x C x h x w, float32.

    Attributes:
        tokens: patch tokens after the final norm, None when not asked for.
        keys: keys of the last attention layer, None when not asked for.
        layers: the outputs of the blocks asked for, in the order they were asked for.
    """

    tokens: Tensor | None
    keys: Tensor | None
    layers: tuple[Tensor, ...]


class DINOEncoder:
    """A timm vision transformer as an encoder. It works where its module lies and in the module's precision.

    The forward pass is spelled out over timm's public parts, because keys are no output of timm and because timm
    resamples position grids with an antialiasing filter where DINO v1 and DINOv2 without registers use plain bicubic.

    Args:
        model_name: timm's name, such as "vit_small_patch14_dinov2.lvd142m" or "vit_small_patch8_224.dino".
        state: its tensors under timm's names, any floating type.
        device: where to put it.

    Raises InputError for a model that is no such transformer, WeightsError when the tensors do not fit.
    """

    def __init__(self, model_name: str, state: Mapping[str, Tensor], device: torch.device | str = "cpu") -> None:
        self.name = model_name.split(".")[0]
        self.module = build_module(model_name, state).to(device)
        config = self.module.pretrained_cfg
        self.stride: int = self.module.patch_embed.patch_size[0]
        self.size: int = config["input_size"][-1]
        # Oquab et al. 2023 trained the models with registers on antialiased grids and the earlier ones without.
        self.antialias = getattr(self.module, "reg_token", None) is not None
        self._mean = torch.tensor(config["mean"]).view(3, 1, 1)
        self._std = torch.tensor(config["std"]).view(3, 1, 1)

    @property
    def depth(self) -> int:
        """Number of transformer blocks."""
        return len(self.module.blocks)

    def encode(self, images: Tensor) -> Tensor:
        """Patch tokens after the final norm; see `Encoder.encode`. Not of unit norm."""
        return self.features(images).tokens

    def encode_layers(self, images: Tensor, layers: Sequence[int], normed: bool = True) -> list[Tensor]:
        """Outputs of the blocks `layers` (0 is the first, -1 the last), each B x C x h x w, float32.

        `normed` applies the final norm to each, as DINOv2 does for its intermediate layers.
        """
        return list(self.features(images, tokens=False, layers=layers, normed=normed).layers)

    def encode_keys(self, images: Tensor, bias: bool = False) -> Tensor:
        """Keys of the last attention layer, heads side by side, B x C x h x w, float32.

        They are taken before any rotary position embedding. A bias shared by all keys moves all scores of a query
        alike, so softmax ignores it; in a cosine it would drown the differences. Hence none by default.
        """
        return self.features(images, tokens=False, keys=True, key_bias=bias).keys

    @torch.no_grad()
    def features(self, images: Tensor, tokens: bool = True, keys: bool = False, layers: Sequence[int] = (),
                 normed: bool = True, key_bias: bool = False) -> Features:
        """Several kinds of features from one forward pass, which goes no further than they need.

        Args:
            images: B x 3 x H x W in [0, 1]; H and W multiples of `stride`, any such size.
            tokens: whether the final tokens are wanted.
            keys: whether the keys of the last attention layer are wanted, with their bias if `key_bias`.
            layers: blocks whose outputs are wanted, through the final norm if `normed`.

        Raises InputError for images of another shape and for blocks that are not there.
        """
        self._check(images)
        wanted = [self._block_index(layer) for layer in layers]
        last = self.depth - 1
        stop = last if tokens else max(wanted, default=-1)
        grid = (images.shape[2] // self.stride, images.shape[3] // self.stride)
        x, rope = self._embed(self._normalise(images))
        outputs: dict[int, Tensor] = {}
        key_map = None
        for index, block in enumerate(self.module.blocks):
            if index == last and keys:
                key_map = self._to_map(last_keys(block, x, key_bias), grid)
            if index > stop and not (keys and index < last):
                break
            x = block(x) if rope is None else block(x, rope=rope)
            if index in wanted:
                outputs[index] = self._to_map(self.module.norm(x) if normed else x, grid)
        return Features(tokens=self._to_map(self.module.norm(x), grid) if tokens else None, keys=key_map,
                        layers=tuple(outputs[index] for index in wanted))

    def _check(self, images: Tensor) -> None:
        if images.ndim != 4 or images.shape[1] != 3:
            raise InputError(f"an encoder takes images of B x 3 x H x W, not {tuple(images.shape)}")
        if any(side % self.stride or not side for side in images.shape[2:]):
            raise InputError(f"{self.name} encodes sides that are multiples of {self.stride} px, "
                             f"not {images.shape[3]} x {images.shape[2]}")

    def _block_index(self, layer: int) -> int:
        if not -self.depth <= layer < self.depth:
            raise InputError(f"{self.name} has {self.depth} layers, numbered 0 to {self.depth - 1} "
                             f"(or -{self.depth} to -1), not {layer}")
        return layer % self.depth

    def _normalise(self, images: Tensor) -> Tensor:
        return ((images - self._mean.to(images)) / self._std.to(images)).to(self.module.patch_embed.proj.weight)

    def _embed(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """Tokens entering the first block, B x (prefix + h w) x C, and the rotary embedding of the models with one."""
        vit = self.module
        patches = vit.patch_embed(images)
        height, width = patches.shape[1:3]
        x = patches.flatten(1, 2)
        prefix = [token.expand(len(x), -1, -1) for token in (vit.cls_token, vit.reg_token) if token is not None]
        positions = self._positions(height, width)
        if positions is not None and vit.no_embed_class:
            x = x + positions
        x = torch.cat([*prefix, x], dim=1)
        if positions is not None and not vit.no_embed_class:
            x = x + positions
        rope = getattr(vit, "rope", None)
        return vit.norm_pre(x), None if rope is None else rope.get_embed(shape=(height, width))

    def _positions(self, height: int, width: int) -> Tensor | None:
        """The learnt positions for a grid of that size, bicubically interpolated where it is not the trained one."""
        learnt = self.module.pos_embed
        if learnt is None or (height, width) == tuple(self.module.patch_embed.grid_size):
            return learnt
        prefix = 0 if self.module.no_embed_class else self.module.num_prefix_tokens
        grid = learnt[:, prefix:].unflatten(1, self.module.patch_embed.grid_size).permute(0, 3, 1, 2)
        grid = functional.interpolate(grid.float(), size=(height, width), mode="bicubic", align_corners=False,
                                      antialias=self.antialias)
        return torch.cat([learnt[:, :prefix], grid.flatten(2).mT.to(learnt)], dim=1)

    def _to_map(self, tokens: Tensor, grid: tuple[int, int]) -> Tensor:
        patches = tokens[:, -grid[0] * grid[1]:]
        return patches.mT.unflatten(2, grid).float().contiguous()


def build_module(model_name: str, state: Mapping[str, Tensor]) -> nn.Module:
    """The timm model of that name with these tensors, in float32, frozen. Raises InputError and WeightsError."""
    import timm

    try:
        module = timm.create_model(model_name, pretrained=False, num_classes=0, dynamic_img_size=True)
    except (RuntimeError, TypeError) as error:  # an unknown name; a model without a patch grid
        raise InputError(f"timm has no vision transformer called {model_name!r}: {error}") from error
    if not all(hasattr(module, part) for part in ("patch_embed", "cls_token", "reg_token", "norm_pre", "blocks")):
        raise InputError(f"{model_name} is no vision transformer of the DINO kind")
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        raise WeightsError(f"the tensors given are not those of {model_name}: {error}") from error
    return module.eval().requires_grad_(False)


def last_keys(block: nn.Module, x: Tensor, bias: bool) -> Tensor:
    """Keys a pre-norm block's attention would compute for its input `x`, B x tokens x C."""
    attention = block.attn
    normed = block.norm1(x)
    if getattr(attention, "qkv", None) is None:
        return attention.k_proj(normed)
    weight = attention.qkv.weight.chunk(3)[1]
    shared = attention.qkv.bias.chunk(3)[1] if bias and attention.qkv.bias is not None else None
    return functional.linear(normed, weight, shared)


def load_dinov2_small(device: torch.device | str = "cpu") -> DINOEncoder:
    """The embedded DINOv2 ViT-S/14, in float32. Raises WeightsError when its file is missing or broken."""
    return DINOEncoder("vit_small_patch14_dinov2.lvd142m", load_weights("dinov2_vits14"), device)
