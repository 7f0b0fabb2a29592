"""Whether this machine computes faster in bfloat16."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path
from typing import Literal

import torch

from ..errors import InputError

Half = Literal["off", "on", "auto"]

_FLAGS = {"amx_bf16", "avx512_bf16", "bf16"}  # Intel's, AMD's and Intel's, Arm's; as Linux spells them
_CPUINFO = Path("/proc/cpuinfo")
_PAYS = 0.8  # of the time in float32, from which it is worth the digits
_ROUNDS, _MOST_SECONDS = 9, 1.0


def takes_half(half: bool | Half, device: str) -> bool:
    """Whether to compute in bfloat16: as is said, or for "auto" where it is faster. Raises InputError for other words.

    On a CPU that is where it has AMX, AVX-512 BF16 or Arm's BF16, as Linux tells; on other systems, where a matrix
    product of the encoder's size takes less time. On a GPU that is where the GPU computes in it.
    """
    if isinstance(half, bool):
        return half
    if half not in ("off", "on", "auto"):
        raise InputError(f"half must be off, on or auto, not {half!r}")
    return half == "on" or (half == "auto" and half_pays(device))


@cache
def half_pays(device: str) -> bool:
    """Whether bfloat16 is the faster of the two on a device, found out once per process; see `takes_half`."""
    if device.startswith("cuda"):
        return torch.cuda.is_available() and torch.cuda.get_device_capability(device)[0] >= 8
    if not device.startswith("cpu"):
        return False
    flags = cpu_flags()
    return bool(flags & _FLAGS) if flags else _timed()


def cpu_flags() -> set[str]:
    """What the processor can do, as Linux tells; empty where nothing tells."""
    try:
        lines = _CPUINFO.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return set()
    told = (line.partition(":") for line in lines)
    return {flag for name, _, flags in told if name.strip().lower() in ("flags", "features") for flag in flags.split()}


def _timed() -> bool:
    """Whether a product of the encoder's is faster in bfloat16: the least times of rounds that take turns."""
    values = torch.randn(1200, 384, generator=torch.Generator().manual_seed(0))
    pairs = [(values.to(dtype), values[:384].to(dtype)) for dtype in (torch.float32, torch.bfloat16)]
    least, started = [float("inf")] * 2, time.perf_counter()
    for _ in range(_ROUNDS):
        for place, (one, other) in enumerate(pairs):
            begun = time.perf_counter()
            for _ in range(4):
                one @ other
            least[place] = min(least[place], time.perf_counter() - begun)
        if time.perf_counter() - started > _MOST_SECONDS:
            break
    return least[1] < _PAYS * least[0]
