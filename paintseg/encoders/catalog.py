"""The DINO encoders that this package knows: their names, files, addresses and hashes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ..errors import WeightsError

HUB = "https://huggingface.co"


@dataclass(frozen=True)
class Published:
    """An encoder whose weights timm publishes on Hugging Face.

    Attributes:
        title: what people call it.
        model_name: timm's name, also that of the repository.
        sha256: of the file; empty where it is only known to Hugging Face, which tells it with every download.
    """

    title: str
    model_name: str
    sha256: str = ""

    @property
    def file(self) -> str:
        """Name of the file on disk."""
        return f"{self.model_name}.safetensors"

    @property
    def address(self) -> str:
        """Where the file can be downloaded; the environment's HF_ENDPOINT takes the place of Hugging Face."""
        hub = os.environ.get("HF_ENDPOINT", HUB).rstrip("/")
        return f"{hub}/timm/{self.model_name}/resolve/main/model.safetensors"

    def missing(self, folder: Path) -> WeightsError:
        """The complaint that the file is in none of ComfyUI's folders, with the way out."""
        known = self.sha256 or f"as {HUB}/timm/{self.model_name} states it"
        return WeightsError(
            f"the weights of {self.title} are missing: save {self.address} as {self.file} in {folder} "
            f"(sha256 {known}), or switch the node's download on"
        )


# Caron et al. 2021; Oquab et al. 2023; Darcet et al. 2023 (registers); Simeoni et al. 2025. The weights are under
# Apache-2.0, those of DINOv3 under the DINOv3 License (all of Meta).
CATALOG: tuple[Published, ...] = (
    Published("DINO ViT-S/16", "vit_small_patch16_224.dino"),
    Published("DINO ViT-S/8", "vit_small_patch8_224.dino"),
    Published("DINO ViT-B/16", "vit_base_patch16_224.dino"),
    Published("DINO ViT-B/8", "vit_base_patch8_224.dino"),
    Published(
        "DINOv2 ViT-S/14",
        "vit_small_patch14_dinov2.lvd142m",
        "04d27f3400d059fc0cfd7d17dd1909a75bf3ea8fb3eeb48b97cb99e57ee20081",
    ),
    Published(
        "DINOv2 ViT-B/14",
        "vit_base_patch14_dinov2.lvd142m",
        "55cbb5d887b336d430e649c277b85a1429e724871f9d02ac16203235886d8c7b",
    ),
    Published("DINOv2 ViT-L/14", "vit_large_patch14_dinov2.lvd142m"),
    Published("DINOv2 ViT-S/14 with registers", "vit_small_patch14_reg4_dinov2.lvd142m"),
    Published("DINOv2 ViT-B/14 with registers", "vit_base_patch14_reg4_dinov2.lvd142m"),
    Published("DINOv2 ViT-L/14 with registers", "vit_large_patch14_reg4_dinov2.lvd142m"),
    Published(
        "DINOv3 ViT-S/16",
        "vit_small_patch16_dinov3.lvd1689m",
        "2a1ec16ae28ffa07bc0ead0241ee7df9fc26451fe6f9f839b7b3afa0a906b040",
    ),
    Published("DINOv3 ViT-B/16", "vit_base_patch16_dinov3.lvd1689m"),
    Published(
        "DINOv3 ViT-L/16",
        "vit_large_patch16_dinov3.lvd1689m",
        "45172f209c9583c40538afc26b60a07033e6fcc2e8c30228338e6b2e932e7941",
    ),
)
