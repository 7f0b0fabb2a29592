"""`python -m paintseg` on a real photo of 16 pixels: it writes what it names, or says why not and writes nothing.

The models are small ones and the presets' views too; everything else is what a user runs.
"""

import io
import shutil
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from paintseg import config, models
from paintseg.__main__ import main
from paintseg.errors import InputError
from paintseg.io.formats import to_image

from .inputs import fill, mostly
from .tally import attempt, fuzzed_slowly
from .tiny import Blur, Colours

SIDE = 16


@pytest.fixture(autouse=True, scope="module")
def _small_models():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "load_models", lambda *_, **__: models.Models(Blur(), Colours()))
        for name, own in config.PRESETS.items():
            small = replace(own, size=64, encoder_size=32, photo_size=0, steps=1, paintings=1)
            patch.setitem(config.PRESETS, name, small)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The working folder, with a photo, strokes, a mask and a file that is no picture."""
    folder = tmp_path_factory.mktemp("commands") / "here"
    folder.mkdir()
    to_image(fill((3, SIDE, SIDE), "noise", 0, torch.float32)).save(folder / "photo.png")
    to_image(fill((3, SIDE, SIDE), "noise", 1, torch.float32)).save(folder / "other.jpg")
    to_image(fill((SIDE, SIDE), "block", 12, torch.float32)).save(folder / "mask.png")
    Image.new("L", (SIDE, SIDE)).save(folder / "empty.png")
    (folder / "notes.txt").write_text("no picture", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder


def listing(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# Never above the working folder: what is named there would be written.
words = st.text(st.characters(exclude_characters="/\\\0"), max_size=8).filter(
    lambda word: ".." not in word and not word.startswith(("-h", "--h"))
)
few = st.integers(-1, SIDE + 1)
numbers = st.one_of(few.map(str), words, st.sampled_from(["nan", "inf", "1e9"]))
inside = st.integers(0, SIDE - 1)
points = mostly(st.builds("{},{}".format, inside, inside), st.builds("{},{}".format, numbers, numbers))
boxes = mostly(
    st.tuples(st.integers(0, 7), st.integers(0, 7), st.integers(9, SIDE), st.integers(9, SIDE)),
    st.lists(numbers, max_size=5),
).map(lambda box: ",".join(map(str, box)))
pictures = mostly(st.just("mask.png"), st.sampled_from(["empty.png", "notes.txt", "photo.png", "none.png", "."]), 4)
targets = mostly(
    st.builds("{}{}".format, st.sampled_from(["new", "a b", "\u00fc"]), st.sampled_from([".png", ".tif", ".webp"])),
    st.one_of(words, st.sampled_from(["new.jpg", "new.gif", "photo.png", "notes.txt/x.png", "no/x.png", "."])),
    5,
)
counts = mostly(st.sampled_from(["1", "2"]), st.one_of(st.sampled_from(["0", "-1", "1.5", ""]), words), 5)
settings = mostly(
    st.sampled_from(["steps=2", "finish=none", "contexts=view", "directions=O", "l_color=0.2", "start=whole"]),
    st.one_of(st.sampled_from(["steps=0", "size=9", "view=3", "="]), words),
    5,
)
POINTING = {"--box": boxes, "--point": points, "--scribble": pictures, "--mask": pictures, "--auto": None}
HOW = {
    "--negative": points,
    "--negative-scribble": pictures,
    "--preset": mostly(st.sampled_from(sorted(config.PRESETS)), words),
    "--set": settings,
    "--size": mostly(st.just("64"), st.one_of(st.sampled_from(["0", "-64", "x"]), words), 5),
    "--seed": mostly(st.integers(0, 2**62).map(str), st.one_of(st.integers().map(str), words), 5),
    "--threads": mostly(st.just("1"), st.sampled_from(["0", "-2", "many", str(2**31), str(10**30)]), 5),
    "--half": None,
    "-q": None,
}
OWN = {
    "segment": {"-o": targets, "--soft": targets, "--plate": targets, "--cutout": targets, "--candidates": counts,
                "--labels": targets},
    "remove": {"-o": targets, "--exact": None, "--candidates": counts, "--grow": counts, "--shadow": None},
    "layers": {"-o": mostly(st.sampled_from(["new.ora", "new"]), targets, 4), "--most": counts, "--shadow": None,
               "--candidates": counts},
}  # fmt: skip


@st.composite
def arguments(draw):
    """A command with a photo, something that points at an object, and some of its other options."""
    command = draw(mostly(st.sampled_from(["segment", "segment", "remove", "layers"]), words, 20))
    photo = draw(mostly(st.just("photo.png"), st.sampled_from(["none.png", "notes.txt", ".", ""]), 10))
    options = HOW | OWN.get(command, {})
    flags = [draw(st.sampled_from(["--box", "--box", "--point", *POINTING]))]
    flags += draw(st.lists(st.sampled_from(sorted(options)), max_size=3, unique=True))
    flags += draw(mostly(st.just([]), st.lists(st.sampled_from([*POINTING, *OWN["remove"], "--fly"]), max_size=2), 8))
    line = [command, photo]
    for flag in flags:
        values = {**options, **POINTING}.get(flag, words)
        line += [flag] if values is None else [flag, draw(values)]
    return line


@fuzzed_slowly
@given(arguments())
def test_commands(folder, line):
    before, said, printed = listing(folder), io.StringIO(), io.StringIO()
    with attempt("python -m paintseg"):
        try:
            with redirect_stderr(said), redirect_stdout(printed):
                code = main(line)
            after = listing(folder)
            assert code in (0, 2) and all(after.get(path) == content for path, content in before.items())
            if code:
                assert after == before and not [path for path in folder.iterdir() if path.is_dir()]
                raise InputError(said.getvalue().strip().splitlines()[-1])
            named = {Path(name).resolve() for name in printed.getvalue().splitlines()}
            new = {path.resolve() for path in set(after) - set(before)}
            assert named and named <= new and {path.name for path in new - named} <= {"layers.json"}
        finally:
            torch.set_num_threads(1)
            for path in set(folder.iterdir()) - set(before):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            for path, content in before.items():
                if path.read_bytes() != content:
                    path.write_bytes(content)
