"""Every preset on every kind of prompt, on the two bundled photos: how well it must find the object at least.

Floors lie a few points below what was measured. Who changes a preset's result on purpose measures them anew.
"""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from harness.drawings import COFFEE_AND_ALL, ON, SHUTTLE_DOTS, TABLE, strokes
from harness.paths import ROOT
from PIL import Image, ImageDraw

from paintseg.config import preset
from paintseg.eval.prompting import coarsen
from paintseg.ops.boxes import bounding_box
from paintseg.prompts import Prompt
from paintseg.segmentation import segment

from .small_models import embedded, example, iou

# Cup, saucer and spoon, placed by eye on the photo enlarged twice; (x, y) in pixels of the enlargement.
COFFEE = [
    (362, 140),
    (380, 105),
    (410, 75),
    (450, 55),
    (500, 42),
    (560, 37),
    (620, 42),
    (680, 58),
    (730, 85),
    (770, 115),
    (793, 143),
    (795, 138),
    (810, 134),
    (830, 136),
    (846, 146),
    (848, 160),
    (842, 185),
    (835, 212),
    (860, 232),
    (890, 265),
    (918, 305),
    (940, 355),
    (953, 405),
    (958, 455),
    (955, 510),
    (943, 560),
    (925, 605),
    (900, 645),
    (870, 680),
    (830, 712),
    (790, 735),
    (740, 755),
    (690, 770),
    (640, 777),
    (580, 779),
    (520, 777),
    (460, 766),
    (400, 748),
    (340, 720),
    (285, 682),
    (240, 640),
    (205, 590),
    (178, 535),
    (160, 475),
    (154, 425),
    (156, 375),
    (165, 330),
    (182, 285),
    (205, 245),
    (240, 205),
    (280, 175),
    (320, 155),
]
ON_SHUTTLE = (((394, 90), (396, 230)), ((414, 20), (418, 120)), ((446, 80), (444, 240)))
OFF_SHUTTLE = (((300, 60), (340, 200)), ((490, 40), (495, 250)), ((390, 330), (470, 330)))
COFFEE_SPOTS = ((290, 60), (280, 140), (100, 240), (440, 260), (370, 280))


@cache
def photo_and_truth(name):
    """3 x H x W, and the object drawn by hand, H x W bool."""
    if name == "shuttle":
        return example()
    picture = Image.open(ROOT / "workflows" / "assets" / "paintseg_coffee.jpg").convert("RGB")
    outline = Image.new("L", (2 * picture.width, 2 * picture.height))
    ImageDraw.Draw(outline).polygon(COFFEE, fill=255)
    truth = np.array(outline.resize(picture.size, Image.Resampling.BOX)) > 127
    return torch.from_numpy(np.array(picture)).movedim(-1, 0) / 255, torch.from_numpy(truth)


def drawn(lines, size):
    """Strokes as a person paints them, H x W bool."""
    picture = strokes((size[1], size[0]), lines, 10, ON)
    return torch.from_numpy(np.array(picture)[..., 3] > 127)


def prompt_of(name, kind):
    size = tuple(photo_and_truth(name)[1].shape)
    truth = photo_and_truth(name)[1]
    on, off = (ON_SHUTTLE, OFF_SHUTTLE) if name == "shuttle" else (COFFEE_AND_ALL, TABLE)
    spots = SHUTTLE_DOTS if name == "shuttle" else COFFEE_SPOTS
    if kind == "box":
        return Prompt(size, box=bounding_box(truth[None, None]))
    if kind == "mask":
        return Prompt(size, mask=coarsen(truth, bounding_box(truth[None, None])))
    if kind == "strokes":
        return Prompt(size, scribble=drawn(on, size), negative_scribble=drawn(off, size))
    return Prompt(size, points=spots, negative_points=(off[0][0],))


# IoU in percent: of a box, a coarse mask, strokes on the object and off it, points on it and one off it. None: the
# preset does not find the object this way, and how far it is off means nothing.
KINDS = ("box", "mask", "strokes", "points")
FLOORS = {
    ("shuttle", "fast"): (90, 90, 89, 89),
    ("shuttle", "balanced"): (90, 90, 89, 89),
    ("shuttle", "paper"): (74, 83, 24, None),
    ("coffee", "fast"): (60, 95, 95, 48),
    ("coffee", "balanced"): (47, 95, 95, 43),
    ("coffee", "paper"): (90, 90, 90, 73),
    ("shuttle", "best"): (85, None, 85, None),
}
QUICK = {("shuttle", "box"), ("shuttle", "points"), ("coffee", "mask"), ("coffee", "strokes")}  # on the preset fast
CASES = [
    pytest.param(
        *(name, setting, kind, floor),
        marks=[] if setting == "fast" and (name, kind) in QUICK else [pytest.mark.slow, pytest.mark.long],
    )
    for (name, setting), floors in FLOORS.items()
    for kind, floor in zip(KINDS, floors, strict=True)
    if floor is not None
]


@pytest.mark.parametrize(("name", "setting", "kind", "floor"), CASES)
def test_the_object_is_found_as_well_as_ever(name, setting, kind, floor):
    config = preset(setting)
    config = replace(config, paintings=1) if setting == "paper" else config  # the embedded painter's differ little
    photo, truth = photo_and_truth(name)
    models = embedded()
    found = segment(photo, prompt_of(name, kind), models.painter, models.encoder, config)
    assert 100 * iou(found.mask, truth) >= floor
