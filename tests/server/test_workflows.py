"""Every bundled workflow, as a file, converted and run; what comes out is what its note says.

The preset is the quickest one throughout, in small views, which find the objects too: what is shown here is that the
wires carry what they should.
"""

import io
import json

import numpy as np
import pytest
from harness import bundled, comfyui, drawings
from harness.convert import NotConvertible, to_prompt
from harness.paths import HUMAN_MASK, PHOTO, ROOT
from PIL import Image

WORKFLOWS = sorted((ROOT / "workflows").glob("*.json"))
SIDE, GREY = 512, 127
SHUTTLE = np.asarray(Image.open(HUMAN_MASK).convert("L")) > 127
FACE, SUIT, HELMET, FLAG = (215, 110), (120, 350), (400, 440), (40, 200)  # x, y in the astronaut's photo
COFFEE, SPOON, SAUCER, TABLE = (300, 140), (365, 295), (120, 250), (520, 60)


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def needs_models(path):
    """Whether it names files to download; those run in test_model_workflows."""
    return any(node.get("properties", {}).get("models") for node in read(path)["nodes"])


def overlap(first, second):
    return (first & second).sum() / (first | second).sum()


@pytest.fixture
def ran(client, schemas):
    """Runs a bundled workflow on the fast preset; a reader of the pictures that its nodes show, by title."""

    def run(name, **changes):
        try:
            prompt = to_prompt(read(ROOT / "workflows" / f"{name}.json"), schemas)
        except NotConvertible as lacking:
            if comfyui.VERSION == comfyui.PINNED:
                raise
            pytest.skip(f"ComfyUI {comfyui.VERSION} lacks a node or widget of its own that {name} uses: {lacking}")
        for node in prompt.values():
            quick = {"preset": "fast"} if "preset" in node["inputs"] else {}
            node["inputs"] |= quick | {key: value for key, value in changes.items() if key in node["inputs"]}
        done = client.run(prompt)
        assert done.status == "success", done.error

        def shown(title):
            key = next(key for key, node in prompt.items() if title in (node["_meta"]["title"], node["class_type"]))
            files = done.outputs[key]["images"]
            return [np.asarray(Image.open(io.BytesIO(client.download(file)))) for file in files]

        return shown

    return run


def masks(pictures):
    return [picture[..., 0] > 127 if picture.ndim == 3 else picture > 127 for picture in pictures]


def holds(mask, *places):
    return [bool(mask[y, x]) for x, y in places]


def test_every_workflow_without_models_is_among_those_run_here():
    assert {path.stem for path in WORKFLOWS if not needs_models(path)} == set(bundled.NAMES)


@pytest.mark.parametrize("name", ["01 Quickstart", "02 Remove an object", "21 Points painted as dots"])
def test_the_space_shuttle_is_found(ran, name):
    (mask,) = masks(ran(name)("Mask"))
    assert overlap(mask, SHUTTLE) > 0.7


@pytest.mark.parametrize(
    "name",
    [
        "04 Point at it",
        "03 Find the subject by itself",
        "20 Boxes as text",
        "18 A box and points",
        "23 Scribbles from the mask editor",
    ],
)
def test_the_woman_is_found_without_her_helmet(ran, name):
    (mask,) = masks(ran(name)("Mask"))
    assert holds(mask, FACE, SUIT, HELMET, FLAG) == [True, True, False, False]
    assert 0.2 < mask.mean() < 0.5


@pytest.mark.parametrize(
    "name",
    [
        "17 One point",
        "19 A box from another node",
        "22 Points from the mask editor",
        "24 A rough mask from a file",
        "25 A rough mask painted",
        "26 A rough mask from the mask editor",
    ],
)
def test_the_helmet_is_found_without_the_woman(ran, name):
    (mask,) = masks(ran(name)("Mask"))
    assert holds(mask, HELMET, FACE, SUIT, FLAG) == [True, False, False, False]
    assert 0.05 < mask.mean() < 0.2


def test_strokes_find_cup_saucer_and_spoon_but_not_the_table(ran):
    (mask,) = masks(ran("05 Scribble over it")("Mask"))
    assert holds(mask, COFFEE, SAUCER, SPOON, TABLE) == [True, True, True, False]


def test_five_steps_show_painting_potential_cluster_and_mask(ran):
    shown = ran("11 The method step by step")
    assert all(
        len(shown(f"{step}: {what}")) == 1
        for step in range(1, 6)
        for what in ("painting", "potential", "cluster", "mask")
    )
    (start,), (first,), (last,) = (masks(shown(name)) for name in ("Mask at the start", "1: mask", "5: mask"))
    assert first.sum() < start.sum() == 136 * 298
    assert overlap(last, SHUTTLE) > 0.7
    photo = np.asarray(Image.open(PHOTO).convert("RGB")).astype(int)
    inward, outward = (np.abs(shown(f"{step}: painting")[0] - photo).max(-1) > 12 for step in (1, 2))
    assert inward[SHUTTLE].mean() > 0.7 and outward[SHUTTLE].mean() < 0.3
    assert shown("1: cluster")[0][SHUTTLE].mean() > shown("1: cluster")[0][start & ~SHUTTLE].mean()


def test_three_terms_are_heat_maps_inside_the_contrast_box(ran):
    shown = ran("12 The contrastive potential", preset="paper")
    terms = [shown(f"The {name} term")[0] for name in ("paint", "color", "prompt")]
    for term in (*terms, shown("Their sum")[0]):
        assert term[400, 100].tolist() == [GREY] * 3  # outside the contrast box
        assert term[150, 410].tolist() != [GREY] * 3
        assert len(np.unique(term.reshape(-1, 3), axis=0)) > 30


@pytest.mark.parametrize("name", ["06 Several objects", "27 A label map"])
def test_three_objects_of_one_photo_come_out_of_one_run(ran, name):
    found = masks(ran(name)("Masks"))
    assert len(found) == 3
    assert np.sum(found, axis=0).max() == 1
    assert max(overlap(mask, SHUTTLE) for mask in found) > 0.7
    assert [sum(holds(mask, place)[0] for mask in found) for place in (FACE, HELMET, FLAG)] == [1, 1, 0]


def test_a_small_shuttle_stands_elsewhere_and_nothing_else_is_new(ran):
    shown = ran("08 Move an object")
    (plate,), (picture,) = shown("Clean plate"), shown("Put together again")
    new = np.abs(plate.astype(int) - picture).max(-1) > 12
    assert 0.2 * SHUTTLE.sum() < new.sum() < 0.55 * SHUTTLE.sum()
    assert new[:, :330].mean() < 0.01


def test_amodal_completes_the_saucer_under_the_cup(ran):
    shown = ran("09 Complete a hidden object")
    (mask,) = masks(shown("Whole mask, seen and hidden"))
    hidden = (280, 200)  # under the cup
    assert holds(mask, SAUCER, hidden, TABLE) == [True, True, False]
    (layer,) = shown("Completed layer")
    assert layer[hidden[1], hidden[0], 3] > 127


def test_layers_are_the_three_objects_front_to_back_and_a_plate(ran, server):
    shown = ran("07 A photo as layers")
    helmet, woman, shuttle = (layer[..., 3] > 127 for layer in shown("Layers"))
    assert holds(helmet, HELMET, FACE) == [True, False]
    assert holds(woman, FACE, SUIT) == [True, True]
    assert overlap(shuttle, SHUTTLE) > 0.6
    (plate,) = shown("Plate")
    assert plate.shape == (SIDE, SIDE, 3)
    assert list((server.base / "output" / "paintseg").glob("layers_*.ora"))


def test_a_layer_of_a_stack_is_moved_behind_another(ran):
    shown = ran("29 Layers moved")
    (plate,), (picture,) = shown("Plate"), shown("Put together again")
    photo = np.asarray(Image.open(PHOTO).convert("RGB")).astype(int)
    moved = np.zeros_like(SHUTTLE)
    moved[:, :-80] = SHUTTLE[:, 80:]
    x, y = SUIT
    assert np.abs(picture[y, x] - photo[y, x]).max() <= 2  # the woman is in front of it, and where she was
    there = np.abs(picture.astype(int) - plate).max(-1) > 12
    assert there[moved & (np.arange(SIDE) > 330)].mean() > 0.6
    assert there[SHUTTLE & ~moved & (np.arange(SIDE) > 420)].mean() < 0.1


def test_the_shuttle_is_followed_through_the_video(ran, server):
    found = masks(ran("10 Through a video")("Masks"))
    human = Image.open(HUMAN_MASK).convert("L")
    seen = [np.asarray(drawings.camera(human, frame)) > 127 for frame in range(drawings.FRAMES)]
    assert len(found) == drawings.FRAMES
    assert min(overlap(mask, truth) for mask, truth in zip(found, seen, strict=True)) > 0.65
    assert list((server.base / "output" / "video").glob("PaintSeg_*.mp4"))


def test_values_that_fit_no_widget_are_refused(schemas):
    node = {"id": 1, "type": "SolidMask", "mode": 0, "widgets_values": [1.0, 64, 64, "odd"]}
    with pytest.raises(NotConvertible, match="holds values no widget takes"):
        to_prompt({"nodes": [node], "links": []}, schemas)


def test_missing_values_are_refused(schemas):
    node = {"id": 1, "type": "SolidMask", "mode": 0, "widgets_values": [1.0]}
    with pytest.raises(NotConvertible, match="fewer values than it has widgets"):
        to_prompt({"nodes": [node], "links": []}, schemas)


def test_muted_nodes_and_notes_are_left_out(schemas):
    note = {"id": 1, "type": "Note", "mode": 0, "widgets_values": ["hello"]}
    muted = {"id": 2, "type": "SolidMask", "mode": 2, "widgets_values": [1.0, 64, 64]}
    assert to_prompt({"nodes": [note, muted], "links": []}, schemas) == {}


@pytest.mark.skipif(
    comfyui.VERSION != comfyui.PINNED, reason="the files are written with the newest ComfyUI's nodes and widgets"
)
@pytest.mark.parametrize("name", bundled.NAMES)
def test_files_are_what_the_tool_writes(schemas, name):
    assert bundled.build(name, schemas).to_json() == read(ROOT / "workflows" / f"{name}.json")
