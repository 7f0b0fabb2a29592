"""The demo's contact sheet, and how well a mask fits a human one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

GAP = 12
CAPTION = 30
PAPER = (250, 250, 248)
INK = (40, 40, 40)
ACCENT = (0, 200, 120)
CHECKER = 12


def iou(mask: Image.Image, truth: Image.Image) -> float:
    """Intersection over union of two masks of the same size, 0 to 1, both taken as "more than half"."""
    first, second = np.asarray(mask.convert("L")) > 127, np.asarray(truth.convert("L")) > 127
    if first.shape != second.shape:
        raise ValueError(f"the masks differ in size: {first.shape} and {second.shape}")
    return float((first & second).sum() / max(1, (first | second).sum()))


def sheet(
    photo: Image.Image,
    clicks: Sequence[tuple[float, float]],
    mask: Image.Image,
    plate: Image.Image,
    cutout: Image.Image,
) -> Image.Image:
    """Four panels: photo with the clicks (x, y) on the object, mask over it, plate, cut-out on checks."""
    clicked, radius = photo.convert("RGB"), max(4, photo.width // 80)
    for x, y in clicks:
        around = (x - radius, y - radius, x + radius, y + radius)
        ImageDraw.Draw(clicked).ellipse(around, fill=ACCENT, outline=PAPER, width=max(2, radius // 3))
    checks = checkerboard(photo.size)
    checks.paste(cutout.convert("RGBA"), (0, 0), cutout.convert("RGBA"))
    panels = (
        ("the photo and the prompt", clicked),
        ("the object", _overlay(photo, mask)),
        ("the photo without it", plate.convert("RGB")),
        ("the object as a layer", checks),
    )
    width, height = photo.size
    page = Image.new("RGB", (2 * width + 3 * GAP, 2 * (height + CAPTION) + 3 * GAP), PAPER)
    font = ImageFont.load_default(16)
    for number, (caption, panel) in enumerate(panels):
        x = GAP + (number % 2) * (width + GAP)
        y = GAP + (number // 2) * (height + CAPTION + GAP)
        page.paste(panel, (x, y))
        ImageDraw.Draw(page).text((x, y + height + 6), caption, INK, font)
    return page


def _overlay(photo: Image.Image, mask: Image.Image) -> Image.Image:
    inside = np.asarray(mask.convert("L"))[..., None] / 255.0
    pixels = np.asarray(photo.convert("RGB"))
    outside = 0.35 * pixels + 0.65 * 235.0
    tinted = 0.7 * pixels + 0.3 * np.array(ACCENT)
    return Image.fromarray((inside * tinted + (1 - inside) * outside).round().astype(np.uint8))


def checkerboard(size: tuple[int, int]) -> Image.Image:
    """Grey checks, as painting programs show what is transparent."""
    width, height = size
    dark = (np.arange(height)[:, None] // CHECKER + np.arange(width)[None] // CHECKER) % 2
    return Image.fromarray(np.where(dark, 200, 240).astype(np.uint8)).convert("RGB")
