"""A contact sheet: of every set the best, the median and the worst masks over their photos."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from ..errors import InputError
from ..io.formats import to_image
from ..io.pictures import write_image
from ..visualize import draw_prompt, letterbox, overlay
from .datasets import Instance
from .records import Row
from .report import Summary
from .run import Work, predict
from .task import Task

EACH = 3
TILE = 240
GAP, CAPTION, TITLE = 10, 20, 34
PAPER, INK = (250, 250, 248), (40, 40, 40)


def write_gallery(path: Path, summaries: Sequence[Summary], work: Sequence[Work], device: str) -> None:
    """Draw the contact sheet of the summaries of that work; masks are computed again, being the same. Raises OSError.

    Of a conversation it shows all clicks and the answer to the last.
    """
    places = {(task, instance.dataset, instance.stem): instance for task, instance in work}
    blocks = []
    for summary in summaries:
        tiles = [
            _tile(summary.task, places[summary.task, row.dataset, row.stem], row, device)
            for row in chosen(summary.rows)
        ]
        blocks.append((_title(summary), tiles))
    write_image(path, _sheet(blocks))


def chosen(rows: Sequence[Row], each: int = EACH) -> list[Row]:
    """The best, median and worst rows, `each` of a kind, best first; fewer of a short list, none twice."""
    ordered = sorted(rows, key=lambda row: (-row.iou, row.dataset, row.stem))
    middle = (len(ordered) - each) // 2
    picked = {*range(each), *range(middle, middle + each), *range(len(ordered) - each, len(ordered))}
    return [ordered[index] for index in sorted(picked) if 0 <= index < len(ordered)]


def _tile(task: Task, instance: Instance, row: Row, device: str) -> Image.Image:
    image = instance.image()
    try:
        prompt, mask = predict(task, instance, image, device)
        prompted = draw_prompt(image, prompt)
    except InputError:
        prompted, mask = image, np.zeros(image.shape[1:], bool)
    masked = overlay(image, torch.from_numpy(mask))
    pair = torch.cat([letterbox(picture, (TILE, TILE)) for picture in (prompted, masked)], dim=2)
    tile = Image.new("RGB", (2 * TILE, TILE + CAPTION), PAPER)
    tile.paste(to_image(pair), (0, 0))
    count = "1 piece" if row.pieces == 1 else f"{row.pieces} pieces"
    caption = f"{100 * row.iou:.1f}  (boundary {100 * row.boundary_iou:.1f}, {count})  {row.stem}"
    ImageDraw.Draw(tile).text((2, TILE + 3), caption, INK, ImageFont.load_default(13))
    return tile


def _title(summary: Summary) -> str:
    task = summary.task
    parts = (summary.dataset, task.method, task.shown_prompt, task.shown_preset, task.variant)
    what = ", ".join(part for part in parts if part)
    means = f"mean IoU {100 * summary.mean('iou'):.1f}, boundary {100 * summary.mean('boundary_iou'):.1f}"
    return f"{what}: {means}, n {len(summary.rows)}"


def _sheet(blocks: Sequence[tuple[str, Sequence[Image.Image]]]) -> Image.Image:
    columns, width, height = EACH, 2 * TILE + GAP, TILE + CAPTION + GAP
    rows = [-(-len(tiles) // columns) for _, tiles in blocks]
    page = Image.new("RGB", (columns * width + GAP, sum(rows) * height + len(blocks) * TITLE + GAP), PAPER)
    pen, font, top = ImageDraw.Draw(page), ImageFont.load_default(17), 0
    for (title, tiles), count in zip(blocks, rows, strict=True):
        pen.text((GAP, top + 9), title, INK, font)
        top += TITLE
        for index, tile in enumerate(tiles):
            page.paste(tile, (GAP + index % columns * width, top + index // columns * height))
        top += count * height
    return page
