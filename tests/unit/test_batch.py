"""Many photos: every one gets its mask, a stop costs nothing that was done, and the memory does not grow."""

import csv
import gc
import json
import threading
import time
import weakref

import numpy as np
import pytest
import torch
from PIL import Image

from paintseg.__main__ import main
from paintseg.cli.bench import made_up_photo
from paintseg.config import preset
from paintseg.errors import InputError
from paintseg.io.formats import to_image
from paintseg.io.listing import alike, read_pieces
from paintseg.io.masks import read_mask
from paintseg.io.photos import look_into
from paintseg.models import Models
from paintseg.tasks.batch import AHEAD, ahead, segment_all

from .small_models import MeanColour, Surroundings, commands_share_models  # noqa: F401  (a fixture)

pytestmark = pytest.mark.usefixtures("commands_share_models")

SMALL = ["--preset", "fast", "--size", "64", "--set", "encoder_size=56", "--set", "photo_size=56", "--threads", "1"]
BOX = "14,20,66,60"
SMALL_MODELS = Models(Surroundings(), MeanColour())
CONFIG = preset("fast", size=64, encoder_size=64, photo_size=32)


@pytest.fixture
def photos(tmp_path):
    """Three photos, 80 x 80, one of them in a folder of its own."""
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    for number, name in enumerate(("a.png", "b.jpg", "more/a.png")):
        to_image(made_up_photo(80, 52, number)[0]).save(folder / name)
    return folder


def many(photos, *arguments):
    return main(["segment", str(photos), "-o", str(photos.parent / "masks"), *SMALL, "-q", *map(str, arguments)])


def masks(photos):
    folder = photos.parent / "masks"
    return {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*.png"))}


def test_every_photo_of_a_folder_gets_the_mask_it_gets_alone(photos, tmp_path):
    assert many(photos, "--box", BOX) == 0
    assert list(masks(photos)) == ["a.png", "b.png", "more/a.png"]
    for name, photo in (("a.png", "a.png"), ("b.png", "b.jpg")):
        assert main(["segment", str(photos / photo), "--box", BOX, *SMALL, "-q", "-o", str(tmp_path / "one.png")]) == 0
        assert torch.equal(read_mask(tmp_path / "one.png"), read_mask(masks(photos)[name]))


def test_a_second_run_makes_what_is_missing_and_nothing_else(photos):
    assert many(photos, "--box", BOX) == 0
    first = masks(photos)
    before = {name: path.stat().st_mtime_ns for name, path in first.items()}
    whole = first["b.png"].read_bytes()
    first["b.png"].unlink()
    assert many(photos, "--box", BOX) == 0
    after = {name: path.stat().st_mtime_ns for name, path in masks(photos).items()}
    assert [name for name in after if after[name] == before[name]] == ["a.png", "more/a.png"]
    assert masks(photos)["b.png"].read_bytes() == whole


def test_a_photo_that_cannot_be_read_costs_only_its_own_mask(photos, capsys):
    (photos / "b.jpg").write_bytes(b"no picture")
    assert many(photos, "--box", BOX) == 1
    assert list(masks(photos)) == ["a.png", "more/a.png"]
    with (photos.parent / "masks" / "failed.csv").open(newline="") as opened:
        (failed,) = csv.DictReader(opened)
    assert failed["photo"].endswith("b.jpg") and "cannot be read as a picture" in failed["error"]
    assert "1 of 3 photos have no mask" in capsys.readouterr().err
    to_image(made_up_photo(80, 52)[0]).save(photos / "b.jpg")
    assert many(photos, "--box", BOX) == 0
    assert not (photos.parent / "masks" / "failed.csv").exists()


def test_other_parameters_need_another_folder(photos, capsys):
    assert many(photos, "--box", BOX) == 0
    assert many(photos, "--box", BOX, "--seed", 1) == 2
    assert "made with other parameters" in capsys.readouterr().err


def test_a_list_of_prompts_says_what_to_find_in_every_photo(photos):
    Image.fromarray(np.pad(np.full((20, 20), 255, np.uint8), 30)).save(photos.parent / "coarse.png")
    entries = [
        {"photo": "a.png", "box": [14, 20, 66, 60]},
        {"photo": "a.png", "points": [[40, 40]], "negative_points": [[3, 3]], "output": "second/a.png"},
        {"photo": "b.jpg", "mask": "../coarse.png"},
    ]
    listing = photos.parent / "prompts.json"
    listing.write_text(json.dumps(entries))
    assert many(photos, "--prompts", listing) == 0
    assert list(masks(photos)) == ["a.png", "b.png", "second/a.png"]
    assert all(read_mask(path)[40, 40] == 1 for path in masks(photos).values())


def test_json_lines_and_csv_say_the_same_as_json(tmp_path):
    entries = [
        {"photo": "x/a.png", "box": [1, 2, 30.5, 40]},
        {"photo": "b.png", "points": [[5, 6], [7, 8]]},
        {"photo": "c.png", "auto": True, "output": "deep/c.png"},
    ]
    (tmp_path / "p.json").write_text(json.dumps(entries))
    (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, entries)))
    (tmp_path / "p.csv").write_text(
        "photo,box,points,auto,output\nx/a.png,1 2 30.5 40,,,\nb.png,,5 6 7 8,,\nc.png,,,true,deep/c.png\n"
    )
    found = [read_pieces(tmp_path / name, tmp_path, tmp_path / "out") for name in ("p.json", "p.jsonl", "p.csv")]
    assert found[0] == found[1] == found[2]
    assert [piece.output for piece in found[0]] == [
        str(tmp_path / "out" / name) for name in ("x/a.png", "b.png", "deep/c.png")
    ]


BAD = {
    "no JSON": ("p.json", "[{", "no JSON"),
    "nothing listed": ("p.json", "[]", "list no photo"),
    "no photo": ("p.json", '[{"box": [1, 2, 3, 4]}]', "entry 1 .* names no photo"),
    "no prompt": ("p.json", '[{"photo": "a.png"}]', "nothing that points at an object"),
    "three numbers": ("p.json", '[{"photo": "a.png", "box": [1, 2, 3]}]', "not 3 numbers"),
    "odd points": ("p.csv", "photo,points\na.png,1 2 3\n", "must be pairs"),
    "no number": ("p.csv", "photo,box\na.png,1 2 3 x\n", "must be numbers"),
    "unknown": ("p.json", '[{"photo": "a.png", "boxes": [1]}]', "has 'boxes'"),
    "outside": ("p.json", '[{"photo": "a.png", "auto": true, "output": "../a.png"}]', "below the folder for masks"),
    "a photo outside": ("p.json", '[{"photo": "../a.png", "auto": true}]', "below the folder for masks"),
    "no name of a photo": ("p.json", '[{"photo": ".", "auto": true}]', "the photo of entry 1 .* is no name of a file"),
    "an output that is a number": (
        "p.json",
        '[{"photo": "a.png", "auto": true}, {"photo": "b.png", "auto": true, "output": 7}]',
        "the output of entry 2 .* must be the name of a file, not '7'",
    ),
    "a mask that is a list": ("p.json", '[{"photo": "a.png", "mask": [1]}]', "the mask of entry 1 .* not '\\[1\\]'"),
    "a NUL": ("p.json", '[{"photo": "a.png", "auto": true, "output": "a\\u0000.png"}]', "the output of entry 1"),
    "half a character": ("p.json", '[{"photo": "\\ud800.png", "auto": true}]', "the photo of entry 1 .* is no name"),
    "columns without a name": ("p.csv", "photo,auto\na.png,1\nb.png,1,2,3\n", "entry 2 .* has more columns"),
    "unknown and nameless columns": ("p.csv", "photo,other\na.png,1,2\n", "entry 1 .* has more columns"),
    "a field without end": ("p.csv", f"photo,auto\n{'a' * 140000},1\n", "is no CSV: field larger"),
    "twice": ("p.csv", "photo,auto\na.png,1\na.jpg,1\n", "would both be"),
}


@pytest.mark.parametrize(("name", "text", "sentence"), BAD.values(), ids=BAD)
def test_a_list_that_says_nothing_clear_is_refused(tmp_path, name, text, sentence):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=sentence):
        read_pieces(tmp_path / name, tmp_path, tmp_path / "out")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--box", BOX, "--soft", "soft.png"], "only masks are written"),
        ([], "nothing points at the object"),
        (["--box", BOX, "--jobs", "2"], "--engine ray"),
        (["--auto", "--negative", "3,3"], "add --box"),
    ],
)
def test_what_makes_no_sense_for_a_folder_is_refused_before_any_work(photos, capsys, arguments, sentence):
    assert many(photos, *arguments) == 2
    assert sentence in capsys.readouterr().err
    assert not masks(photos)


def test_masks_do_not_go_among_the_photos_and_a_folder_without_photos_is_named(photos, tmp_path, capsys):
    assert main(["segment", str(photos), "--box", BOX, "-o", str(photos / "masks"), *SMALL]) == 2
    assert "must not be in the folder of photos" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no pictures"):
        look_into(tmp_path / "empty")


def test_two_photos_of_one_name_are_not_laid_over_each_other(photos):
    to_image(made_up_photo(80, 52)[0]).save(photos / "a.webp")
    target = photos.parent / "masks"
    assert [piece.output for piece in alike(photos, target, look_into(photos).paths, auto=True)] == [
        str(target / name) for name in ("a.png.png", "a.webp.png", "b.png", "more/a.png")
    ]


def test_pieces_hold_plain_numbers_whatever_was_given(photos):
    box, points = torch.tensor([[14, 20, 66, 60]]), np.array([[30, 40]])
    piece = alike(photos, photos.parent, look_into(photos).paths, box=box, points=points)[0]
    assert json.loads(json.dumps([piece.box, piece.points])) == [[14, 20, 66, 60], [[30, 40]]]


def test_of_ten_frames_only_those_read_ahead_are_held(tmp_path, monkeypatch):
    for number in range(10):
        to_image(made_up_photo(48, 30, number)[0]).save(tmp_path / f"{number:02}.png")
    alive, most = weakref.WeakSet(), []

    def watched(path):
        image = torch.from_numpy(np.asarray(Image.open(path).convert("RGB"), dtype=np.float32) / 255).movedim(-1, 0)
        alive.add(image)
        gc.collect()
        most.append(len(alive))
        return image

    monkeypatch.setattr("paintseg.tasks.batch.read_photo", watched)
    pieces = alike(tmp_path, tmp_path / "masks", look_into(tmp_path).paths, box=(8.0, 10.0, 40.0, 38.0))
    assert all(not outcome.error for outcome in segment_all(pieces, SMALL_MODELS, CONFIG))
    assert len(most) == 10
    assert max(most) <= AHEAD + 3  # one in hand, one handed over, one just read


def test_reading_ahead_keeps_order_bounds_and_errors():
    begun = []
    results = ahead(range(9), lambda item: begun.append(item) or item * 10, 2)
    assert next(results) == 0
    time.sleep(0.3)
    assert len(begun) <= 4
    assert list(results) == [10 * item for item in range(1, 9)]
    before = threading.active_count()
    stopped = ahead(range(9), lambda item: item, 2)
    next(stopped)
    stopped.close()
    assert threading.active_count() <= before
    with pytest.raises(ZeroDivisionError):
        list(ahead([1, 0], lambda item: 1 / item, 2))
