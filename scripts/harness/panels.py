"""Rows of captioned pictures, as the help pages show them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .contact import GAP, INK, PAPER, checkerboard

Panel = tuple[str, Image.Image]
"""A caption and a picture of any size and mode; transparent ones are shown over checks."""

CAPTION = 24
MOST_BYTES = 60_000


def row(panels: Sequence[Panel], height: int = 240) -> Image.Image:
    """The panels side by side, each `height` pixels high, its caption below."""
    pictures = [_scaled(opaque(picture), height) for _, picture in panels]
    width = sum(picture.width for picture in pictures) + GAP * (len(pictures) + 1)
    page = Image.new("RGB", (width, height + CAPTION + 2 * GAP), PAPER)
    font, x = ImageFont.load_default(14), GAP
    for (caption, _), picture in zip(panels, pictures, strict=True):
        page.paste(picture, (x, GAP))
        ImageDraw.Draw(page).text((x, GAP + height + 5), caption, INK, font)
        x += picture.width + GAP
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


def _scaled(picture: Image.Image, height: int) -> Image.Image:
    size = round(picture.width * height / picture.height), height
    return picture.resize(size, Image.Resampling.LANCZOS if picture.height > height else Image.Resampling.BICUBIC)
