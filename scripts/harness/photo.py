"""The bundled photo's human mask: an outline drawn by hand, and its pixels."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image, ImageDraw

FINER = 8


def outline_mask(outline: Path) -> Image.Image:
    """The mask (mode L, 0 or 255) of an outline file: its size, the outline and the holes in it.

    Points are in pixels with (0, 0) at the top left corner of the first pixel; a pixel belongs to the object
    when at least half of it lies inside.
    """
    drawn = json.loads(outline.read_text(encoding="utf-8"))
    width, height = drawn["size"]
    fine = Image.new("L", (width * FINER, height * FINER))
    for ring, fill in ((drawn["outline"], 255), *((hole, 0) for hole in drawn["holes"])):
        ImageDraw.Draw(fine).polygon([(x * FINER, y * FINER) for x, y in ring], fill=fill)
    return fine.resize((width, height), Image.Resampling.BOX).point(lambda covered: 255 * (covered >= 128))
