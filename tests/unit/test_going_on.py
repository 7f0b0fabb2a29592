"""The second run over a folder: what is right stays, what is of another prompt or photo is made again."""

import csv
import json
import os
import shutil
import time

import pytest

from paintseg.__main__ import main
from paintseg.cli.bench import made_up_photo
from paintseg.config import preset
from paintseg.errors import StorageError
from paintseg.io.formats import to_image
from paintseg.io.ledger import Ledger, stamps
from paintseg.io.listing import alike
from paintseg.io.photos import look_into
from paintseg.io.pictures import write_image
from paintseg.models import Models
from paintseg.tasks.batch import segment_all, worker

from .small_models import MeanColour, Surroundings, commands_share_models  # noqa: F401  (a fixture)

pytestmark = pytest.mark.usefixtures("commands_share_models")

SMALL = ["--preset", "fast", "--size", "64", "--set", "encoder_size=56", "--set", "photo_size=56", "--threads", "1"]
BOX, OTHER = "14 20 66 60", "20 26 60 54"
MODELS = Models(Surroundings(), MeanColour())
CONFIG = preset("fast", size=64, encoder_size=64, photo_size=32)
LONG = "\u4e2d" * 84  # 252 bytes: with .png it is too long, and so is whatever is put before it


@pytest.fixture
def work(tmp_path, monkeypatch):
    """Two photos, a list of their prompts, and the folder they lie in as the current one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for name, seed in (("a", 0), ("b", 1)):
        to_image(made_up_photo(80, 52, seed)[0]).save(tmp_path / "photos" / f"{name}.png")
    prompts(tmp_path, BOX, BOX)
    return tmp_path


def prompts(folder, *boxes):
    lines = [f"{name}.png,{box}" for name, box in zip("ab", boxes, strict=False)]
    (folder / "prompts.csv").write_text("\n".join(["photo,box", *lines]) + "\n")


def pieces_of(folder, target, **prompt):
    return alike(folder, target, look_into(folder).paths, **prompt)


def run(*arguments, photos="photos", listing="prompts.csv", masks="masks"):
    return main(["segment", str(photos), "--prompts", str(listing), "-o", str(masks), *SMALL, *arguments])


def made_again(folder, *arguments, **places):
    """Names of the masks that another run writes."""
    before = {path.name: path.stat().st_ino for path in (folder / "masks").glob("*.png")}
    assert run(*arguments, **places) == 0
    after = {path.name: path.stat().st_ino for path in sorted((folder / "masks").glob("*.png"))}
    return [name for name, number in after.items() if number != before.get(name)]


def test_a_changed_box_a_replaced_photo_and_a_lost_mask_are_made_again(work, capsys):
    assert run("-q") == 0
    assert made_again(work) == [] and "2 of 2 masks are there already" in capsys.readouterr().err
    prompts(work, BOX, OTHER)
    assert made_again(work) == ["b.png"]
    assert "1 masks are of another prompt or another photo" in capsys.readouterr().err
    to_image(made_up_photo(80, 52, 7)[0]).save(work / "photos" / "a.png")
    assert made_again(work) == ["a.png"]
    (work / "masks" / "b.png").unlink()
    assert made_again(work) == ["b.png"] and made_again(work) == []
    assert run("-q", masks="anew") == 0
    assert (work / "anew" / "a.png").read_bytes() == (work / "masks" / "a.png").read_bytes()


def test_other_names_of_the_same_things_and_a_moved_folder_cost_nothing(work, tmp_path_factory):
    assert run("-q") == 0
    assert made_again(work, photos=work / "photos", listing=work / "prompts.csv", masks=work / "masks") == []
    shutil.copyfile(work / "prompts.csv", work / "again.csv")
    assert made_again(work, photos="photos/../photos", listing="again.csv", masks="./masks") == []
    moved = tmp_path_factory.mktemp("moved")
    shutil.copytree(work, moved, dirs_exist_ok=True, copy_function=shutil.copyfile)  # with times of their own
    assert made_again(moved, photos=moved / "photos", listing=moved / "prompts.csv", masks=moved / "masks") == []


def test_a_mask_given_for_all_counts_by_what_is_in_it(work, capsys):
    coarse = to_image(made_up_photo(80, 52)[0].mean(0).gt(0.5).float())
    write_image(work / "coarse.png", coarse)
    words = ["segment", "photos", "-o", "masks", *SMALL, "-q", "--mask"]
    assert main([*words, "coarse.png"]) == 0
    (work / "coarse.png").rename(work / "moved.png")
    assert main([*words, str(work / "moved.png")]) == 0
    write_image(work / "moved.png", coarse.transpose(0))
    assert main([*words, "moved.png"]) == 2
    assert "made with other parameters or prompts" in capsys.readouterr().err


def test_a_stale_mask_of_a_photo_that_is_broken_now_does_not_stay(work):
    assert run("-q") == 0
    (work / "photos" / "a.png").write_bytes(b"no picture")
    assert run("-q") == 1
    assert [path.name for path in (work / "masks").glob("*.png")] == ["b.png"]


def test_pictures_that_no_run_made_are_not_written_over(work, capsys):
    (work / "masks").mkdir()
    (work / "masks" / "b.png").write_bytes(b"mine")
    for _ in range(2):
        assert run("-q") == 2
        assert "b.png is there and was not made by this command" in capsys.readouterr().err
    assert (work / "masks" / "b.png").read_bytes() == b"mine"


def test_what_an_interruption_cut_short_is_made_again_and_the_rest_is_not(work):
    assert run("-q") == 0
    path = work / "masks" / "made.jsonl"
    path.write_text(path.read_text()[:-20])
    assert made_again(work) == ["b.png"] and made_again(work) == []
    assert [json.loads(line)["output"] for line in path.read_text().splitlines() if line.endswith("}")][-1] == "b.png"


def test_going_on_reads_no_photo(work):
    """Three thousand photos of 4 GB each, which take no room: reading one would take longer than this test may."""
    folder, target = work / "many", work / "masks"
    for place in (folder, target):
        place.mkdir()
    for number in range(3000):
        (target / f"{number}.png").touch()
        with (folder / f"{number}.jpg").open("wb") as photo:
            photo.truncate(2**32)
    pieces, ledger = pieces_of(folder, target, box=(1, 2, 30, 40)), Ledger(target / "made.jsonl", target)
    for piece in pieces:
        found = os.stat(piece.photo)
        ledger.add(piece, {"photo": (found.st_size, found.st_mtime_ns, "0" * 64)})
    started = time.monotonic()
    again = Ledger(target / "made.jsonl", target)
    assert all(again.holds(piece) for piece in pieces)
    assert time.monotonic() - started < 60
    assert not any(ledger.holds(piece) for piece in pieces_of(folder, target, box=(1, 2, 30, 41)))


def test_a_worker_makes_a_stale_mask_again(work):
    piece = pieces_of(work / "photos", work / "masks", box=(14, 20, 66, 60))[0]
    (work / "masks").mkdir()
    write_image(work / "masks" / "a.png", to_image(made_up_photo(80, 52)[0][0]))
    plain = {
        "photo": piece.photo,
        "output": piece.output,
        "box": list(piece.box),
        "points": [],
        "negative_points": [],
        "scribble": None,
        "negative_scribble": None,
        "mask": None,
        "auto": False,
    }
    small = preset("fast", size=64, encoder_size=56, photo_size=56)
    done = worker(dict(vars(small)), 0, "cpu")(plain)
    assert not done["error"] and done["seconds"] > 0 and done["files"] == stamps(piece)


# What goes wrong with one piece


def outcomes(folder, target, **prompt):
    return {
        os.path.basename(one.photo): one
        for one in segment_all(pieces_of(folder, target, **(prompt or {"box": (14, 20, 66, 60)})), MODELS, CONFIG)
    }


@pytest.mark.skipif(os.name == "nt", reason="Windows counts letters")
def test_a_name_that_is_too_long_is_its_own_photo_s_failure(work):
    entries = [
        {"photo": "a.png", "box": [14, 20, 66, 60], "output": f"{LONG}.png"},
        {"photo": "b.png", "box": [14, 20, 66, 60], "output": f"{LONG[:80]}.png"},
    ]
    (work / "prompts.json").write_text(json.dumps(entries))
    assert run("-q", listing="prompts.json") == 1
    assert [path.name for path in (work / "masks").glob("*.png")] == [f"{LONG[:80]}.png"]
    with (work / "masks" / "failed.csv").open(newline="", encoding="utf-8") as opened:
        (failed,) = csv.DictReader(opened)
    assert failed["photo"].endswith("a.png") and "could not be written" in failed["error"]


def test_a_file_where_a_folder_must_be_is_its_own_photo_s_failure(work):
    (work / "photos" / "c").mkdir()
    shutil.copyfile(work / "photos" / "a.png", work / "photos" / "c" / "d.png")
    (work / "masks").mkdir()
    (work / "masks" / "c").write_bytes(b"")
    found = outcomes(work / "photos", work / "masks")
    assert "could not be written" in found["d.png"].error
    assert not found["a.png"].error and not found["b.png"].error


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        (MemoryError(), "out of memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate"), "out of memory"),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
        (ValueError("of two\nlines"), "ValueError: of two lines"),
    ],
    ids=["memory", "CUDA", "a mistake of ours", "two lines"],
)
def test_whatever_goes_wrong_with_a_photo_is_its_own_failure(work, problem, sentence):
    class Failing(MeanColour):
        calls = 0

        def encode(self, images):
            Failing.calls += 1
            if Failing.calls == 1:
                raise problem
            return super().encode(images)

    pieces = pieces_of(work / "photos", work / "masks", box=(14, 20, 66, 60))
    first, second = segment_all(pieces, Models(Surroundings(), Failing()), CONFIG)
    assert first.error.startswith(sentence) and not second.error


def test_a_photo_whose_file_is_gone_or_a_folder_is_its_own_failure(work):
    pieces = pieces_of(work / "photos", work / "masks", box=(14, 20, 66, 60))
    (work / "photos" / "a.png").unlink()
    (work / "photos" / "a.png").mkdir()
    first, second = segment_all(pieces, MODELS, CONFIG)
    assert "a.png" in first.error and not second.error


def test_a_full_disk_ends_the_run_since_no_photo_could_be_written(work, monkeypatch):
    def full(path, mask):
        raise StorageError("the disk is full") from OSError(28, "No space left on device")

    monkeypatch.setattr("paintseg.tasks.batch.write_mask", full)
    with pytest.raises(StorageError):
        outcomes(work / "photos", work / "masks")


# What editors and detectors write into lists


def test_a_list_takes_what_detectors_and_editors_write_and_says_what_it_makes_of_it(work, capsys):
    editor = [{"x": 0.5, "y": 0.5}, {"x": 0.02, "y": 0.02, "label": 0}]
    entries = [
        {"photo": "a.png", "box": {"x": 14, "y": 20, "width": 52, "height": 40}},
        {"photo": "a.png", "box": "{'x0': 14, 'y0': 20, 'x1': 66, 'y1': 60}", "output": "second.png"},
        {"photo": "b.png", "points": editor},
        {"photo": "b.png", "points": json.dumps([{"x": 0, "y": 0}]), "output": "nothing.png"},
    ]
    (work / "prompts.json").write_text(json.dumps(entries))
    assert run(listing="prompts.json") == 1
    said = capsys.readouterr().err
    assert "b.png: the points lie between 0 and 1" in said and "b.png: the prompt is empty" in said
    assert (work / "masks" / "a.png").read_bytes() == (work / "masks" / "second.png").read_bytes()
    assert sorted(path.name for path in (work / "masks").glob("*.png")) == ["a.png", "b.png", "second.png"]
