"""Prompts as hands give them, photos among others, and marks beside IoU, each by hand or by another's arithmetic."""

import ast
import csv
import json
from dataclasses import replace
from graphlib import TopologicalSorter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from scipy import ndimage

import paintseg.eval
from paintseg.errors import InputError
from paintseg.eval.__main__ import main
from paintseg.eval.datasets import Instance, read_manifest, scene
from paintseg.eval.metrics import IGNORED, boundary_iou, intersection_over_union, marks, pieces, rim
from paintseg.eval.mosaic import in_mosaic
from paintseg.eval.prompting import KINDS, drawn_box, make_prompt

from .eval_photos import made_up_photos

MASKS = st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(lambda shape: arrays(bool, shape))
SIZE = (1000, 1200)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return made_up_photos(tmp_path_factory.mktemp("photos"), count=8)


def square(low, high, size=100):
    mask = np.zeros((size, size), bool)
    mask[low:high, low:high] = True
    return mask


@settings(deadline=None)
@given(MASKS, st.integers(1, 5))
def test_a_rim_is_what_erosions_take_away(mask, width):
    eroded = ndimage.binary_erosion(mask, np.ones((3, 3)), iterations=width, border_value=0)
    assert (rim(mask, width) == (mask & ~eroded)).all()


def test_boundary_iou_of_squares_by_hand():
    # 2 % of the diagonal of 100 x 100 pixels are 2.8: rims of 3 pixels
    truth = np.where(square(40, 60), np.uint8(255), np.uint8(0))
    assert boundary_iou(square(40, 60), truth) == 1
    # rims 20^2 - 14^2 and 18^2 - 12^2 share 18^2 - 14^2 and cover 20^2 - 12^2
    assert boundary_iou(square(41, 59), truth) == pytest.approx((18**2 - 14**2) / (20**2 - 12**2))
    assert intersection_over_union(square(41, 59), truth) == pytest.approx(18**2 / 20**2)
    # a hole of 13 x 13 lies wholly within: its rim is one row of the square's and two further in
    holed = square(40, 60) & ~square(43, 57)
    assert boundary_iou(holed, truth) == 1 and intersection_over_union(holed, truth) < 0.6
    assert boundary_iou(square(0, 20), truth) == 0 and boundary_iou(square(0, 0), truth) == 0
    assert boundary_iou(square(0, 0), np.zeros((100, 100), np.uint8)) == 1


def test_the_photo_s_border_has_a_rim():
    assert rim(square(0, 10, 20), 1).sum() == 10**2 - 8**2


@settings(deadline=None)
@given(
    MASKS.flatmap(
        lambda mask: st.tuples(st.just(mask), arrays(np.uint8, mask.shape, elements=st.sampled_from([0, IGNORED, 255])))
    )
)
def test_boundary_iou_never_looks_at_what_is_not_counted(pair):
    mask, truth = pair
    assert boundary_iou(mask, truth) == boundary_iou(np.where(truth == IGNORED, ~mask, mask), truth)
    right = (truth == 255) | (mask & (truth == IGNORED))
    assert boundary_iou(right, truth) == 1


def test_pieces_touch_at_corners():
    assert pieces(np.eye(4, dtype=bool)) == 1 and pieces(np.zeros((4, 4), bool)) == 0
    dots = np.zeros((5, 5), bool)
    dots[::2, ::2] = True
    assert pieces(dots) == 9


def test_every_mark_stands_beside_iou(photos, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = [
        "--method",
        "box",
        "--prompt",
        "loose_box",
        "-q",
        "--csv",
        "rows.csv",
        "--json",
        "out.json",
        "--gallery",
        "sheet.png",
    ]
    assert main([str(photos), *words]) == 0
    with open("rows.csv", newline="") as opened:
        rows = list(csv.DictReader(opened))
    for instance, row in zip(
        sorted(read_manifest(photos), key=lambda one: one.dataset != "round"),
        sorted(rows, key=lambda one: one["dataset"] != "round"),
        strict=True,
    ):
        truth = instance.mask()
        mask = make_prompt(instance, "loose_box", truth.shape).start_region().numpy()
        found = marks(mask, truth)
        assert (float(row["iou"]), float(row["boundary_iou"]), int(row["pieces"])) == (
            found.iou,
            found.boundary_iou,
            found.pieces,
        ) and found.pieces == 1
    found = json.loads(Path("out.json").read_text())
    assert found[0]["mean_boundary_iou"] == pytest.approx(
        np.mean([float(row["boundary_iou"]) for row in rows if row["dataset"] == "round"]), abs=1e-6
    )
    assert found[0]["mean_pieces"] == 1
    said = capsys.readouterr().out.splitlines()
    assert "boundary IoU" in said[0] and said[0].split()[-2:] == ["pieces", "s/image"]


def an_instance(stem="stem", box=(400, 400, 600, 500)):
    middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    return Instance("set", stem, Path("photo.png"), Path("mask.png"), box, middle, middle)


def outwards(box, size=SIZE):
    """By how much of the tight box of `an_instance` each side lies further out."""
    x0, y0, x1, y1 = box
    return (400 - x0) / 200, (400 - y0) / 100, (x1 - 600) / 200, (y1 - 500) / 100


@pytest.mark.parametrize(("kind", "least", "most"), [("loose_box", 0, 0.25), ("jitter_box", -0.1, 0.1)])
def test_sides_move_each_by_itself_and_evenly_over_their_range(kind, least, most):
    moves = np.array([outwards(make_prompt(an_instance(str(number)), kind, SIZE).box) for number in range(400)])
    rounding = 0.5 / 100
    assert moves.min() >= least - rounding and moves.max() <= most + rounding
    assert moves.mean(0) == pytest.approx([(least + most) / 2] * 4, abs=(most - least) / 20)
    for part in np.quantile(moves, [0.25, 0.75], axis=0) - np.array([[least], [most]]):
        assert np.abs(part) == pytest.approx([(most - least) / 4] * 4, abs=(most - least) / 10)
    assert np.abs(np.corrcoef(moves.T) - np.eye(4)).max() < 0.2


def test_sides_are_the_same_every_time_and_others_with_another_seed_or_name():
    first = make_prompt(an_instance(), "loose_box", SIZE).box
    assert first == make_prompt(an_instance(), "loose_box", SIZE).box
    assert first != make_prompt(an_instance("other"), "loose_box", SIZE).box
    assert first != make_prompt(an_instance(), "loose_box", SIZE, seed=1).box
    assert make_prompt(an_instance(), "box", SIZE, seed=1).box == (400, 400, 600, 500)


@settings(deadline=None)
@given(st.integers(0, 59), st.integers(0, 39), st.integers(1, 60), st.integers(1, 40), st.integers(0, 99))
def test_a_drawn_box_stays_in_the_photo_and_has_a_pixel(left, top, width, height, seed):
    box = (left, top, min(left + width, 60), min(top + height, 40))
    for least, most in ((0, 0.25), (-0.1, 0.1), (-0.6, 0)):
        x0, y0, x1, y1 = drawn_box(an_instance(box=box), (40, 60), least, most, seed)
        assert 0 <= x0 <= x1 - 1 <= 59 and 0 <= y0 <= y1 - 1 <= 39
        if least == 0:
            assert x0 <= box[0] and y0 <= box[1] and x1 >= box[2] and y1 >= box[3]


def test_a_mosaic_shows_the_photo_in_its_tile_and_others_around_it(photos):
    members = read_manifest(photos, ("round",))
    places, known = set(), {other.image_path: other for other in members}
    for instance, seed in ((one, seed) for one in members for seed in range(6)):
        whole = in_mosaic(instance, members, 2, seed)
        image, truth = whole.image(), whole.mask()
        height, width = instance.mask().shape
        assert image.shape == (3, 2 * height, 2 * width) and truth.shape == (2 * height, 2 * width)
        places.add(whole.place)
        top, left = height * (whole.place // 2), width * (whole.place % 2)
        tile = (slice(top, top + height), slice(left, left + width))
        assert (image[(slice(None), *tile)] == instance.image()).all() and (truth[tile] == instance.mask()).all()
        outside = np.ones(truth.shape, bool)
        outside[tile] = False
        assert not truth[outside].any()
        assert len(set(whole.others)) == 3 and instance.image_path not in whole.others
        x0, y0, x1, y1 = (round(side) for side in whole.box)
        assert (truth[y0:y1, x0:x1] == 255).sum() == (truth == 255).sum()
        # another photo, scaled by Pillow
        place = next(one for one in range(4) if one != whole.place)
        there = image[:, height * (place // 2) :, width * (place % 2) :][:, :height, :width]
        with Image.open(known[whole.others[0]].image_path) as opened:
            scaled = np.asarray(opened.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)) / 255
        assert np.abs(there.permute(1, 2, 0).numpy() - scaled).mean() < 0.02
    assert places == {0, 1, 2, 3}


@pytest.mark.parametrize("kind", KINDS)
def test_every_prompt_is_on_the_object_in_its_tile(photos, kind):
    members = read_manifest(photos, ("round",))
    for member in members:
        instance = in_mosaic(member, members, 3)
        truth = instance.mask() == 255
        found = torch.from_numpy(truth).float()
        prompt = make_prompt(instance, kind, truth.shape, discover=lambda found=found: found)
        region = prompt.start_region().numpy() if prompt.kind in ("mask", "box") else np.zeros_like(truth)
        for x, y in prompt.anchors():
            region[int(y), int(x)] = True
        assert (region & truth).sum() >= (0.5 * truth.sum() if prompt.kind in ("mask", "box") else 1)


def test_the_filled_box_has_the_same_iou_in_a_mosaic(photos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["--method", "box", "-q", "--mosaic", "1,3", "--csv", "rows.csv", "--json", "out.json"]
    assert main([str(photos), *words]) == 0
    found = json.loads(Path("out.json").read_text())
    assert [(one["set"], one["mosaic"]) for one in found] == [("round", 1), ("oval", 1), ("round", 3), ("oval", 3)]
    assert [one["mean_iou"] for one in found[:2]] == pytest.approx([one["mean_iou"] for one in found[2:]], abs=1e-6)
    with open("rows.csv", newline="") as opened:
        rows = {(row["mosaic"], row["stem"]): row for row in csv.DictReader(opened)}
    # fewer photos measured are the same photos, among the same others
    assert main([str(photos), *words, "--limit", "1", "--fresh", "--csv", "few.csv", "--jobs", "2"]) == 0
    with open("few.csv", newline="") as opened:
        for row in csv.DictReader(opened):
            assert row["iou"] == rows[row["mosaic"], row["stem"]]["iou"]


def test_photos_of_one_scene_are_never_together(photos):
    assert scene("camel_00022") == scene("camel_00089") != scene("goat_00022")
    assert scene("239007a") == scene("239007b") == scene("239007") and scene("banana1") == "banana1"
    members = read_manifest(photos, ("round",))
    frames = [replace(one, stem=f"walk_{number}") for number, one in enumerate(members[:3])]
    whole = in_mosaic(frames[0], [*frames, members[3]], 2)
    assert whole.others == (members[3].image_path,) * 3  # a set too small is gone through again
    with pytest.raises(InputError, match="the set round has none beside walk_0"):
        in_mosaic(frames[0], frames, 2)
    assert in_mosaic(frames[0], frames, 1) is frames[0]


def test_no_two_modules_of_the_evaluation_ask_for_each_other():
    asked = {}
    for path in Path(paintseg.eval.__file__).parent.glob("*.py"):
        asked[path.stem] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level == 1:
                asked[path.stem] |= {node.module} if node.module else {name.name for name in node.names}
    assert "peers" in asked["methods"]
    TopologicalSorter(asked).prepare()  # raises CycleError
