"""The pictures of the template browser, each made of nothing but what its workflow shows when it has run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from PIL import Image, ImageOps

from .contact import checkerboard
from .paths import PHOTO, ROOT

SIDE = 512
INSET = 176
MARGIN = 14
BORDER = 3
WHITE = (250, 250, 248)
CLICKED = ("01 Quickstart", "04 Point at it")  # on PaintSeg Click, which shows no picture of its own
CLOSE = (276, 0, 512, 298)  # around the model of the Space Shuttle


class Pictures(Protocol):
    """The pictures that a node of a finished run shows, by the node's title or type."""

    def __getitem__(self, name: str) -> list[Image.Image]: ...


def picture(name: str, shown: Pictures) -> Image.Image:
    """The thumbnail of a workflow, `SIDE` x `SIDE`."""
    if name in _OWN:
        return _OWN[name](shown)
    segmented = square(shown["PaintSeg_AMCPLoop"][0])
    if name in CLICKED:
        return inset(segmented, on_checks(shown["Cut-out"][0]), right=False)
    pointed = shown["PaintSeg_PromptToMask" if name != "03 Find the subject by itself" else "PaintSeg_Discover"][0]
    return inset(segmented, pointed, right=False)


def square(image: Image.Image, side: int = SIDE) -> Image.Image:
    """The middle of an image, scaled to a square."""
    return ImageOps.fit(image.convert("RGB"), (side, side), Image.Resampling.LANCZOS)


def inset(result: Image.Image, small: Image.Image, right: bool) -> Image.Image:
    """The result, with what was asked small in a lower corner."""
    framed = ImageOps.expand(square(small, INSET), BORDER, WHITE)
    page, reach = result.copy(), SIDE - MARGIN - framed.width
    page.paste(framed, (reach if right else MARGIN, reach))
    return page


def grid(rows: Sequence[Sequence[Image.Image]]) -> Image.Image:
    """Pictures in rows of equal height and columns of equal width, thin white lines between them."""
    page = Image.new("RGB", (SIDE, SIDE), WHITE)
    height = (SIDE - 2 * (len(rows) - 1)) // len(rows)
    for y, row in enumerate(rows):
        width = (SIDE - 2 * (len(row) - 1)) // len(row)
        for x, image in enumerate(row):
            cell = ImageOps.fit(image.convert("RGB"), (width, height), Image.Resampling.LANCZOS)
            page.paste(cell, (x * (width + 2), y * (height + 2)))
    return page


def on_checks(layer: Image.Image) -> Image.Image:
    """A layer with transparency on a checkerboard."""
    page = checkerboard(layer.size)
    page.paste(layer.convert("RGBA"), (0, 0), layer.convert("RGBA"))
    return page


def _steps(shown: Pictures) -> Image.Image:
    kinds = ("painting", "potential", "cluster", "mask")
    return grid([[shown[f"{step}: {kind}"][0].crop(CLOSE) for step in range(1, 6)] for kind in kinds])


def _terms(shown: Pictures) -> Image.Image:
    names = ("The paint term", "The color term", "The prompt term", "Their sum")
    cells = [shown[name][0].crop(CLOSE) for name in names]
    return grid([cells[:2], cells[2:]])


def _removal(shown: Pictures) -> Image.Image:
    return grid([[picture.crop(CLOSE) for picture in (Image.open(PHOTO), shown["Clean plate"][0])]])


def _overview(shown: Pictures) -> Image.Image:
    return square(shown["Overview"][0])


def _label_map(shown: Pictures) -> Image.Image:
    labels = Image.open(ROOT / "workflows" / "assets" / "paintseg_label_map.png")
    return inset(square(shown["Overview"][0]), labels, right=False)


def _reassembly(shown: Pictures) -> Image.Image:
    return inset(square(shown["Put together again"][0]), on_checks(shown["Layer"][0]), right=False)


def _layers_moved(shown: Pictures) -> Image.Image:
    return inset(square(shown["Put together again"][0]), shown["Plate"][0], right=False)


def _amodal(shown: Pictures) -> Image.Image:
    return grid([[shown["PaintSeg_PromptToMask"][0]], [on_checks(shown["Completed layer"][0])]])


def _layers(shown: Pictures) -> Image.Image:
    helmet, woman, shuttle = (on_checks(layer) for layer in shown["Layers"])
    return grid([[helmet, woman], [shuttle, shown["Plate"][0]]])


def _video(shown: Pictures) -> Image.Image:
    frames = shown["PaintSeg_Video"]
    return grid([[frames[0], frames[2]], [frames[5], frames[-1]]])


_OWN: Mapping[str, object] = {
    "02 Remove an object": _removal,
    "11 The method step by step": _steps,
    "12 The contrastive potential": _terms,
    "06 Several objects": _overview,
    "27 A label map": _label_map,
    "08 Move an object": _reassembly,
    "09 Complete a hidden object": _amodal,
    "07 A photo as layers": _layers,
    "10 Through a video": _video,
    "29 Layers moved": _layers_moved,
}
