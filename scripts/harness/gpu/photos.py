"""Photos and prompts: a folder of anybody's, or the bundled ones and made-up ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from paintseg.cli.bench import made_up_photo
from paintseg.errors import InputError
from paintseg.io.reading import read_photo
from paintseg.ops.boxes import bounding_box
from paintseg.ops.images import size_of
from paintseg.prompts import Prompt, box_prompt, point_prompt

from ..paths import HUMAN_MASK, PHOTO, ROOT

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
CUP = ROOT / "workflows" / "assets" / "paintseg_coffee.jpg"
CUP_BOX = (0.13, 0.12, 0.86, 0.88)  # of the photo's sides


@dataclass(frozen=True)
class Shown:
    """A photo with a box and a point on its object.

    Attributes:
        name: for reports. image: 3 x H x W in [0, 1]. box, point: prompts.
    """

    name: str
    image: Tensor
    box: Prompt
    point: Prompt

    def smaller(self, side: int) -> Shown:
        """The same with the longer side `side`, for checks whose figures do not matter."""
        height, width = size_of(self.image)
        ratio = side / max(height, width)
        size = max(1, round(height * ratio)), max(1, round(width * ratio))
        image = F.interpolate(self.image[None], size, mode="area")[0]
        box = tuple(edge * ratio for edge in self.box.box or ())
        return shown(self.name, image, (box[0], box[1], box[2], box[3]))


def shown(name: str, image: Tensor, box: tuple[float, float, float, float]) -> Shown:
    """A photo with a box and its middle."""
    size, (x0, y0, x1, y1) = size_of(image), box
    return Shown(name, image, box_prompt(box, size), point_prompt([((x0 + x1) / 2, (y0 + y1) / 2)], size))


def photos(folder: Path | None, count: int) -> list[Shown]:
    """Up to `count` photos of a folder, or the bundled ones and made-up ones with an oval on clouds.

    A folder's pictures lie in it or in its `images`. Where `masks` holds a PNG of a picture's name its object's box is
    the prompt, else the middle of the photo.

    Raises InputError for a folder without pictures.
    """
    if folder is None:
        return _bundled(count)
    home = folder / "images" if (folder / "images").is_dir() else folder
    files = sorted(path for path in home.glob("*") if path.suffix.lower() in PICTURES) if home.is_dir() else []
    if not files:
        raise InputError(f"{folder} holds no pictures; give a folder of photos, or none for the bundled ones")
    return [_read(path, folder / "masks" / f"{path.stem}.png") for path in files[:count]]


def _read(path: Path, mask: Path) -> Shown:
    image = read_photo(path)
    height, width = size_of(image)
    found = None
    if mask.is_file():
        with Image.open(mask) as opened:
            found = bounding_box(torch.from_numpy(np.array(opened.convert("L")) > 128)[None, None])
    return shown(path.stem, image, found or (0.2 * width, 0.2 * height, 0.8 * width, 0.8 * height))


def _bundled(count: int) -> list[Shown]:
    cup = read_photo(CUP)
    height, width = size_of(cup)
    left, top, right, bottom = CUP_BOX
    both = [_read(PHOTO, HUMAN_MASK), shown("cup", cup, (left * width, top * height, right * width, bottom * height))]
    made = []
    for seed in range(count - len(both)):
        image, prompt = made_up_photo(512, 200 + 12 * seed, seed)
        made.append(shown(f"made up {seed}", image, prompt.box or (0.0, 0.0, 512.0, 512.0)))
    return [*both, *made][:count]
