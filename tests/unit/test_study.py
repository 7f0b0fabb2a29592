"""Studies: their table by hand, and what an oracle may never do worse than."""

from dataclasses import replace

import pytest
import torch
from PIL import Image

from paintseg.config import preset
from paintseg.eval import oracle, painting, study
from paintseg.eval.datasets import Instance
from paintseg.models import Models

from .small_models import MeanColour, Surroundings, disc_photo

PHOTO, DISC = disc_photo((96, 128))


@pytest.fixture
def instance(tmp_path):
    for name, pixels in (("photo.png", PHOTO.permute(1, 2, 0)), ("mask.png", DISC.float())):
        Image.fromarray((pixels * 255).byte().numpy()).save(tmp_path / name)
    return Instance("a", "disc", tmp_path / "photo.png", tmp_path / "mask.png", (44, 28, 84, 68), (64, 48), (64, 48))


def test_the_table_averages_every_set_and_all():
    rows = [{"set": "a", "x": 0.5, "y": 0.5}, {"set": "a", "x": 0.5, "y": 0.7}, {"set": "b", "x": 0.5, "y": 0.0}]
    lines = [line.split() for line in study.table(rows, ("x", "y")).splitlines()[1:]]
    assert lines == [["a", "2", "50.0", "60.0"], ["b", "1", "50.0", "0.0"], ["all", "3", "50.0", "40.0"]]


@pytest.mark.parametrize("name", ["balanced", "paper"])
def test_right_answers_help(instance, name):
    small = {"size": 128, "encoder_size": 128, "paintings": 1, "steps": 2, "crf_iterations": 2}
    found = oracle.measure(instance, Models(painter=Surroundings(), encoder=MeanColour(4)), preset(name, **small))
    assert list(found) == list(oracle.VARIANTS)
    assert found["cut"] >= found["method"] and found["features"] > 0.9 and found["grid"] > 0.85


def test_a_painter_that_knows_what_is_behind_finds_what_is_before_it(instance, tmp_path):
    flag = torch.zeros(96, 128, 3)
    flag[:, :64, 2], flag[:, 64:, 1] = 1, 1
    Image.fromarray((flag * 255).byte().numpy()).save(tmp_path / "flag.png")
    behind = replace(instance, stem="flag", image_path=tmp_path / "flag.png")
    alone = preset("paper", size=128, encoder_size=128, paintings=1, steps=1, distance="cosine", early_clusters=2)
    found = painting.measure(instance, behind, Models(painter=Surroundings(), encoder=MeanColour(4)), alone)
    assert list(found) == list(painting.VARIANTS) and found["perfect"] > 0.9 > found["none"]


@pytest.mark.parametrize("option", ["--stride", "--limit"])
def test_bad_numbers_are_refused(option, capsys):
    assert oracle.main(["nowhere", option, "0"]) == 2
    assert "--stride and --limit must be at least 1" in capsys.readouterr().err
