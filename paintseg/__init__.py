"""PaintSeg: training-free segmentation by painting (Li et al., arXiv 2305.19406).

    >>> from paintseg import box_prompt, load_models, read_photo, segment
    >>> photo, models = read_photo("photo.jpg"), load_models()
    >>> result = segment(photo, box_prompt((40, 30, 200, 180), photo.shape[1:]), models.painter, models.encoder)

The names below are the public face; all else may change from version to version.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from .version import version

if TYPE_CHECKING:
    from .config import PRESETS, Config, preset
    from .errors import InputError
    from .io.masks import read_mask
    from .io.pictures import write_mask
    from .io.reading import read_photo
    from .layers.removal import remove
    from .models import Models, load_models
    from .prompts import Prompt, box_prompt, mask_prompt, point_prompt, scribble_prompt
    from .segmentation import Answer, Result, Session, segment

__all__ = [
    "PRESETS",
    "Answer",
    "Config",
    "InputError",
    "Models",
    "Prompt",
    "Result",
    "Session",
    "__version__",
    "box_prompt",
    "load_models",
    "mask_prompt",
    "point_prompt",
    "preset",
    "read_mask",
    "read_photo",
    "remove",
    "scribble_prompt",
    "segment",
    "write_mask",
]

__version__ = version()

_ROOMS = {
    "config": ("PRESETS", "Config", "preset"),
    "errors": ("InputError",),
    "io.masks": ("read_mask",),
    "io.pictures": ("write_mask",),
    "io.reading": ("read_photo",),
    "layers.removal": ("remove",),
    "models": ("Models", "load_models"),
    "prompts": ("Prompt", "box_prompt", "mask_prompt", "point_prompt", "scribble_prompt"),
    "segmentation": ("Answer", "Result", "Session", "segment"),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> object:
    # At first use: a command that only prints its help need not wait for PyTorch.
    if name in _ROOM_OF:
        return getattr(import_module(f".{_ROOM_OF[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
