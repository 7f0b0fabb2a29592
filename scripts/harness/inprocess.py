"""ComfyUI's modules and this pack inside the running Python, without a server."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from types import ModuleType

from . import comfyui
from .paths import ROOT

PACK = "paintseg_pack"


@cache
def load_pack() -> ModuleType:
    """The pack as ComfyUI imports it, `nodes` and `paintseg` below it; ComfyUI itself becomes importable.

    ComfyUI is told to stay on the CPU, before anything of it looks for a GPU.
    """
    if str(comfyui.FOLDER) not in sys.path:
        # Ahead of this checkout, whose folder `nodes` would hide ComfyUI's module of that name.
        place = sys.path.index(str(ROOT)) if str(ROOT) in sys.path else len(sys.path)
        sys.path.insert(place, str(comfyui.FOLDER))
    from comfy.cli_args import args

    args.cpu = True
    spec = importlib.util.spec_from_file_location(PACK, ROOT / "__init__.py", submodule_search_locations=[str(ROOT)])
    if spec is None or spec.loader is None:
        raise ImportError(f"no pack in {ROOT}")
    pack = importlib.util.module_from_spec(spec)
    sys.modules[PACK] = pack
    spec.loader.exec_module(pack)
    return pack
