"""Grids of captioned pictures, as the help pages show them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .contact import GAP, INK, PAPER, checkerboard

Panel = tuple[str, Image.Image]
"""A caption and a picture of any size and mode; transparent ones are shown over checks."""

CAPTION = 32
LETTERS = 20
MOST_BYTES = 60_000


def grid(panels: Sequence[Panel], side: int = 240) -> Image.Image:
    """The panels two abreast, each fitted into a square of `side` pixels, its caption below.

    ComfyUI shows it about 260 pixels wide, half its size: hence two abreast, and large letters.
    """
    across, lines = min(2, len(panels)), (len(panels) + 1) // 2
    pictures = [_fitted(opaque(picture), side) for _, picture in panels]
    tall = max(picture.height for picture in pictures) + CAPTION
    page = Image.new("RGB", (across * (side + GAP) + GAP, lines * (tall + GAP) + GAP), PAPER)
    font = ImageFont.load_default(LETTERS)
    for number, ((caption, _), picture) in enumerate(zip(panels, pictures, strict=True)):
        x, y = GAP + number % 2 * (side + GAP), GAP + number // 2 * (tall + GAP)
        page.paste(picture, (x, y))
        ImageDraw.Draw(page).text((x, y + picture.height + 4), caption, INK, font)
    return page


def opaque(picture: Image.Image) -> Image.Image:
    """RGB; what is transparent shows checks."""
    if "A" not in picture.getbands():
        return picture.convert("RGB")
    checks = checkerboard(picture.size)
    checks.paste(picture, (0, 0), picture.convert("RGBA"))
    return checks


def heat(picture: Image.Image) -> Image.Image:
    """Grey values as colours, black over purple and orange to white."""
    grey = np.asarray(picture.convert("L")) / 255.0
    stops = np.array([(5, 4, 26), (82, 18, 110), (186, 54, 84), (245, 128, 33), (252, 242, 171)])
    places = np.linspace(0, 1, len(stops))
    bands = [np.interp(grey, places, stops[:, band]) for band in range(3)]
    return Image.fromarray(np.stack(bands, -1).astype(np.uint8))


def save(picture: Image.Image, path: Path, most: int = MOST_BYTES) -> int:
    """Write a JPEG of at most so many bytes, as good as fits; its size."""
    for quality in range(90, 30, -5):
        picture.save(path, quality=quality, optimize=True, progressive=True)
        if path.stat().st_size <= most:
            break
    return path.stat().st_size


def _fitted(picture: Image.Image, side: int) -> Image.Image:
    scale = side / max(picture.size)
    size = round(picture.width * scale), round(picture.height * scale)
    return picture.resize(size, Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC)
