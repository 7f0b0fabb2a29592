"""Encoders and painters plain enough to work out by hand; the embedded models and the example photo for the rest."""

from functools import cache

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from harness.paths import HUMAN_MASK, PHOTO
from PIL import Image

from paintseg.models import load_models


class MeanColour:
    """The mean colour of every cell: it sees colours and nothing else, and moves along with what it is shown."""

    name, size = "mean colour", 64

    def __init__(self, stride=8):
        self.stride = stride

    def encode(self, images):
        return F.avg_pool2d(images.float(), self.stride)


class Surroundings:
    """Fills the hole with the mean colour of what is kept, mid-grey when nothing is."""

    name, multiple, size, stochastic = "surroundings", 8, 64, False

    def paint(self, image, hole, count, generator):
        kept = image[:, hole[0] <= 0.5]
        colour = kept.mean(1) if kept.numel() else torch.full((3,), 0.5)
        painted = torch.where(hole > 0.5, colour[:, None, None], image)
        return painted.expand(count, -1, -1, -1)


class Paints:
    """Answers with whatever `answer(image, hole, count)` makes, and remembers the holes it was given."""

    name, multiple, size, stochastic = "test painter", 8, 64, False

    def __init__(self, answer):
        self.answer = answer
        self.holes = []

    def paint(self, image, hole, count, generator):
        self.holes.append(hole)
        return self.answer(image, hole, count)


def disc_photo(size=(96, 128), centre=(64, 48), radius=20, noise=0.02, seed=0):
    """An orange disc on a blue wall, both a little uneven, 3 x H x W; and the disc, H x W bool."""
    ys, xs = torch.meshgrid(torch.arange(size[0]) + 0.5, torch.arange(size[1]) + 0.5, indexing="ij")
    disc = (xs - centre[0]) ** 2 + (ys - centre[1]) ** 2 < radius**2
    orange, blue = torch.tensor([0.9, 0.5, 0.1]), torch.tensor([0.2, 0.3, 0.7])
    photo = torch.where(disc, orange[:, None, None], blue[:, None, None])
    grain = torch.randn(3, *size, generator=torch.Generator().manual_seed(seed))
    return (photo + noise * grain).clamp(0, 1), disc


def iou(found, truth):
    return float((found & truth).sum() / (found | truth).sum())


loaded_once = cache(load_models)
"""`load_models`, which takes a second, once for all tests of a process."""


def embedded():
    """MI-GAN and DINOv2."""
    return loaded_once("cpu", False)


@pytest.fixture
def commands_share_models(monkeypatch):
    """What a command loads, the next one finds loaded; tests of the loading itself start a process or go without."""
    monkeypatch.setattr("paintseg.models.load_models", loaded_once)


@cache
def example():
    """The bundled photo, 3 x 512 x 512, and its human mask, 512 x 512 bool."""
    photo = torch.from_numpy(np.array(Image.open(PHOTO).convert("RGB"))).movedim(-1, 0) / 255
    return photo, torch.from_numpy(np.array(Image.open(HUMAN_MASK)) > 0)
