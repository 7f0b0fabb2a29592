"""The evaluation: metrics, prompts, resuming, several processes, and what it writes."""

import csv
import dataclasses
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from harness.paths import ROOT
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from sklearn.metrics import jaccard_score

from paintseg.errors import InputError
from paintseg.eval import ablations
from paintseg.eval.__main__ import main
from paintseg.eval.datasets import read_manifest, thin_out
from paintseg.eval.gallery import chosen
from paintseg.eval.methods import make_method
from paintseg.eval.metrics import IGNORED, intersection_over_union
from paintseg.eval.prompting import KINDS, coarsen, make_prompt, offset, shift
from paintseg.eval.records import Row
from paintseg.eval.task import Task

from .eval_photos import made_up_photos

SIDES = ("size=128", "encoder_size=168", "photo_size=168")
SMALL = ["--preset", "fast", *(word for side in SIDES for word in ("--set", side)), "--threads", "1", "-q"]
CHEAP = ["--method", "box", "--threads", "1", "-q"]
LABELS = st.sampled_from([0, IGNORED, 255])


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return made_up_photos(tmp_path_factory.mktemp("photos"))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Commands keep what they finished under the current folder."""
    monkeypatch.chdir(tmp_path)


def evaluate(photos, *arguments):
    """Run the command; the rows of its CSV by (set, stem), and its JSON."""
    words = [str(photos), "--csv", "rows.csv", "--json", "out.json", *arguments]
    assert main(words) == 0
    with open("rows.csv", newline="") as opened:
        rows = list(csv.DictReader(opened))
    with open("out.json") as opened:
        return rows, json.load(opened)


@settings(deadline=None)
@given(
    st.tuples(st.integers(1, 6), st.integers(1, 6)).flatmap(
        lambda shape: st.tuples(arrays(bool, shape), arrays(np.uint8, shape, elements=LABELS))
    )
)
def test_iou_is_scikit_learn_s_jaccard_score_over_the_counted_pixels(pair):
    mask, truth = pair
    counted = truth != IGNORED
    assume((mask & counted).any() or (truth == 255).any())
    assert intersection_over_union(mask, truth) == pytest.approx(
        jaccard_score((truth == 255)[counted], mask[counted], zero_division=0.0)
    )


@settings(deadline=None)
@given(arrays(np.uint8, (5, 5), elements=LABELS), arrays(bool, (5, 5)))
def test_ignored_pixels_do_not_count(truth, mask):
    flipped = np.where(truth == IGNORED, ~mask, mask)
    assert intersection_over_union(mask, truth) == intersection_over_union(flipped, truth)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("noise", [0, 15, 30])
def test_every_prompt_of_every_noise_touches_the_object(photos, kind, noise):
    for instance in read_manifest(photos, ("round",)):
        truth = instance.mask() == 255
        found = torch.from_numpy(truth).float()
        prompt = make_prompt(instance, kind, truth.shape, noise, discover=lambda found=found: found)
        region = prompt.start_region().numpy() if prompt.kind in ("mask", "box") else np.zeros_like(truth)
        for x, y in prompt.anchors():
            region[int(y), int(x)] = True
        assert (region & truth).any()


def test_prompts_without_noise_are_those_of_the_manifest(photos):
    instance = read_manifest(photos)[0]
    size = instance.mask().shape
    assert make_prompt(instance, "box", size).box == instance.box
    assert make_prompt(instance, "point", size).points == (instance.centroid,)
    strokes, others = instance.scribbles(1)
    prompt = make_prompt(instance, "scribble", size)
    assert (prompt.scribble == strokes).all() and (prompt.negative_scribble == others).all()
    prompt = make_prompt(instance, "strokes", size)
    assert (prompt.scribble == strokes).all() and prompt.negative_scribble is None


@settings(deadline=None)
@given(st.floats(1, 40), st.integers(0, 9))
def test_noise_moves_a_prompt_by_that_percentage_of_half_the_diagonal(noise, seed):
    photos = make_instance((400, 400, 600, 500))
    dx, dy = offset(photos, (1000, 1000), noise, seed)
    assert np.hypot(dx, dy) == pytest.approx(noise / 100 * np.hypot(200, 100) / 2)


def test_more_noise_goes_further_in_the_same_direction():
    instance = make_instance((400, 400, 600, 500))
    little, much = (offset(instance, (1000, 1000), noise, 0) for noise in (15, 30))
    assert much == pytest.approx((2 * little[0], 2 * little[1]))


def make_instance(box):
    from pathlib import Path

    from paintseg.eval.datasets import Instance

    return Instance("set", "stem", Path("photo.png"), Path("mask.png"), box, (500, 450), (500, 450))


@settings(deadline=None)
@given(arrays(bool, (7, 9)), st.integers(-12, 12), st.integers(-12, 12))
def test_shifting_is_rolling_without_what_comes_round(values, dx, dy):
    moved = shift(torch.from_numpy(values), dx, dy).numpy()
    expected = np.zeros((7 + 24, 9 + 24), bool)
    expected[12:19, 12:21] = values
    expected = np.roll(expected, (dy, dx), (0, 1))[12:19, 12:21]
    assert (moved == expected).all() if expected.any() else moved.any() == values.any()


def test_a_coarse_mask_is_crude_but_no_other_object(photos):
    for instance in read_manifest(photos):
        truth = instance.mask() == 255
        coarse = coarsen(torch.from_numpy(truth), instance.box).numpy() > 0.5
        assert 0.5 < (coarse & truth).sum() / (coarse | truth).sum() < 0.95


def test_thinning_takes_every_kth_of_every_set(photos):
    instances = read_manifest(photos)
    assert [one.stem for one in thin_out(instances, limit=1)] == ["photo0", "photo1"]
    assert [one.stem for one in thin_out(instances, stride=2)] == ["photo0", "photo1"]
    assert thin_out(instances) == sorted(instances, key=lambda one: one.dataset == "oval")


def test_json_holds_an_object_per_set_and_the_mean_of_the_csv(photos):
    rows, found = evaluate(photos, *CHEAP)
    assert [(one["set"], one["n"], one["prompt"]) for one in found] == [("round", 2, "box"), ("oval", 2, "box")]
    for one in found:
        assert {"set", "prompt", "preset", "n", "mean_iou", "seconds_per_image", "settings"} <= set(one)
        mean = np.mean([float(row["iou"]) for row in rows if row["dataset"] == one["set"]])
        assert one["mean_iou"] == pytest.approx(mean, abs=1e-6)
        assert one["mean_iou"] == pytest.approx(np.pi / 4, abs=0.03)  # an oval in its box


def test_the_whole_method_finds_the_objects(photos):
    _, found = evaluate(photos, *SMALL, "--only", "round", "--gallery", "gallery.jpg")
    assert found[0]["mean_iou"] > 0.8 and found[0]["settings"]["config"]["size"] == 128
    assert Image.open("gallery.jpg").format == "JPEG"


@pytest.mark.parametrize("way", [CHEAP, pytest.param(SMALL, marks=pytest.mark.long)], ids=["box", "whole method"])
def test_several_processes_find_what_one_finds(photos, way):
    alone, _ = evaluate(photos, *way, "--only", "round")
    together, _ = evaluate(photos, *way, "--only", "round", "--jobs", "2", "--csv", "others.csv", "--fresh")
    with open("others.csv", newline="") as opened:
        together = list(csv.DictReader(opened))
    for row in (*alone, *together):
        del row["seconds"]
    assert alone == together


WORKER = """
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from paintseg.eval import run

pool = ProcessPoolExecutor(1, get_context("spawn"), run._start_worker, (1,))
print(pool.submit(max, 1, 2).result(), flush=True)
pool.submit(time.sleep, 600).result()
"""


def test_workers_end_with_a_parent_that_was_killed():
    with subprocess.Popen([sys.executable, "-c", WORKER], cwd=ROOT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout.readline().strip() == b"2"
        parent.kill()
        parent.communicate(timeout=60)  # ends when nobody can write any more: neither parent nor worker


def test_an_interrupted_run_goes_on_where_it_stopped(photos, monkeypatch):
    first, _ = evaluate(photos, *CHEAP, "--limit", "1")
    with open("rows.csv", "a") as opened:
        opened.write("0123456789ab,box,box,1,,,0.0,0,round,photo2,0.12")  # killed while it wrote
    measured = []
    monkeypatch.setattr("paintseg.eval.run.measure", recorder(measured))
    rows, found = evaluate(photos, *CHEAP)
    assert sorted(measured) == ["photo2", "photo3"] and [one["n"] for one in found] == [2, 2]
    assert [row for row in rows if row["note"] is not None][:2] == first
    evaluate(photos, *CHEAP)
    assert len(measured) == 2
    evaluate(photos, *CHEAP, "--fresh")
    assert len(measured) == 6


@pytest.fixture
def copied(photos, tmp_path):
    """The photos once more, with times of their own, to be changed."""
    return shutil.copytree(photos, tmp_path / "copied", copy_function=shutil.copyfile)


def test_what_was_measured_on_another_photo_or_mask_is_measured_again(copied, monkeypatch):
    evaluate(copied, *CHEAP)
    measured = []
    monkeypatch.setattr("paintseg.eval.run.measure", recorder(measured))
    first, second = read_manifest(copied)[:2]
    for path in (first.image_path, second.mask_path):
        Image.open(path).transpose(Image.Transpose.FLIP_TOP_BOTTOM).save(path)
        evaluate(copied, *CHEAP)
    assert measured == [first.stem, second.stem]


def test_a_copied_folder_and_a_longer_manifest_cost_only_what_is_new(photos, copied, monkeypatch):
    evaluate(photos, *CHEAP)
    measured = []
    monkeypatch.setattr("paintseg.eval.run.measure", recorder(measured))
    with (copied / "manifest.csv").open("a", newline="") as opened:
        opened.write((copied / "manifest.csv").read_text().splitlines()[-1].replace("photo3,", "photo9,") + "\n")
    shutil.copyfile(copied / "oval" / "masks" / "photo3.png", copied / "oval" / "masks" / "photo9.png")
    evaluate(copied, *CHEAP)
    assert measured == ["photo9"]


def test_an_encoder_is_known_by_what_is_in_its_file(tmp_path):
    for name, content in (("a", b"1"), ("b", b"1"), ("c", b"2")):
        (tmp_path / name).write_bytes(content)
    one, same, other = (Task(encoder=f"vit={tmp_path / name}").key() for name in "abc")
    assert one == same != other


def recorder(measured):
    from paintseg.eval.run import measure

    def measure_and_record(key, task, instance, device):
        measured.append(instance.stem)
        return measure(key, task, instance, device)

    return measure_and_record


def test_without_a_csv_a_run_goes_on_from_the_output_folder(photos, monkeypatch):
    assert main([str(photos), *CHEAP]) == 0
    measured = []
    monkeypatch.setattr("paintseg.eval.run.measure", recorder(measured))
    assert main([str(photos), *CHEAP]) == 0 and not measured


@pytest.mark.parametrize(
    "change",
    [
        {"noise": 15.0},
        {"seed": 1},
        {"prompt": "point"},
        {"preset": "fast"},
        {"method": "tokencut"},
        {"changes": (("steps", 4),)},
        {"encoder": "a=b"},
        {"prompt": "loose_box"},
        {"prompt": "clicks"},
        {"mosaic": 3},
    ],
)
def test_whatever_decides_the_result_changes_the_key(change):
    task = Task()
    assert dataclasses.replace(task, **change).key() != task.key()


@pytest.mark.parametrize("change", [{"clicks": 5}, {"stop": 90.0}])
def test_what_ends_a_conversation_changes_the_key(change):
    task = Task(prompt="clicks")
    assert dataclasses.replace(task, **change).key() != task.key()


def test_the_same_parameters_have_the_same_key_whatever_they_are_called():
    task = Task()
    assert dataclasses.replace(task, variant="base").key() == task.key()
    assert task.changed(steps=task.config.steps).key() == task.key()


def test_sets_without_strokes_are_left_out_of_scribble_prompts(photos, capsys):
    _, found = evaluate(photos, *SMALL, "--prompt", "scribble,strokes2", "--limit", "1")
    assert [(one["set"], one["prompt"]) for one in found] == [("round", "scribble"), ("round", "strokes2")]
    assert "oval has no strokes" in capsys.readouterr().err


def test_a_method_that_finds_nothing_is_counted_and_says_why(photos, tmp_path, capsys):
    for kind in ("images", "masks"):
        (tmp_path / "flat" / kind).mkdir(parents=True)
        Image.new("L", (40, 40), 255).save(tmp_path / "flat" / kind / "grey.png")
    lines = (photos / "manifest.csv").read_text().splitlines()[0]
    (tmp_path / "manifest.csv").write_text(f"{lines}\nflat,grey,grey.png,0,0,40,40,20,20,20,20\n")
    rows, found = evaluate(tmp_path, "--method", "tokencut", "--prompt", "auto", "-q", "--threads", "1")
    assert found[0]["failures"] == 1 and found[0]["mean_iou"] == 0 and "one colour" in rows[0]["note"]
    assert "1 without a mask" in capsys.readouterr().out


@pytest.mark.parametrize("prompt", ["box", "scribble", "mask"])
def test_opencv_s_grabcut_finds_an_object_of_another_colour(photos, prompt):
    pytest.importorskip("cv2")
    _, found = evaluate(photos, "--method", "opencv-grabcut", "--prompt", prompt, "--only", "round", "-q")
    assert found[0]["mean_iou"] > 0.9


@pytest.mark.parametrize("prompt", ["box", "scribble", "mask", "point"])
def test_scikit_image_s_random_walker_runs_from_every_prompt(photos, prompt):
    pytest.importorskip("skimage")
    _, found = evaluate(photos, "--method", "random-walker", "--prompt", prompt, "--only", "round", "-q")
    assert found[0]["failures"] == 0 and found[0]["mean_iou"] > (0.1 if prompt == "point" else 0.6)


def test_table_4_is_four_variants_of_the_preset():
    tasks = ablations.variants(["table4"], Task(preset="paper"))
    assert [(task.config.directions, task.config.adversarial) for task in tasks] == [
        ("I", False),
        ("O", False),
        ("IO", False),
        ("IO", True),
    ]
    assert tasks[3].config == Task(preset="paper").config


def test_every_table_is_made_of_parameters_there_are():
    for name in ablations.NAMES:
        tasks = ablations.variants([name], Task(encoder="a=b", painter="c"))
        assert len({task.variant for task in tasks}) == len(tasks) > 1


def test_the_embedded_painter_has_no_iterations_to_vary_and_an_unknown_one_is_named():
    with pytest.raises(InputError, match="the embedded painter has none"):
        ablations.variants(["table6c"], Task())
    with pytest.raises(InputError, match="there is no painter 'c'"):
        make_method(Task(painter="c"))
    with pytest.raises(InputError, match="one painter or PHI,PSI"):
        Task(painter="a,b,c")


def test_an_ablation_is_a_row_per_variant_and_set(photos):
    tiny = [word for side in ("size=64", "encoder_size=56", "photo_size=0") for word in ("--set", side)]
    words = ["--ablation", "table6a", *SMALL, *tiny]
    _, found = evaluate(photos, *words, "--limit", "1")
    assert [(one["variant"], one["set"]) for one in found] == [
        (f"k = {k}", name) for k in (2, 3, 4) for name in ("round", "oval")
    ]


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_the_gallery_shows_the_best_the_median_and_the_worst(values):
    blank = dict.fromkeys(("key", "method", "prompt", "preset", "variant"), "")
    rows = [
        Row(
            **blank,
            mosaic=1,
            noise=0,
            seed=0,
            dataset="set",
            stem=str(index),
            iou=iou,
            boundary_iou=0.0,
            pieces=1,
            seconds=0.0,
        )
        for index, iou in enumerate(values)
    ]
    ious = [row.iou for row in chosen(rows)]
    assert ious == sorted(ious, reverse=True) and len(ious) == min(9, len(values))
    assert {max(values), min(values)} <= set(ious)
    assert sorted(values)[len(values) // 2] in ious or sorted(values)[(len(values) - 1) // 2] in ious


BAD = {
    "no manifest": ["."],
    "unknown set": ["PHOTOS", "--only", "square"],
    "unknown prompt": ["PHOTOS", "--prompt", "wish"],
    "unknown method": ["PHOTOS", "--method", "magic"],
    "unknown preset": ["PHOTOS", "--preset", "finest"],
    "unknown parameter": ["PHOTOS", "--set", "stepz=3"],
    "unknown table": ["PHOTOS", "--ablation", "table9"],
    "ablation of a peer": ["PHOTOS", "--ablation", "table4", "--method", "box"],
    "noise beyond all": ["PHOTOS", "--noise", "150"],
    "noise in words": ["PHOTOS", "--noise", "much"],
    "nothing of a set": ["PHOTOS", "--only", "oval", "--prompt", "scribble", "-q"],
    "box of a point": ["PHOTOS", "--method", "box", "--prompt", "point"],
    "mosaic of nothing": ["PHOTOS", "--mosaic", "0"],
    "mosaic in words": ["PHOTOS", "--mosaic", "many"],
    "no clicks": ["PHOTOS", "--prompt", "clicks", "--clicks", "0"],
    "clicks that never stop": ["PHOTOS", "--prompt", "clicks", "--stop", "101"],
    "noise on clicks": ["PHOTOS", "--prompt", "clicks", "--noise", "15"],
    "box of clicks": ["PHOTOS", "--prompt", "clicks", "--method", "box"],
    "no limit": ["PHOTOS", "--limit", "0"],
    "no jobs": ["PHOTOS", "--jobs", "0"],
    "json nowhere": ["PHOTOS", "--json", "none/out.json"],
    "csv of another kind": ["PHOTOS", "--csv", "other.csv"],
    "gallery of another kind": ["PHOTOS", "--gallery", "gallery.doc"],
    "encoder without file": ["PHOTOS", "--encoder", "vit_small_patch8_224.dino"],
    "encoder of no file": ["PHOTOS", "--encoder", "vit_small_patch8_224.dino=none.safetensors", "-q"],
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_one_sentence_and_code_2(photos, name, tmp_path, capsys):
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    assert main([str(photos) if word == "PHOTOS" else word for word in BAD[name]]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[-1].startswith("paintseg: ") and len(said) == 1 + (name == "nothing of a set")


def test_a_manifest_that_cannot_be_read_says_where(tmp_path):
    (tmp_path / "manifest.csv").write_text("dataset,stem,image,x0\ngrabcut,a,a.jpg,many\n")
    with pytest.raises(InputError, match="line 2"):
        read_manifest(tmp_path)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**63 - 1))
def test_the_direction_of_the_noise_is_spread(seed):
    dx, dy = offset(make_instance((400, 400, 600, 500)), (1000, 1000), 30, seed)
    assert (dx, dy) != (0, 0)
