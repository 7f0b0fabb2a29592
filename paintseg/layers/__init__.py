"""What people come for: take an object out, cut it out, complete it, put it elsewhere (paper, appendix C)."""

from .amodal import Completed, Peeled, amodal, peel
from .compose import Placement, parse_placements, reassemble
from .cutout import cut_out, foreground
from .matting import matte
from .openraster import NamedLayer, flatten, save_openraster, save_png_set
from .plausibility import strangeness
from .removal import Removal, paint_out, remove
from .shadow import find_shadow

__all__ = [
    "Completed",
    "NamedLayer",
    "Peeled",
    "Placement",
    "Removal",
    "amodal",
    "cut_out",
    "find_shadow",
    "flatten",
    "foreground",
    "matte",
    "paint_out",
    "parse_placements",
    "peel",
    "reassemble",
    "remove",
    "save_openraster",
    "save_png_set",
    "strangeness",
]
