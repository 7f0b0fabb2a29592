"""The embedded weights: what they are, where they lie, and how to read them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ..errors import InputError, WeightsError

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True)
class WeightFile:
    """One embedded file: `sha256` and `size` (bytes) of itself, `source_sha256` of what it was made from.

    README.md beside it tells where it is from, and under which licence.
    """

    file: str
    sha256: str
    size: int
    source_sha256: str


REGISTRY: dict[str, WeightFile] = {
    "migan_places2_512": WeightFile(
        file="migan_places2_512.safetensors",
        sha256="adb9cab8df6f7f655219f55289e5c70e12a6aafbf9be55acfca11cd36d03b1a5",
        size=13_197_328,
        source_sha256="6f1f3530a1a2324b19752018ce756088b07973cda8d7d890034ace5c8a48c40b",
    ),
    "dinov2_vits14": WeightFile(
        file="dinov2_vits14.safetensors",
        sha256="ce0235559f82c27a6e4174778184f1f513cf3c55323ea0a658da95a9da2dedfa",
        size=44_128_096,
        source_sha256="ae1e99fcefd534ed978cdeb8326f08030c96e28b7a81ffcbc98a857c84d14be1",
    ),
}


def sha256_of(path: Path) -> str:
    """sha256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def load_weights(name: str, folder: Path = FOLDER) -> dict[str, Tensor]:
    """The tensors of an embedded file, fp16 on the CPU.

    Raises InputError for a name that is not in `REGISTRY`, WeightsError when the file is missing or is not, to the last
    bit, what it should be.
    """
    if name not in REGISTRY:
        raise InputError(f"no embedded weights are called {name!r}; there are {', '.join(sorted(REGISTRY))}")
    entry = REGISTRY[name]
    path = folder / entry.file
    if not path.is_file():
        raise WeightsError(_complaint(entry, folder, "is missing"))
    if (size := path.stat().st_size) != entry.size:
        raise WeightsError(_complaint(entry, folder, f"has {size} bytes instead of {entry.size}"))
    if (found := sha256_of(path)) != entry.sha256:
        raise WeightsError(_complaint(entry, folder, f"has sha256 {found}"))
    return tensors_of(path)


def tensors_of(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file, on the CPU. Raises WeightsError when it cannot be read as one."""
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except Exception as error:  # its reader reports broken files, and types it does not know, in many ways
        raise WeightsError(f"the weight file {path} cannot be read as safetensors ({error}); get it anew") from error


def _complaint(entry: WeightFile, folder: Path, what: str) -> str:
    return (
        f"the weight file {entry.file} in {folder} {what}; it should have sha256 {entry.sha256}: "
        "install the pack again, or make the file as paintseg/weights/README.md says"
    )
