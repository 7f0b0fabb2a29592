"""What people come for: take an object out, cut it out, complete it, put it elsewhere (paper, appendix C)."""

from .amodal import amodal, peel
from .compose import Placement, parse_placements, reassemble
from .cutout import cut_out
from .document import Stack, layers_value, read_layers, without_backdrop
from .matting import matte
from .openraster import save_openraster, save_png_set
from .plausibility import strangeness
from .psd import check_psd, save_psd
from .recognition import fingerprint, known_again
from .removal import CANDIDATES, paint_out, remove
from .shadow import find_shadow
from .stack import NamedLayer, flatten

__all__ = [
    "CANDIDATES",
    "NamedLayer",
    "Placement",
    "Stack",
    "amodal",
    "check_psd",
    "cut_out",
    "find_shadow",
    "fingerprint",
    "flatten",
    "known_again",
    "layers_value",
    "matte",
    "paint_out",
    "parse_placements",
    "peel",
    "read_layers",
    "reassemble",
    "remove",
    "save_openraster",
    "save_png_set",
    "save_psd",
    "strangeness",
    "without_backdrop",
]
