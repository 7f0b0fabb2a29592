"""Windows: the few views of a photo that answers are looked for in, so that neighbouring clicks share them.

The view around an object changes with every click, and with it everything the encoder says of it. Windows lie on a
lattice instead: their sides are those of the photo over powers of the square root of two, their corners multiples of a
quarter of that. Whatever the view, some window holds it that is at most about twice as large.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache, partial

import torch
from torch import Tensor

from ..config import Config
from ..finish.refine import Finish, finish_size
from ..ops.boxes import PixelBox
from ..ops.coordinates import Point
from ..ops.images import resize
from .looks import Looks
from .view import View, view_of

_FILLED = 0.75
"""Share of a window's side that a view may take, so that a quarter of the side is free to put the window by."""
_COARSER = 2.1
"""How much larger a window than a view would choose for itself may be, if the conversation began in it."""
_KEPT = 8
"""Windows whose pixels, and what the finish made of these, are kept."""


class Windows(Looks):
    """A photo reduced for work that needs no more, whose windows show it in full.

    Args:
        looks: of the photo in full.
        side: longer side of the reduced photo, in pixels.

    Attributes:
        began: the window that the last conversation began in, by its first points and its parameters.
    """

    def __init__(self, looks: Looks, side: int) -> None:
        height, width = looks.size
        ratio = min(1.0, side / max(height, width))
        size = max(1, round(height * ratio)), max(1, round(width * ratio))
        super().__init__(resize(looks.photo, size)[0], looks.encoder, looks.cache)
        self.full = looks
        self.began: dict[tuple[tuple[Point, ...], Config], View] = {}
        # Neither holds this object: photos must be gone as soon as nobody asks about them.
        self._crop = lru_cache(_KEPT)(looks.crop)
        self._finish = lru_cache(_KEPT)(partial(_finish, self._crop))

    def in_full(self, box: PixelBox) -> PixelBox:
        """A box of the reduced photo in pixels of the photo."""
        (rows, columns), (height, width) = self.size, self.full.size
        x0, y0, x1, y1 = box
        return (
            math.floor(x0 * width / columns),
            math.floor(y0 * height / rows),
            math.ceil(x1 * width / columns),
            math.ceil(y1 * height / rows),
        )

    def crop(self, box: PixelBox, size: tuple[int, int]) -> Tensor:
        """As of `Looks`, of the photo in full, and remembered."""
        return self._crop(self.in_full(box), size)

    def finish_of(self, box: PixelBox, device: torch.device) -> Finish:
        """What refines masks in a window; its pixels are few enough to be quick. Remembered, too."""
        return self._finish(self.in_full(box), device)


def _finish(crop: Callable[[PixelBox, tuple[int, int]], Tensor], box: PixelBox, device: torch.device) -> Finish:
    x0, y0, x1, y1 = box
    return Finish(crop(box, finish_size((y1 - y0, x1 - x0)))[0].to(device))


def window_around(view: View, multiple: int, began: View | None = None) -> View:
    """The window that a view of the same photo is looked for in.

    Args:
        view: what must be seen.
        multiple: the canvas' sides will be multiples of it.
        began: the window that the conversation began in. It is kept as long as it holds the view and is not much
            larger than the view's own.
    """
    box = lattice_box(view.box, view.photo)
    if began is not None and _holds(began.box, view.box) and _side(began.box) <= _COARSER * _side(box):
        return began
    return view_of(view.photo, box, max(view.content), multiple)


def lattice_box(box: PixelBox, photo: tuple[int, int]) -> PixelBox:
    """The smallest box of the lattice over a photo of (H, W) that holds a box of it, cut to the photo."""
    longest = max(photo)
    level = math.floor(2 * math.log2(_FILLED * longest / _side(box)))
    if level < 1:
        return 0, 0, photo[1], photo[0]
    side = longest * 2 ** (-level / 2)
    (x0, x1), (y0, y1) = (_span(box[axis], side, photo[1 - axis]) for axis in (0, 1))
    return x0, y0, x1, y1


def _span(start: int, side: float, limit: int) -> tuple[int, int]:
    step = side / 4
    first = min(math.floor(start / step) * step, max(0.0, limit - side))
    return math.floor(first), min(limit, math.ceil(first + side))


def _side(box: PixelBox) -> int:
    return max(box[2] - box[0], box[3] - box[1])


def _holds(outer: PixelBox, inner: PixelBox) -> bool:
    return outer[0] <= inner[0] and outer[1] <= inner[1] and outer[2] >= inner[2] and outer[3] >= inner[3]
