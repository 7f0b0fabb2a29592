"""What PaintSeg Prompt says of a box that did not fit, and how ComfyUI prints the pack's errors."""

import sys

import pytest
from harness import comfyui
from harness.inprocess import PACK, load_pack

if not comfyui.is_ready():
    pytest.skip("no ComfyUI here", allow_module_level=True)

load_pack()
notes = sys.modules[f"{PACK}.nodes.notes"]
errors = sys.modules[f"{PACK}.paintseg.errors"]
box_prompt = sys.modules[f"{PACK}.paintseg.prompts"].box_prompt
SIZE = (300, 400)  # height, width


@pytest.mark.parametrize("box", [(0, 0, 400, 300), (10, 20, 30, 40), (-0.6, 0, 400.9, 300)])
def test_nothing_is_said_of_a_box_that_fits_but_for_rounding(box):
    assert notes.reaches_beyond(box, box_prompt(box, SIZE)) == []


def test_a_box_half_outside_is_said_to_be_cut():
    box = (300, 0, 500, 300)
    (said,) = notes.reaches_beyond(box, box_prompt(box, SIZE))
    assert said == "the box (300, 0, 500, 300) reaches beyond the image of 400 x 300: only the 50% inside counts"


def test_a_sliver_is_not_said_to_be_nothing():
    box = (399, 0, 1399, 300)
    (said,) = notes.reaches_beyond(box, box_prompt(box, SIZE))
    assert "less than 1% inside counts" in said


@pytest.mark.parametrize("name", [name for name in vars(errors) if name.endswith("Error") and name != "OSError"])
def test_comfyui_prints_the_kind_of_an_error_and_not_the_packs_folder(name):
    sys.path.insert(0, str(comfyui.FOLDER))
    from execution import full_type_name

    assert full_type_name(getattr(errors, name)) == name
