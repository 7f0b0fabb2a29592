"""Random generators, each a function of its seed alone."""

from __future__ import annotations

import torch


def generator_for(seed: int, step: int) -> torch.Generator:
    """The generator of one step: a function of seed and step alone, so that a step can be repeated by itself."""
    return seeded(seed * 1_000_003 + step)


def seeded(seed: int) -> torch.Generator:
    """A generator; of a seed as large as ComfyUI's, which torch does not take, the lower 63 bits."""
    return torch.Generator().manual_seed(seed % 2**63)
