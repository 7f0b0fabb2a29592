"""What the editor on PaintSeg Reassemble is told after a run: the plate, and each layer's picture, place and look."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..paintseg.layers.recognition import fingerprint
from ..paintseg.layers.stack import NamedLayer, with_alpha
from ..paintseg.ops.boxes import bounding_box
from ..paintseg.ops.images import size_of
from .previews import save_picture, shrunk

MOST = 64
"""Layers that are shown; those behind them can be placed by JSON."""

SIDE = 1024
"""Longest side in pixels of a picture of a layer, and of the plate's."""


def arrangement(plate: Tensor, layers: Sequence[NamedLayer], stack: tuple[int, int]) -> dict[str, object]:
    """The keys `paintseg_plate` and `paintseg_layers` of a node's ui; pictures are files in ComfyUI's temp folder.

    Args:
        plate: 3 or 4 x H x W.
        layers: front to back.
        stack: the size (H, W) of the picture that they were made for.

    Returns:
        For the plate its file and `size`, [W, H]. For each layer its `fingerprint`, and, where anything of it is seen,
        its file, the `box`, [x0, y0, x1, y1], in pixels of the plate, that the file shows where nothing has moved it,
        and its `opacity`.
    """
    height, width = size_of(plate)
    shown: list[dict[str, object]] = []
    for layer in layers[:MOST]:
        entry: dict[str, object] = {"fingerprint": fingerprint(layer, stack)}
        pixels = with_alpha(layer.pixels)
        box = bounding_box((pixels[3] > 0)[None, None])
        if box is not None and layer.alpha:
            x0, y0, x1, y1 = box
            placed = [layer.left + x0, layer.top + y0, layer.left + x1, layer.top + y1]
            entry |= {**save_picture(_shrunk(pixels[:, y0:y1, x0:x1])), "box": placed, "opacity": layer.alpha}
        shown.append(entry)
    return {
        "paintseg_plate": [{**save_picture(shrunk(plate, SIDE)), "size": [width, height]}],
        "paintseg_layers": shown,
    }


def _shrunk(layer: Tensor) -> Tensor:
    """As `shrunk`; premultiplied on the way, or the colour of what cannot be seen would bleed into the edge."""
    if max(layer.shape[1:]) <= SIDE:
        return layer
    small = shrunk(torch.cat([layer[:3] * layer[3:], layer[3:]]), SIDE)
    return torch.cat([(small[:3] / small[3:].clamp_min(1e-4)).clamp(0, 1), small[3:]])
