"""Studies: their table by hand, and what an oracle may never do worse than."""

import json
from dataclasses import replace

import pytest
import torch
from PIL import Image

from paintseg.config import preset
from paintseg.eval import oracle, painting, study
from paintseg.eval.datasets import Instance
from paintseg.eval.metrics import marks
from paintseg.models import Models

from .small_models import MeanColour, Surroundings, disc_photo

PHOTO, DISC = disc_photo((96, 128))


@pytest.fixture
def instance(tmp_path):
    for name, pixels in (("photo.png", PHOTO.permute(1, 2, 0)), ("mask.png", DISC.float())):
        Image.fromarray((pixels * 255).byte().numpy()).save(tmp_path / name)
    return Instance("a", "disc", tmp_path / "photo.png", tmp_path / "mask.png", (44, 28, 84, 68), (64, 48), (64, 48))


def test_the_table_averages_every_set_and_all():
    rows = [study.row(name, "", {"x": {"iou": 0.5}, "y": {"iou": y}}) for name, y in (("a", 0.5), ("a", 0.7), ("b", 0))]
    title, _, *lines = (line.split() for line in study.Table("of all", "iou").text(rows).splitlines())
    assert title == ["of", "all"]
    assert lines == [["a", "2", "50.0", "60.0"], ["b", "1", "50.0", "0.0"], ["all", "3", "50.0", "40.0"]]


def test_a_flat_picture_weighs_no_more_than_a_busy_one_in_a_ratio():
    flat, busy = ({"across": across, "inside": inside} for across, inside in ((0.002, 0.001), (0.1, 0.1)))
    table = study.Table("seam", "across", 1, 3, per="inside")
    assert table.cells([study.row("a", "", {"x": one}) for one in (flat, busy)]) == {"x": f"{0.102 / 0.101:.3f}"}
    nothing = study.row("a", "", {"x": {"across": 0.0, "inside": 0.0}})
    assert table.cells([nothing]) == {"x": "0.000"}


def test_a_study_writes_every_mark(instance, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(study, "chosen", lambda options: [instance])
    measured = study.each(lambda *given: {"x": marks(instance.mask() > 0, instance.mask())})
    main = study.command(lambda: study.make_parser("oracle", ""), measured)
    assert main(["DIR", "--preset", "paper", "--json", str(tmp_path / "out.json")]) == 0
    document = json.loads((tmp_path / "out.json").read_text())
    assert document["settings"]["config"]["steps"] == preset("paper").steps
    assert document["rows"] == [
        {"set": "a", "stem": "disc", "iou": {"x": 1.0}, "boundary_iou": {"x": 1.0}, "pieces": {"x": 1}}
    ]
    said = capsys.readouterr()
    assert said.err.splitlines()[-1] == "1 a disc: x 100.0"
    lines = [line.split() for line in said.out.splitlines()]
    assert [line for line in lines if line[:1] == ["a"]] == [
        ["a", "1", "100.0"],
        ["a", "1", "100.0"],
        ["a", "1", "1.0"],
    ]


def test_a_study_of_nothing_is_refused(capsys):
    assert study.command(lambda: study.plain_parser("plates", ""), lambda options: iter(()))(["DIR"]) == 2
    assert "there is nothing to measure: no photo of DIR fits" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["balanced", "paper"])
def test_right_answers_help(instance, name):
    small = {"size": 128, "encoder_size": 128, "paintings": 1, "steps": 2}
    found = oracle.measure(instance, Models(painter=Surroundings(), encoder=MeanColour(4)), preset(name, **small))
    assert list(found) == ["method", "cut", "start", "features", "grid"]
    assert found["cut"].iou >= found["method"].iou and found["features"].iou > 0.9 and found["grid"].iou > 0.85
    assert all(one.boundary_iou <= 1 and one.pieces >= 1 for one in found.values())


def test_a_painter_that_knows_what_is_behind_finds_what_is_before_it(instance, tmp_path):
    flag = torch.zeros(96, 128, 3)
    flag[:, :64, 2], flag[:, 64:, 1] = 1, 1
    Image.fromarray((flag * 255).byte().numpy()).save(tmp_path / "flag.png")
    behind = replace(instance, stem="flag", image_path=tmp_path / "flag.png")
    alone = preset("paper", size=128, encoder_size=128, paintings=1, steps=1, distance="cosine", early_clusters=2)
    found = painting.measure(instance, behind, Models(painter=Surroundings(), encoder=MeanColour(4)), alone)
    assert list(found) == ["embedded", "perfect", "none"] and found["perfect"].iou > 0.9 > found["none"].iou


@pytest.mark.parametrize("option", ["--stride", "--limit"])
def test_bad_numbers_are_refused(option, capsys):
    assert oracle.main(["nowhere", option, "0"]) == 2
    assert f"{option} must be at least 1, not 0" in capsys.readouterr().err
