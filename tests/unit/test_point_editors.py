"""PaintSeg Prompt wired to point editors and detectors: what they write is taken as meant, and said what was done."""

import json

import numpy as np
import pytest
import torch
from harness.inprocess import load_pack

from paintseg.cli.bench import made_up_photo

SIZE = (80, 120)
PHOTO = torch.zeros(1, *SIZE, 3)
CORNERS = (10.0, 20.0, 110.0, 70.0)


@pytest.fixture(scope="module")
def pack():
    return load_pack()


@pytest.fixture
def prompts(pack, caplog):
    """Runs the node; its prompts, and what it said in the log."""

    def run(kind="box", **said):
        statement = {"kind": kind} | {key: said.pop(key) for key in ("x", "y") if key in said}
        caplog.clear()
        found = pack.nodes.prompt.PromptToMask.execute(PHOTO, statement, **said).result[0]
        return found, caplog.text

    return run


@pytest.mark.parametrize(
    "boxes",
    [
        [(10, 20, 110, 70)],
        np.array([[10, 20, 110, 70]], np.float32),
        torch.tensor([[10, 20, 110, 70]]),
        {"boxes": torch.tensor([[10.0, 20, 110, 70]]), "scores": torch.tensor([0.9])},
        "[{'x': 10, 'y': 20, 'width': 100, 'height': 50}]",
        [[{"x": np.int64(10), "y": 20, "width": 100, "height": 50}]],
    ],
    ids=["tuples", "array", "tensor", "detector", "single quotes", "lists of dicts"],
)
def test_boxes_of_any_node_are_taken(prompts, boxes):
    (prompt,), said = prompts(boxes=boxes)
    assert prompt.box == CORNERS and said == ""


def test_boxes_of_width_and_height_are_a_choice_and_taken_for_corners_are_refused_with_it(prompts):
    (prompt,), _ = prompts(boxes=[(10, 20, 100, 50)], boxes_format="xywh")
    assert prompt.box == CORNERS
    with pytest.raises(ValueError, match="the boxes must have x0 < x1 .* given as xywh"):
        prompts(boxes=[(70, 20, 30, 50)])


def test_normalised_points_and_boxes_are_shares_and_that_is_in_the_log(prompts):
    (prompt,), said = prompts("point", x=-1, y=-1, points=json.dumps([{"x": 0.5, "y": 0.25}, {"x": 1.0, "y": 1.0}]))
    assert prompt.points == ((60.0, 20.0), (119.5, 79.5))
    assert "shares of the photo's width and height" in said and "far edge" in said
    (prompt,), said = prompts(boxes=[(0.25, 0.25, 0.75, 0.75)])
    assert prompt.box == (30.0, 20.0, 90.0, 60.0) and "shares" in said


@pytest.mark.parametrize("label", ["0", '"0"', "false"])
def test_label_0_is_not_the_object(prompts, label):
    (prompt,), _ = prompts("point", x=-1, y=-1, points=f'[{{"x": 5, "y": 6}}, {{"x": 7, "y": 8, "label": {label}}}]')
    assert (prompt.points, prompt.negative_points) == (((5.0, 6.0),), ((7.0, 8.0),))


@pytest.mark.parametrize("points", ['[{"x": 0, "y": 0}]', "[]", '[{"x": 7, "y": 8, "label": 0}]'])
def test_a_node_that_found_nothing_does_not_have_the_middle_of_the_box_segmented(prompts, points):
    with pytest.raises(ValueError, match="the points wired hold none on the object"):
        prompts("point", x=-1, y=-1, points=points, box={"x": 10, "y": 20, "width": 100, "height": 50})
    (prompt,), _ = prompts("point", x=3, y=4, points=points)
    assert prompt.points == ((3.0, 4.0),)


def test_nothing_found_beside_a_box_is_left_out_and_that_is_in_the_log(prompts):
    nothing = '[{"x": 0, "y": 0}]'
    (prompt,), said = prompts(boxes=[CORNERS], points=nothing, negative_points=nothing)
    assert (prompt.points, prompt.negative_points) == ((), ()) and said.count("nodes write that found nothing") == 2


def test_the_command_says_what_it_makes_of_points_and_boxes(tmp_path, capsys):
    from paintseg.__main__ import main
    from paintseg.io.formats import to_image

    to_image(made_up_photo(80, 52)[0]).save(tmp_path / "photo.png")
    small = ["--preset", "fast", "--size", "64", "--set", "encoder_size=56", "--set", "photo_size=56", "--threads", "1"]
    words = ["segment", str(tmp_path / "photo.png"), *small, "-o", str(tmp_path / "mask.png")]
    assert main([*words, "--box", "0.2,0.2,0.8,0.8", "--negative", "0.05,0.05"]) == 0
    said = capsys.readouterr().err
    assert "the boxes lie between 0 and 1" in said and "the points lie between 0 and 1" in said
