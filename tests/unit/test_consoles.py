"""Consoles of any encoding: no name of a file, and no letter of a translation, ends a run."""

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from harness import commands
from PIL import Image

from paintseg.__main__ import main
from paintseg.cli.bench import made_up_photo
from paintseg.eval.__main__ import main as evaluation
from paintseg.io.formats import to_image

ROOT = Path(__file__).resolve().parents[2]
SMALL = ["--preset", "fast", "--size", "64", "--set", "encoder_size=56", "--set", "photo_size=56", "--threads", "1"]
BOX = ["--box", "14,20,66,60"]
NAME = "\u0416\u4e2d"
SPELLED = rb"\u0416\u4e2d"


def printed(run):
    """Run with standard output and error as a console of cp1252 has them; the code and what came out, in bytes."""
    out, error = (io.TextIOWrapper(io.BytesIO(), encoding="cp1252", write_through=True) for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        return run(), out.buffer.getvalue()


@pytest.fixture
def photo(tmp_path):
    (tmp_path / NAME).mkdir()
    path = tmp_path / NAME / f"{NAME}.png"
    to_image(made_up_photo(80, 52)[0]).save(path)
    return path


@pytest.mark.parametrize(
    "words", [["segment"], ["segment", "--candidates"], ["remove"], ["layers"], ["folder"]], ids=" ".join
)
def test_a_command_prints_names_that_the_console_cannot(photo, tmp_path, words):
    command, *more = words
    if command == "folder":
        words = ["segment", str(photo.parent), *BOX, "-o", str(tmp_path / "masks")]
    else:
        words = [command, str(photo), *more, *(["--point", "40,40"] if more else BOX)]
    code, out = printed(lambda: main([*words, *SMALL]))
    assert code == 0 and SPELLED in out


def test_the_evaluation_prints_sets_that_the_console_cannot(photo, tmp_path):
    for kind in ("images", "masks"):
        (tmp_path / NAME / kind).mkdir()
    Image.open(photo).save(tmp_path / NAME / "images" / "a.png")
    Image.new("L", (80, 80), 255).save(tmp_path / NAME / "masks" / "a.png")
    names = "dataset,stem,image,x0,y0,x1,y1,centroid_x,centroid_y,inner_x,inner_y"
    (tmp_path / "manifest.csv").write_text(f"{names}\n{NAME},a,a.png,0,0,80,80,40,40,40,40\n", encoding="utf-8")
    csv = tmp_path / "rows.csv"
    code, out = printed(lambda: evaluation([str(tmp_path), "--method", "box", "--csv", str(csv), "--threads", "1"]))
    assert code == 0 and SPELLED in out


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_a_name_that_is_no_text_is_printed_as_the_bytes_it_has(photo, tmp_path):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9\xff.png")
    try:
        photo.rename(path)
    except OSError:
        pytest.skip("this file system takes text only")
    code, out = printed(lambda: main(["segment", path, *BOX, *SMALL, "-q"]))
    assert code == 0 and out.strip() == os.fsencode(tmp_path) + b"/caf\xe9\xff_mask.png"


def test_a_help_text_and_a_refusal_are_printed_in_a_process_of_its_own(tmp_path):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-m", "paintseg", "segment", f"{NAME}.png", *BOX, "-o", f"{NAME}.png"]
    refused = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True)
    assert refused.returncode == 2 and b"Traceback" not in refused.stderr and SPELLED in refused.stderr


def test_the_scripts_print_translations_that_the_console_cannot(monkeypatch):
    monkeypatch.setattr(commands, "_on_end_signals", lambda handler: None)  # pytest's own are to stay
    assert printed(lambda: commands.guarded(lambda: print(NAME))) == (0, SPELLED + b"\n")
