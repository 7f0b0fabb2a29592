"""The measures of plates and of hidden parts, by arithmetic done by hand."""

from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image

from paintseg.eval.amodal import convex_hull, occlusions
from paintseg.eval.datasets import read_manifest
from paintseg.eval.removal import discovered, measure, spread, step_across, step_within
from paintseg.locate.discovery import coarse_mask, coarse_masks

from .small_models import embedded, example


@pytest.fixture
def photos(tmp_path):
    """A folder of two sets, three photos each: a disc on noise."""
    rows = ["dataset,stem,image,x0,y0,x1,y1,centroid_x,centroid_y,inner_x,inner_y,scribbles"]
    draw = np.random.default_rng(0)
    y, x = np.mgrid[:80, :100]
    disc = ((y - 40) ** 2 + (x - 50) ** 2 < 24**2).astype(np.uint8) * 255
    for dataset in ("one", "two"):
        for folder in ("images", "masks"):
            (tmp_path / dataset / folder).mkdir(parents=True)
        for number in range(3):
            pixels = draw.integers(0, 255, (80, 100, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / dataset / "images" / f"{number}.png")
            Image.fromarray(disc).save(tmp_path / dataset / "masks" / f"{number}.png")
            rows.append(f"{dataset},{number},{number}.png,26,16,75,65,50,40,50,40,no")
    (tmp_path / "manifest.csv").write_text("\n".join(rows), encoding="utf-8")
    return tmp_path


def seam_ratio(plate, hole, near=None):
    return step_across(plate, hole) / step_within(plate, hole, near)


def test_a_step_at_the_rim_is_a_seam():
    plate = torch.rand(3, 60, 60, generator=torch.Generator().manual_seed(0)) * 0.1
    hole = torch.zeros(60, 60, dtype=torch.bool)
    hole[20:40, 20:40] = True
    for near in (None, 6):
        assert seam_ratio(plate, hole, near) == pytest.approx(1, abs=0.1)
        assert seam_ratio(plate + 0.3 * hole, hole, near) > 5


def test_near_the_edge_a_busy_middle_does_not_hide_a_seam():
    plate = torch.zeros(3, 60, 60)
    hole = torch.zeros(60, 60, dtype=torch.bool)
    hole[10:50, 10:50] = True
    plate += 0.02 * (torch.arange(60) % 2) + 0.06 * hole
    plate[:, 20:40, 20:40] = (torch.arange(20) % 2).float()
    assert seam_ratio(plate, hole) < 1 < 2 < seam_ratio(plate, hole, 6)


def test_by_hand_of_a_row():
    """Steps of 0.1 beside the edge, 0.3 across it, 0.2 in the middle."""
    row = torch.cumsum(torch.tensor([0.0, 0.1, 0.1, 0.3, 0.1, 0.2, 0.2, 0.1, 0.3, 0.1, 0.1]), 0)
    hole = torch.zeros(1, 11, dtype=torch.bool)
    hole[:, 3:8] = True
    plate = row.expand(3, 1, 11)
    assert step_across(plate, hole) == pytest.approx(0.3)
    assert step_within(plate, hole) == pytest.approx(0.15)
    assert seam_ratio(plate, hole) == pytest.approx(0.3 / 0.15)
    assert seam_ratio(plate, hole, 2) == pytest.approx(0.3 / 0.1)


def test_an_object_is_discovered_at_its_place_and_nowhere_else(monkeypatch):
    """The example's shuttle on a plain wall."""
    for find in (coarse_mask, coarse_masks):
        monkeypatch.setattr(f"paintseg.eval.removal.{find.__name__}", partial(find, cells=28))
    photo, mask = example()
    wall = torch.where(mask, photo, torch.linspace(0.5, 0.7, 512).expand(3, 512, 512))
    found, salient = discovered(wall, mask, embedded().encoder)
    assert found > 0.5 and salient > 0.5
    assert discovered(wall, mask.roll(-300, 1), embedded().encoder) == (0.0, 0.0)
    told = measure(wall, mask, mask, embedded().encoder)
    assert (told["is_found"], told["found"], told["across"]) == (True, found, step_across(wall, mask))
    assert discovered(torch.full((3, 64, 64), 0.5), torch.ones(64, 64, dtype=torch.bool), embedded().encoder) == (0, 0)


def test_hull_of_an_l_is_a_triangle_with_its_corner():
    mask = torch.zeros(11, 11, dtype=torch.bool)
    mask[:, 0], mask[10] = True, True
    assert convex_hull(mask).sum() == 66
    line = torch.zeros(5, 5, dtype=torch.bool)
    line[2] = True
    assert torch.equal(convex_hull(line), line)


def test_every_set_gives_its_share(photos):
    chosen = spread(read_manifest(photos), 3)
    assert [(one.dataset, one.stem) for one in chosen] == [("one", "0"), ("one", "1"), ("two", "0")]


def test_occlusions_hide_a_known_part_and_repeat(photos):
    first, again = (list(occlusions(read_manifest(photos), 2, seed=3)) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        assert torch.equal(one.image, other.image) and torch.equal(one.front, other.front)
        assert 0.15 < (one.whole & one.front).sum() / one.whole.sum() < 0.45
