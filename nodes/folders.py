"""Model folders that this pack adds to ComfyUI's."""

from __future__ import annotations

import os
from pathlib import Path

import comfy.utils
import folder_paths
from torch import Tensor

from ..paintseg.errors import WeightsError


def ensure(name: str) -> None:
    """Make `models/<name>` known to ComfyUI unless another pack has."""
    if name in folder_paths.folder_names_and_paths:
        return
    # Not add_model_folder_path: for a new name it would let files of every kind through.
    place = os.path.join(folder_paths.models_dir, name)
    folder_paths.folder_names_and_paths[name] = ([place], folder_paths.supported_pt_extensions)


def files(name: str) -> list[str]:
    """What lies in that model folder."""
    ensure(name)
    return folder_paths.get_filename_list(name)


def find(file: str, *names: str) -> Path | None:
    """The file in the first of those model folders that has it."""
    for name in names:
        ensure(name)
        if path := folder_paths.get_full_path(name, file):
            return Path(path)
    return None


def home(name: str) -> Path:
    """Where new files of that model folder go."""
    ensure(name)
    return Path(folder_paths.get_folder_paths(name)[0])


def tensors_of(path: Path) -> dict[str, Tensor]:
    """The tensors of a model's file; of pickled ones the tensors alone. Raises WeightsError for a broken file."""
    try:
        return comfy.utils.load_torch_file(str(path), safe_load=True)
    except MemoryError:
        raise
    except Exception as problem:  # torch and safetensors report broken files with nearly every type there is
        raise WeightsError(
            f"the model file {path} cannot be read ({type(problem).__name__}: {str(problem)[:120]}); get it anew"
        ) from problem
