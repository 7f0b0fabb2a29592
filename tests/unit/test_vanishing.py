"""An object of which a step leaves nothing: the last good mask is kept, and whoever asked is told so."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from harness.inprocess import load_pack

from paintseg.__main__ import main
from paintseg.config import preset
from paintseg.errors import InputError
from paintseg.io.formats import to_image
from paintseg.io.listing import Piece
from paintseg.io.masks import read_mask
from paintseg.layers.amodal import amodal, peel
from paintseg.models import Models
from paintseg.ops.morphology import erode
from paintseg.prompts import box_prompt, mask_prompt
from paintseg.segmentation import segment
from paintseg.tasks.batch import Outcome, segment_all
from paintseg.tasks.several import segment_each
from paintseg.tasks.video import follow

from .small_models import Paints, disc_photo

SIZE = (96, 128)
PHOTO, DISC = disc_photo(SIZE)
BOX = box_prompt((40, 24, 88, 72), SIZE)
SENTENCE = "step 1: nothing of the object was left; the last mask is kept"
CHANGES = {
    "size": 128, "encoder_size": 128, "steps": 1, "paintings": 1, "directions": "I", "l_color": 0.0, "l_prompt": 0.0,
    "inner_ring": 0, "outer_ring": 0, "kernel": 1, "valid_rate": 2.0, "hole_grow": 16,
}  # fmt: skip
CONFIG = preset("paper", **CHANGES)


class Pixels:
    """Every pixel is its own feature."""

    name, stride, size = "pixels", 1, 128

    def encode(self, images):
        return images.float()


def rim(image, hole, count):
    """Changes the hole's rim alone, 4 px as `hole_grow` is at 128 px: in the object nothing differs."""
    return torch.where(erode(hole[None] > 0.5, 4)[0], image, 1 - image).expand(count, -1, -1, -1)


PAINTER, ENCODER = Paints(rim), Pixels()
METHOD = (PAINTER, ENCODER, CONFIG)


def test_segmenting_one_object_or_several_keeps_the_mask_and_notes_it():
    found = segment(PHOTO, BOX, *METHOD)
    assert torch.equal(found.mask, BOX.start_region()) and found.note == SENTENCE
    assert [result.note for result in segment_each(PHOTO, [BOX, BOX], *METHOD).results] == [SENTENCE] * 2


def test_frames_of_a_video_say_so_with_their_number():
    notes = [frame.note for frame in follow([PHOTO, PHOTO], BOX, *METHOD)]
    assert notes == [f"frame 1: {SENTENCE}", f"frame 2: {SENTENCE}"]


def test_layers_say_so_with_the_object_s_number():
    front = torch.zeros(SIZE)
    front[30:60, 4:24] = 1
    assert amodal(PHOTO, front, BOX, *METHOD).note == SENTENCE
    front[30:60, 4:50] = 1
    assert amodal(PHOTO, front, DISC.float(), *METHOD).note == SENTENCE
    note = peel(PHOTO, [box_prompt((2, 2, 20, 20), SIZE), mask_prompt(DISC.float())], *METHOD).note
    assert note.splitlines() == [f"object 1: {SENTENCE}", f"object 2: {SENTENCE}"]


def test_an_object_that_lies_wholly_where_others_were_taken_out_is_refused():
    with pytest.raises(InputError, match="nothing of the object of prompt 2 of 2 is visible: it lies wholly where"):
        peel(PHOTO, [BOX, mask_prompt(DISC.float())], *METHOD)


# Nodes


@pytest.fixture
def nodes(tmp_path, monkeypatch):
    pack = load_pack()
    import folder_paths

    folder_paths.set_temp_directory(str(tmp_path))
    theirs = pack.paintseg.config.PRESETS
    monkeypatch.setitem(theirs, "fast", replace(theirs["fast"], **CHANGES))
    monkeypatch.setitem(theirs, "paper", replace(theirs["paper"], **CHANGES))
    return pack.nodes


def test_every_node_that_segments_warns_of_it(nodes, caplog):
    image = PHOTO.movedim(0, -1)[None]
    boxes = {"boxes": "[[40, 24, 88, 72]]"}
    prompt, mask = nodes.prompt.PromptToMask.execute(image, {"kind": "box"}, **boxes).result
    how = {"preset": "paper", "seed": 0, "painter": PAINTER, "encoder": ENCODER}
    state = nodes.steps.AMCPStart.execute(image, prompt, **how).result[0]
    calls = {
        "step": lambda: nodes.steps.AMCPStep.execute(state, "auto").result[1],
        "loop": lambda: nodes.loop.AMCPLoop.execute(image, prompt, **how).result[0],
        "video": lambda: nodes.video.Video.execute(image, prompt, "follow", **how).result[0],
        "objects": lambda: nodes.several.Objects.execute(image, prompt, **how).result[0],
        "layers": lambda: nodes.layers.Layers.execute(image, 1, 1, False, prompt, **how).result[1],
        "amodal": lambda: nodes.amodal.Amodal.execute(image, 1 - mask, 1, prompt=prompt, **how).result[0],
    }
    for name, call in calls.items():
        caplog.clear()
        assert call().any(), name
        assert SENTENCE in caplog.text, name


# Commands

WORDS = [word for name, value in CHANGES.items() for word in ("--set", f"{name}={value}")]


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """Runs `paintseg` with a painter and an encoder that lose every object, beside photo.png; what it said."""
    monkeypatch.setattr("paintseg.models.load_models", lambda *_: Models(PAINTER, ENCODER))
    monkeypatch.chdir(tmp_path)
    to_image(PHOTO).save("photo.png")

    def run(*words):
        assert main([*words, "--preset", "paper", *WORDS]) == 0
        return capsys.readouterr().err.splitlines()

    return run


def test_commands_for_one_photo_say_so_on_stderr(command):
    box = ["--box", "40,24,88,72"]
    assert SENTENCE in command("segment", "photo.png", *box, "-o", "mask.png")
    assert torch.equal(read_mask(Path("mask.png")) > 0.5, BOX.start_region())
    said = command("segment", "photo.png", *box, *box, "-o", "several.png")
    assert [f"object {number}: {SENTENCE}" in said for number in (1, 2)] == [True, True]
    assert f"object 1: {SENTENCE}" in command("layers", "photo.png", *box, "-o", "photo.ora")


def test_a_folder_says_so_with_the_photo_s_name_and_quietly_it_does_not(command, tmp_path):
    (tmp_path / "photos").mkdir()
    to_image(PHOTO).save(tmp_path / "photos" / "a.png")
    words = ["segment", "photos", "--box", "40,24,88,72", "-o"]
    assert f"photos/a.png: {SENTENCE}" in [line.replace("\\", "/") for line in command(*words, "masks")]
    assert command(*words, "others", "-q") == []


def test_what_became_of_a_photo_goes_through_a_cluster_with_its_note(tmp_path):
    to_image(PHOTO).save(tmp_path / "a.png")
    piece = Piece(str(tmp_path / "a.png"), str(tmp_path / "mask.png"), box=(40.0, 24.0, 88.0, 72.0))
    (outcome,) = segment_all([piece], Models(PAINTER, ENCODER), CONFIG)
    assert outcome.note == SENTENCE
    assert Outcome(**json.loads(json.dumps(outcome.__dict__))) == outcome
