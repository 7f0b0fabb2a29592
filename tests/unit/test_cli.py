"""The command line: what it writes, what it refuses, and that it never leaves half a file."""

import json
import os
import signal
import subprocess
import sys
import zipfile
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from paintseg.__main__ import main
from paintseg.cli.bench import made_up_photo
from paintseg.cli.parameters import parse_options
from paintseg.cli.profiling import STAGES, StageClock
from paintseg.config import PRESETS, preset
from paintseg.errors import InputError
from paintseg.io.formats import to_image
from paintseg.io.masks import read_mask
from paintseg.io.reading import read_photo
from paintseg.layers.removal import remove
from paintseg.ops.morphology import dilate
from paintseg.segmentation import segment

from .small_models import commands_share_models, embedded  # noqa: F401  (a fixture)

pytestmark = pytest.mark.usefixtures("commands_share_models")

SMALL = ["--preset", "fast", "--size", "128", "--set", "encoder_size=168", "--set", "photo_size=168"]
CONFIG = preset("fast", size=128, encoder_size=168, photo_size=168)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def models():
    return embedded()


@pytest.fixture
def folder(tmp_path):
    """A folder with photo.png, 120 x 120, and `box`, the box of its object."""
    image, prompt = made_up_photo(120, 70)
    to_image(image).save(tmp_path / "photo.png")
    (tmp_path / "box").write_text(",".join(f"{edge:g}" for edge in prompt.box))
    return tmp_path


def command(folder, name, *arguments):
    """The arguments of a command on the folder's photo with its box."""
    return [name, str(folder / "photo.png"), "--box", (folder / "box").read_text(), *SMALL, *map(str, arguments)]


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_segment_writes_the_mask_the_library_finds(folder, models, capsys):
    assert main(command(folder, "segment", "-o", folder / "mask.png")) == 0
    image = read_photo(folder / "photo.png")
    prompt = made_up_photo(120, 70)[1]
    expected = segment(image, prompt, models.painter, models.encoder, CONFIG).mask
    assert (read_mask(folder / "mask.png") == expected).all()
    assert capsys.readouterr().out == f"{folder / 'mask.png'}\n"


def test_segment_writes_everything_it_is_asked_for(folder):
    names = ("mask.png", "soft.png", "plate.png", "cutout.png")
    arguments = [
        word
        for flag, name in zip(("-o", "--soft", "--plate", "--cutout"), names, strict=True)
        for word in (flag, folder / name)
    ]
    assert main(command(folder, "segment", *arguments)) == 0
    assert [Image.open(folder / name).mode for name in names] == ["L", "L", "RGB", "RGBA"]
    assert files(folder) == sorted(["photo.png", "box", *names])
    assert ((read_mask(folder / "soft.png") > 0.5) == (read_mask(folder / "mask.png") > 0.5)).all()


def test_without_names_the_mask_goes_beside_the_photo(folder):
    assert main(command(folder, "segment", "-q")) == 0
    assert files(folder) == ["box", "photo.png", "photo_mask.png"]


@pytest.mark.parametrize(
    "prompt",
    [
        ["--point", "60,60", "--negative", "3,3"],
        ["--scribble", "strokes.png", "--negative-scribble", "others.png"],
        ["--mask", "coarse.png"],
        ["--auto", "--box", "20,20,100,100"],
    ],
)
def test_every_kind_of_prompt_finds_the_object(folder, prompt):
    for name, rows in (("strokes.png", slice(55, 65)), ("others.png", slice(2, 6)), ("coarse.png", slice(35, 85))):
        drawn = np.zeros((120, 120), np.uint8)
        drawn[rows, 35:85] = 255
        Image.fromarray(drawn).save(folder / name)
    prompt = [str(folder / word) if word.endswith(".png") else word for word in prompt]
    assert main(["segment", str(folder / "photo.png"), *prompt, *SMALL, "-o", str(folder / "mask.png")]) == 0
    assert read_mask(folder / "mask.png")[60, 60] == 1


BAD = {
    "nothing points": ["segment", "photo.png"],
    "no such file": ["segment", "none.png", "--box", "1,1,9,9"],
    "a folder": ["segment", ".", "--box", "1,1,9,9"],
    "no picture": ["segment", "box", "--box", "1,1,9,9"],
    "three numbers": ["segment", "photo.png", "--box", "1,1,9"],
    "not a number": ["segment", "photo.png", "--box", "1,1,nan,9"],
    "two boxes and a point": ["segment", "photo.png", "--box", "1,1,9,9", "--box", "2,2,8,8", "--point", "5,5"],
    "candidates of a box": ["segment", "photo.png", "--box", "1,1,9,9", "--candidates"],
    "labels of one object": ["segment", "photo.png", "--box", "1,1,9,9", "--labels", "labels.png"],
    "labels as JPEG": ["segment", "photo.png", "--box", "1,1,9,9", "--box", "2,2,8,8", "--labels", "labels.jpg"],
    "two boxes for a folder": ["segment", ".", "--box", "1,1,9,9", "--box", "2,2,8,8"],
    "box outside": ["segment", "photo.png", "--box", "900,900,990,990"],
    "box upside down": ["segment", "photo.png", "--box", "90,90,10,10"],
    "point outside": ["segment", "photo.png", "--point", "121,5"],
    "mask without an object": ["segment", "photo.png", "--mask", "black.png"],
    "empty scribble": ["segment", "photo.png", "--scribble", "black.png"],
    "auto and mask": ["segment", "photo.png", "--auto", "--mask", "small.png"],
    "unknown preset": ["segment", "photo.png", "--box", "1,1,9,9", "--preset", "finest"],
    "unknown parameter": ["segment", "photo.png", "--box", "1,1,9,9", "--set", "stepz=4"],
    "parameter of another type": ["segment", "photo.png", "--box", "1,1,9,9", "--set", "steps=many"],
    "parameter without value": ["segment", "photo.png", "--box", "1,1,9,9", "--set", "steps"],
    "negative seed": ["segment", "photo.png", "--box", "1,1,9,9", "--seed", "-1"],
    "no threads": ["segment", "photo.png", "--box", "1,1,9,9", "--threads", "0"],
    "more threads than torch can count": ["segment", "photo.png", "--box", "1,1,9,9", "--threads", str(2**40)],
    "no such device": ["segment", "photo.png", "--box", "1,1,9,9", "--device", "abacus"],
    "no such folder": ["segment", "photo.png", "--box", "1,1,9,9", "-o", "none/mask.png"],
    "mask as JPEG": ["segment", "photo.png", "--box", "1,1,9,9", "-o", "mask.jpg"],
    "cut-out as JPEG": ["segment", "photo.png", "--box", "1,1,9,9", "--cutout", "cut.jpg"],
    "over the photo": ["segment", "photo.png", "--box", "1,1,9,9", "-o", "photo.png"],
    "one name twice": ["segment", "photo.png", "--box", "1,1,9,9", "-o", "a.png", "--soft", "a.png"],
    "exact without mask": ["remove", "photo.png", "--box", "1,1,9,9", "--exact"],
    "exact of another size": ["remove", "photo.png", "--mask", "small.png", "--exact"],
    "more paintings than anybody looks at": ["remove", "photo.png", "--box", "1,1,9,9", "--candidates", "33"],
    "the same behind every layer": ["layers", "photo.png", "--box", "1,1,9,9", "--candidates", "1000000"],
    "more objects than a photo has": ["layers", "photo.png", "--auto", "--most", "33"],
    "a hole larger than any photo": ["remove", "photo.png", "--box", "1,1,9,9", "--grow", str(2**40)],
    "layers as JPEG": ["layers", "photo.png", "--box", "1,1,9,9", "-o", "layers.jpg"],
    "layers into nowhere": ["layers", "photo.png", "--box", "1,1,9,9", "-o", "none/layers.ora"],
    "layers of nothing": ["layers", "photo.png", "--auto", "--most", "0"],
    "bench too large": ["bench", "--size", "99999"],
    "bench photo without box": ["bench", "--photo", "photo.png"],
    "no command": [],
    "unknown command": ["fly"],
    "unknown argument": ["segment", "photo.png", "--box", "1,1,9,9", "--colour", "red"],
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_one_sentence_and_leaves_nothing(folder, name, capsys, monkeypatch):
    Image.new("L", (9, 9), 255).save(folder / "small.png")
    Image.new("L", (120, 120)).save(folder / "black.png")
    before = files(folder)
    monkeypatch.chdir(folder)
    assert main(BAD[name]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("paintseg: ") and captured.err.count("\n") == 1 and not captured.out
    assert files(folder) == before


def test_a_mask_of_another_size_is_scaled(folder):
    for size in (120, 60):
        drawn = np.zeros((size, size), np.uint8)
        drawn[size * 35 // 120 : size * 85 // 120, size * 35 // 120 : size * 85 // 120] = 255
        Image.fromarray(drawn).save(folder / "coarse.png")
        words = ["--mask", folder / "coarse.png", *SMALL, "-o", folder / f"{size}.png"]
        assert main(["segment", str(folder / "photo.png"), *map(str, words)]) == 0
    large, small = (read_mask(folder / f"{size}.png") > 0.5 for size in (120, 60))
    assert (large & small).sum() / (large | small).sum() > 0.9


def test_several_boxes_give_a_mask_each_that_do_not_overlap_and_a_label_map(folder):
    boxes = ["--box", "5,5,60,115", "--box", "50,5,115,115"]
    words = [*boxes, *SMALL, "-o", folder / "mask.png", "--labels", folder / "labels.png"]
    assert main(["segment", str(folder / "photo.png"), *map(str, words)]) == 0
    assert files(folder) == ["box", "labels.png", "mask_1.png", "mask_2.png", "photo.png"]
    first, second = (read_mask(folder / f"mask_{number}.png") > 0.5 for number in (1, 2))
    labels = np.asarray(Image.open(folder / "labels.png"))
    assert not (first & second).any()
    np.testing.assert_array_equal(labels, first.numpy() * 1 + second.numpy() * 2)


def test_candidates_of_a_point_are_files_beside_the_best(folder):
    words = ["--point", "60,60", "--candidates", *SMALL, "-o", folder / "mask.png", "--plate", folder / "plate.png"]
    assert main(["segment", str(folder / "photo.png"), *map(str, words)]) == 0
    written = [name for name in files(folder) if name.startswith("mask")]
    assert written == ["mask.png", "mask_2.png", "mask_3.png"][: len(written)] and written
    assert "plate.png" in files(folder)
    masks = [read_mask(folder / name) > 0.5 for name in written]
    assert all(mask[60, 60] for mask in masks)
    assert len({mask.numpy().tobytes() for mask in masks}) == len(masks)


def _hear_ctrl_c():
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # shells make their background jobs deaf to it


def test_an_interrupt_ends_with_130_and_leaves_nothing(folder):
    words = [sys.executable, "-m", "paintseg", *command(folder, "segment", "--set", "steps=999")]
    hear = None if os.name == "nt" else _hear_ctrl_c
    with subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, text=True, preexec_fn=hear) as process:
        while "step 1" not in process.stderr.readline():
            pass
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 130 and rest.splitlines()[-1] == "paintseg: interrupted"
    assert files(folder) == ["box", "photo.png"]


def test_remove_changes_nothing_beyond_the_object(folder, models):
    Image.fromarray(np.pad(np.full((40, 50), 255, np.uint8), ((40, 40), (35, 35)))).save(folder / "exact.png")
    arguments = ["--mask", folder / "exact.png", "--exact", "-o", folder / "plate.png", "--grow", "4"]
    assert main(["remove", str(folder / "photo.png"), *map(str, arguments)]) == 0
    photo, plate = read_photo(folder / "photo.png"), read_photo(folder / "plate.png")
    mask = read_mask(folder / "exact.png")
    near = dilate(mask[None, None], 4)[0, 0] > 0
    assert torch.equal(photo[:, ~near], plate[:, ~near])
    assert torch.allclose(remove(photo, mask, models.painter, grow=4), plate, atol=1 / 255)


def test_remove_takes_several_boxes_for_several_objects(folder):
    assert main(["remove", str(folder / "photo.png"), "--box", "10,10,40,40", "--box", "80,80,110,110", *SMALL]) == 0
    changed = (read_photo(folder / "photo_plate.png") != read_photo(folder / "photo.png")).any(0)
    assert changed[:60, :60].any() and changed[60:, 60:].any()


def test_layers_are_the_objects_front_to_back_and_what_is_behind_them(folder):
    assert main(command(folder, "layers", "--box", "0,0,30,30", "-o", folder / "apart")) == 0
    named = json.loads((folder / "apart" / "layers.json").read_text())["front_to_back"]
    assert [layer["name"] for layer in named] == ["object 1", "object 2", "background"]
    front, plate = (Image.open(folder / "apart" / named[index]["file"]) for index in (0, 2))
    photo, (width, height) = read_photo(folder / "photo.png"), front.size
    assert (height, width) == tuple(photo.shape[1:]) == plate.size[::-1]
    alpha = np.asarray(front)[..., 3]
    assert (np.asarray(front)[alpha == 255][:, :3] == np.asarray(to_image(photo))[alpha == 255]).all()
    assert (np.asarray(plate)[60, 60, :3] != np.asarray(to_image(photo))[60, 60]).any()


def test_layers_found_by_themselves_go_into_an_openraster_file(folder):
    assert main(["layers", str(folder / "photo.png"), "--auto", "--most", "1", *SMALL]) == 0
    assert zipfile.ZipFile(folder / "photo.ora").read("mimetype") == b"image/openraster"


def test_bench_tells_where_the_time_goes(tmp_path, capsys):
    arguments = ["bench", "--size", "128", "--preset", "fast", "--repeat", "1", "--json", str(tmp_path / "out.json")]
    assert main([*arguments, *SMALL[2:]]) == 0
    found = json.loads((tmp_path / "out.json").read_text())
    assert tuple(found["stages"]) == STAGES and all(seconds >= 0 for seconds in found["stages"].values())
    assert sum(found["stages"].values()) == pytest.approx(found["seconds"], abs=1e-3)
    assert found["stages"]["paint"] > 0 and found["stages"]["encode"] > 0 and found["peak_memory_mb"] > 0
    assert found["calls"]["paint"] == PRESETS["fast"].steps
    assert "paint" in capsys.readouterr().out


def test_bench_of_several_presets_and_sizes_is_a_list(tmp_path):
    words = [
        "bench",
        "--size",
        "96,128",
        "--preset",
        "fast,balanced",
        "--repeat",
        "1",
        "--json",
        str(tmp_path / "out.json"),
        "-q",
    ]
    small = ["steps=1", "paintings=1", "size=64", "encoder_size=56", "photo_size=0"]
    assert main([*words, *(word for text in small for word in ("--set", text))]) == 0
    found = json.loads((tmp_path / "out.json").read_text())
    assert [(one["photo"], one["preset"]) for one in found] == [
        ([size, size], name) for size in (96, 128) for name in ("fast", "balanced")
    ]


def test_the_stage_clock_books_a_painter_s_own_morphology_on_the_painter(models):
    image, hole = torch.rand(3, 128, 128), torch.zeros(1, 128, 128)
    hole[:, 40:80, 40:80] = 1
    with StageClock() as clock:
        models.painter.paint(image, hole, 2, torch.Generator().manual_seed(0))
        dilate(hole[None], 3)
    assert clock.calls == {"paint": 1, "encode": 0, "crf": 0, "cluster": 0, "morphology": 1}


def test_the_stage_clock_asks_a_device_for_the_memory_of_every_stage(models):
    told = iter(range(100))
    with StageClock(device_memory=lambda: float(next(told))) as clock:
        dilate(torch.zeros(1, 1, 9, 9), 3)
    assert clock.device_mb == {"other": 2.0, "morphology": 1.0}


def test_the_stage_clock_stops_when_its_work_fails():
    with pytest.raises(InputError), StageClock() as clock:
        dilate(torch.zeros(3), -1)
    assert sys.getprofile() is None and clock.calls["morphology"] == 1


@pytest.mark.parametrize("kind", PRESETS)
def test_every_parameter_can_be_set_to_what_it_is(kind):
    for name, value in vars(PRESETS[kind]).items():
        text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        assert parse_options([f"{name}={text}"]) == {name: value}


@settings(deadline=None)
@given(st.text(max_size=30))
def test_parameters_are_understood_or_refused(text):
    try:
        assert set(parse_options([text])) <= {field.name for field in fields(CONFIG)}
    except InputError as error:
        assert str(error)


def test_help_is_there_for_every_command(capsys):
    for words in (["segment"], ["remove"], ["layers"], ["bench"]):
        with pytest.raises(SystemExit) as ended:
            main([*words, "--help"])
        assert not ended.value.code and f"usage: python -m paintseg {words[0]}" in capsys.readouterr().out
    command = [sys.executable, "-m", "paintseg", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and "usage: python -m paintseg" in done.stdout
