"""What people come for: take an object out, cut it out, complete it, put it elsewhere (paper, appendix C)."""

from .cutout import cut_out, foreground
from .removal import Removal, paint_out, remove

__all__ = ["Removal", "cut_out", "foreground", "paint_out", "remove"]
