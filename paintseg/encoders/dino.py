"""DINO and its successors through timm: v1, v2 (with and without registers) and v3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..chunks import in_chunks
from ..errors import InputError, WeightsError
from ..weights import load_weights


@dataclass(frozen=True)
class Features:
    """What one forward pass gave; every map is B x C x h x w, float32, on the images' device.

    Attributes:
        tokens: patch tokens after the final norm, None when not asked for.
        keys: keys of the last attention layer, None when not asked for.
        layers: the outputs of the blocks asked for, in the order they were asked for.
    """

    tokens: Tensor | None
    keys: Tensor | None
    layers: tuple[Tensor, ...]


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
        device: where to put it.
        options: more of what timm.create_model takes, such as a smaller `depth`.

    Raises InputError for a model of another kind, WeightsError when the tensors are not that model's.
    """

    def __init__(self, model_name: str, state: Mapping[str, Tensor], device: torch.device | str = "cpu",
                 **options: object) -> None:
        self.name = model_name.split(".")[0]
        self.module = build_module(model_name, state, **options).to(device)
        config = self.module.pretrained_cfg
        self.stride: int = self.module.patch_embed.patch_size[0]
        self.size: int = config["input_size"][-1]
        self._mean = torch.tensor(config["mean"]).view(3, 1, 1)
        self._std = torch.tensor(config["std"]).view(3, 1, 1)
        self._antialias = self.module.reg_token is not None

    @property
    def device(self) -> torch.device:
        """Where it works."""
        return self.module.cls_token.device

    @property
    def depth(self) -> int:
        """Number of transformer blocks."""
        return len(self.module.blocks)

    def encode(self, images: Tensor) -> Tensor:
        """Patch tokens after the final norm, not of unit length; see `Encoder.encode`."""
        return self.features(images).tokens

    def encode_layers(self, images: Tensor, layers: Sequence[int], normed: bool = True) -> list[Tensor]:
        """Outputs of the blocks `layers` (0 is the first, -1 the last), each B x C x h x w, float32.

        `normed` sends each through the final norm, as DINOv2 does with its intermediate layers.
        """
        return list(self.features(images, tokens=False, layers=layers, normed=normed).layers)

    def encode_keys(self, images: Tensor, bias: bool = False) -> Tensor:
        """Keys of the last attention layer, heads side by side, B x C x h x w, float32.

        They are taken before any rotary position embedding. A bias shared by all keys moves all scores of a
        query alike and softmax ignores it, but in a cosine it drowns the differences: none by default.
        """
        return self.features(images, tokens=False, keys=True, key_bias=bias).keys

    @torch.no_grad()
    def features(self, images: Tensor, tokens: bool = True, keys: bool = False, layers: Sequence[int] = (),
                 normed: bool = True, key_bias: bool = False) -> Features:
        """Several kinds of features from one forward pass, which goes no deeper than they need.

        Args:
            images: B x 3 x H x W in [0, 1]; H and W multiples of `stride`, any such size.
            tokens: whether the final tokens are wanted.
            keys: whether the keys of the last attention layer are wanted, with their bias if `key_bias`.
            layers: blocks whose outputs are wanted, through the final norm if `normed`.

        Raises InputError for images of another shape and for blocks that are not there.
        """
        self._check(images)
        wanted = [self._block_index(layer) for layer in layers]

        def run(part: slice) -> list[Tensor]:
            return self._forward(images[part], tokens, keys, wanted, normed, key_bias)

        maps = in_chunks(run, len(images), self.device)
        maps = iter([chunk.to(images.device) for chunk in maps])
        return Features(tokens=next(maps) if tokens else None, keys=next(maps) if keys else None,
                        layers=tuple(maps))

    def _forward(self, images: Tensor, tokens: bool, keys: bool, wanted: Sequence[int], normed: bool,
                 key_bias: bool) -> list[Tensor]:
        """The maps asked for: tokens, keys, layers, in this order."""
        vit, last = self.module, self.depth - 1
        # Keys come from what enters the last block, so keys alone do not need that block's output.
        needed = {*wanted, *([last] if tokens else []), *([last - 1] if keys else [])}
        x, rope = self._embed(self._normalise(images))
        outputs = {-1: x}
        for index in range(max(needed, default=-1) + 1):
            x = vit.blocks[index](x) if rope is None else vit.blocks[index](x, rope=rope)
            if index in needed:
                outputs[index] = x
        sequences = [vit.norm(outputs[last])] if tokens else []
        if keys:
            sequences.append(last_keys(vit.blocks[last], outputs[last - 1], key_bias))
        sequences += [vit.norm(outputs[index]) if normed else outputs[index] for index in wanted]
        grid = (images.shape[2] // self.stride, images.shape[3] // self.stride)
        patches = grid[0] * grid[1]
        return [sequence[:, -patches:].mT.unflatten(2, grid).float().contiguous() for sequence in sequences]

    def _check(self, images: Tensor) -> None:
        if images.ndim != 4 or images.shape[1] != 3 or not len(images):
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
        """Images by the model's own mean and deviation, where and in the precision the module is."""
        normed = (images.float() - self._mean.to(images.device)) / self._std.to(images.device)
        return normed.to(self.module.cls_token)

    def _embed(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """What enters the first block, B x (prefix + h w) x C, and the rotary embedding if there is one."""
        vit = self.module
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
        vit, learnt = self.module, self.module.pos_embed
        if learnt is None or grid == tuple(vit.patch_embed.grid_size):
            return learnt
        prefix = 0 if vit.no_embed_class else vit.num_prefix_tokens
        trained = learnt[:, prefix:].mT.unflatten(2, vit.patch_embed.grid_size)
        resized = functional.interpolate(trained.float(), size=grid, mode="bicubic", align_corners=False,
                                         antialias=self._antialias)
        return torch.cat([learnt[:, :prefix], resized.flatten(2).mT.to(learnt)], dim=1)


def build_module(model_name: str, state: Mapping[str, Tensor], **options: object) -> nn.Module:
    """The timm model of that name with these tensors, float32 and frozen. Raises InputError, WeightsError."""
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


def last_keys(block: nn.Module, x: Tensor, bias: bool) -> Tensor:
    """Keys that a pre-norm block's attention computes for its input `x`, B x tokens x C."""
    attention, normed = block.attn, block.norm1(x)
    if attention.qkv is None:  # timm's Eva may keep the three projections apart; its keys never have a bias
        return attention.k_proj(normed)
    weight = attention.qkv.weight.chunk(3)[1]
    shared = attention.qkv.bias
    return functional.linear(normed, weight, shared.chunk(3)[1] if bias and shared is not None else None)


def load_dinov2_small(device: torch.device | str = "cpu") -> DINOEncoder:
    """The embedded DINOv2 ViT-S/14, in float32. Raises WeightsError when its file is missing or broken."""
    return DINOEncoder("vit_small_patch14_dinov2.lvd142m", load_weights("dinov2_vits14"), device)
