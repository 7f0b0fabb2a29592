"""The measure of plates: pasted objects, ghosts, distances to what is known to be behind."""

import json

import pytest
import torch
from PIL import Image

from paintseg.eval import plates
from paintseg.eval.datasets import read_manifest

from .eval_photos import made_up_photos
from .small_models import embedded, example


def square(size, box):
    mask = torch.zeros(size, dtype=torch.bool)
    x0, y0, x1, y1 = box
    mask[y0:y1, x0:x1] = True
    return mask


def test_a_thing_in_the_hole_is_a_ghost_and_the_same_thing_beside_it_is_none():
    photo, mask = example()
    wall = torch.where(mask, photo, torch.linspace(0.5, 0.7, 512).expand(3, 512, 512))
    encoder = embedded().encoder
    assert plates.has_ghost(wall, mask, encoder)
    assert not plates.has_ghost(wall, square((512, 512), (5, 300, 200, 500)) & ~mask, encoder)
    assert not plates.has_ghost(torch.full((3, 64, 64), 0.5), square((64, 64), (20, 20, 40, 40)), encoder)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return made_up_photos(tmp_path_factory.mktemp("photos"), 4)


def test_cases_know_what_is_behind(photos, monkeypatch):
    assert list(plates.cases(read_manifest(photos), 2)) == []  # no photo has room beside its own object
    monkeypatch.setattr(plates, "BUSY", 1.0)
    found = list(plates.cases(read_manifest(photos), 2))
    assert len(found) == 2
    for case in found:
        assert torch.equal(case.image[:, ~case.mask], case.truth[:, ~case.mask])
        assert not torch.equal(case.image[:, case.mask], case.truth[:, case.mask])


def test_the_truth_is_at_no_distance_and_a_flat_hole_is(monkeypatch):
    monkeypatch.setattr("paintseg.layers.plausibility.SIZE", 168)
    truth = torch.rand(3, 96, 120, generator=torch.Generator().manual_seed(0))
    mask = square((96, 120), (40, 30, 80, 66))
    case = plates.Case("one/0", torch.where(mask, torch.ones(3, 1, 1), truth), truth, mask)
    encoder = embedded().encoder
    known = plates.patches(truth, plates.hole(case), encoder)[0]
    same, flat = (plates.measure(case, one, known, encoder) for one in (truth, case.image))
    assert abs(same["distance"]) < 1e-5 and same["colour"] == 0 and flat["distance"] > 0.2
    inside = (mask & plates.hole(case)).sum() / plates.hole(case).sum()
    assert flat["colour"] == pytest.approx(float(127.5 * inside), rel=0.1)  # white instead of grey noise


def test_the_command_writes_its_rows_and_pictures(photos, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(plates, "BUSY", 1.0)
    monkeypatch.setattr("paintseg.layers.plausibility.SIZE", 168)
    arguments = [str(photos), "--count", "2", "--rows", "truth,migan", "--json", str(tmp_path / "rows.json")]
    assert plates.main([*arguments, "--plates", str(tmp_path / "plates"), "-q"]) == 0
    said = capsys.readouterr().out
    rows = json.loads((tmp_path / "rows.json").read_text())["rows"]
    assert [row["set"] for row in rows] == ["even cases", "odd cases"] and all(row["set"] in said for row in rows)
    assert [list(row["distance"]) for row in rows] == [["truth", "migan"]] * 2
    assert all(row["colour"]["truth"] == 0 < row["colour"]["migan"] for row in rows)
    pictures = list((tmp_path / "plates").iterdir())
    assert len(pictures) == 2 and all(Image.open(one).width % 3 == 0 for one in pictures)


def test_refusals(photos, capsys):
    assert plates.main([str(photos), "--rows", "truth,magic"]) == 2
    assert "there is no row 'magic'; rows are truth, " in capsys.readouterr().err
    assert plates.main([str(photos), "--count", "0"]) == 2
