"""PaintSeg Click without a server: what is said by clicks and wires, and who encodes what how often."""

import json

import pytest
import torch
from harness.inprocess import load_pack

from .small_models import disc_photo, example, iou

SIZE = (96, 128)
PHOTO, DISC = disc_photo(SIZE)
IMAGE = PHOTO.movedim(0, -1)[None]
ON = {"points": [{"x": 64, "y": 48, "label": 1}]}


@pytest.fixture(scope="module")
def pack():
    return load_pack()


@pytest.fixture
def node(pack, monkeypatch, tmp_path):
    """Runs the node; prompts, masks and what the browser is told."""
    import folder_paths

    monkeypatch.setattr(folder_paths, "temp_directory", str(tmp_path))

    def run(image=IMAGE, **said):
        made = pack.nodes.click.Click.execute(image, **said)
        return made.result[0], made.result[1], made.ui

    return run


@pytest.fixture
def encoded(pack, monkeypatch):
    """The sizes of what the embedded encoder was shown."""
    managed, shown = pack.nodes.managed.embedded_encoder(), []
    managed.cache.clear()
    inner = managed.inner.features

    def features(images, **wanted):
        shown.append(tuple(images.shape[2:]))
        return inner(images, **wanted)

    monkeypatch.setattr(managed.inner, "features", features)
    return shown


def test_the_mask_is_the_object_and_the_prompt_holds_the_clicks(node):
    (prompt,), mask, ui = node(clicks=ON)
    assert prompt.points == ((64.0, 48.0),) and iou(mask[0] > 0.5, DISC) > 0.9
    (picture,) = ui["paintseg_picture"]
    assert picture["type"] == "temp" and picture["filename"].startswith("paintseg_")


def test_wired_points_boxes_and_masks_count_beside_clicks(node):
    (prompt,), _, _ = node(
        clicks=ON, points='[{"x": 70, "y": 50}, {"x": 5, "y": 5, "label": 0}]', negative_points="[[9, 9]]"
    )
    assert prompt.points == ((64.0, 48.0), (70.0, 50.0)) and set(prompt.negative_points) == {(5.0, 5.0), (9.0, 9.0)}
    drawn = {"box": [1, 1, 9, 9]} | ON
    boxed, masks, _ = node(clicks=drawn, boxes=[[40, 24, 88, 72], [4, 4, 40, 40]])
    assert [prompt.box for prompt in boxed] == [(40, 24, 88, 72), (4, 4, 40, 40)] and len(masks) == 2
    (rough,), _, _ = node(mask=DISC[None].float(), clicks={"points": [{"x": 70, "y": 50, "label": 0}]})
    assert rough.kind == "mask" and rough.negative_points == ((70.0, 50.0),)


def test_one_prompt_serves_a_batch_and_the_node_says_so(node):
    images = torch.cat([IMAGE, IMAGE.flip(2)])
    prompts, masks, ui = node(images, clicks=json.dumps(ON))
    assert len(prompts) == 1 and masks.shape == (2, *SIZE)
    assert ui["text"] == [
        "one prompt counts for all 2 images, at the same place in each: wired boxes and masks take one per image"
    ]
    assert "text" not in node(images, mask=torch.stack([DISC, DISC.flip(1)]).float())[2]
    assert "text" not in node(clicks=ON)[2]


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({}, "nothing says where the object is: click on it in the photo"),
        ({"clicks": {"points": [{"x": 3, "y": 3, "label": 0}]}}, "nothing says where the object is"),
        ({"clicks": {"points": [{"x": 500, "y": 3}]}}, "lies outside the image of 128 x 96"),
        ({"clicks": {"size": [99, 300]} | ON}, "is no picture of this photo of 128 x 96"),
        ({"clicks": "nonsense"}, "the clicks must be JSON"),
        ({"points": "[{"}, "the points must be JSON"),
    ],
)
def test_what_cannot_be_used_is_refused(node, said, sentence):
    with pytest.raises(ValueError, match=sentence):
        node(**said)


def test_an_answer_that_was_corrected_or_chosen_goes_along_as_it_was_seen(node):
    again = {"points": [*ON["points"], {"x": 12, "y": 12, "label": 0}]}
    assert node(clicks=ON)[0][0].seen_answer is None
    (prompt,), mask, _ = node(clicks=again)
    assert torch.equal(prompt.seen_answer > 0.5, mask[0] > 0.5)
    (prompt,), _, _ = node(torch.cat([IMAGE, IMAGE.flip(2)]), clicks=again)
    assert prompt.seen_answer is None  # one prompt for two photos


def test_a_chosen_candidate_goes_into_the_prompt(node):
    photo, _ = example()
    clicks = {"points": [{"x": 416, "y": 60}], "candidate": 1}
    (prompt,), _, _ = node(photo.movedim(0, -1)[None], clicks=clicks)
    assert prompt.kind == "mask" and prompt.points == ((416.0, 60.0),)


@pytest.mark.parametrize("preset", ["balanced", pytest.param("fast", marks=pytest.mark.long)])
def test_run_after_clicking_encodes_what_was_seen_no_second_time(pack, node, encoded, preset, monkeypatch):
    monkeypatch.setattr(pack.paintseg.layers.plausibility, "SIZE", 224)  # a plate's pictures are no part of it
    image = IMAGE.clone()
    with torch.inference_mode():
        (prompt,), _, _ = node(image, clicks=ON)
    asked = len(encoded)
    with torch.inference_mode():
        node(image, clicks=ON)
        assert len(encoded) == asked
        pack.nodes.loop.AMCPLoop.execute(image, (prompt,), preset=preset, seed=0)
    later = encoded[asked:]
    assert asked and not set(later) & set(encoded[:asked])  # other sizes and the paintings alone


def test_the_editors_route_and_the_nodes_share_what_the_encoder_saw(pack, node, encoded):
    image = IMAGE.clone()
    live = pack.paintseg.segmentation.Session(
        image[0].movedim(-1, 0), pack.nodes.route._encoder(), cache=pack.nodes.managed.FEATURES
    )
    with torch.inference_mode():
        live.answer(pack.paintseg.prompts.point_prompt([(64, 48)], SIZE))
    asked = len(encoded)
    with torch.inference_mode():
        node(image, clicks=ON)
    assert asked and len(encoded) == asked
