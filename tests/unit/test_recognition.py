"""Layers known again by their look: a placement stays with the layer it was made for."""

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from harness.inprocess import load_pack
from harness.paths import HUMAN_MASK, PHOTO
from PIL import Image

from paintseg.errors import InputError
from paintseg.io.formats import from_image
from paintseg.layers.compose import Placement, parse_placements
from paintseg.layers.recognition import fingerprint, is_same, known_again

ROCKET = torch.cat([
    from_image(Image.open(PHOTO).convert("RGB")),
    (from_image(Image.open(HUMAN_MASK).convert("RGB"))[:1] > 0.5).float(),
])  # fmt: skip
EMPTY = torch.zeros(4, 512, 512)


def rim(layer, width):
    """The layer with a wider rim, or, below 0, a narrower one."""
    sign = 1 if width > 0 else -1
    alpha = sign * F.max_pool2d(sign * layer[3:][None], 2 * abs(width) + 1, 1, abs(width))[0]
    return torch.cat([layer[:3], alpha])


@pytest.mark.parametrize("width", [-3, 3])
def test_an_object_cut_out_a_little_differently_or_smaller_is_the_same(width):
    look = fingerprint(ROCKET)
    assert len(look) == 72
    assert is_same(look, fingerprint(rim(ROCKET, width)))
    assert is_same(look, fingerprint(F.interpolate(ROCKET[None], scale_factor=0.5, mode="area")[0]))


@pytest.mark.parametrize(
    "other",
    [ROCKET.flip(2), torch.cat([1 - ROCKET[:3], ROCKET[3:]]), ROCKET.roll(160, 1), EMPTY],
    ids=["mirrored", "in other colours", "elsewhere", "nothing"],
)
def test_another_object_is_not(other):
    assert not is_same(fingerprint(ROCKET), fingerprint(other))


def test_a_placement_leaves_a_layer_alone_that_it_was_not_made_for():
    made = Placement(0, dx=90, fingerprint=fingerprint(ROCKET))
    assert known_again([made], [ROCKET, EMPTY]) == ((made, Placement(1)), ())
    assert known_again([made], [ROCKET.flip(2), EMPTY]) == ((Placement(0), Placement(1)), (made,))
    assert known_again([made], [EMPTY]) == ((Placement(0),), (made,))
    late = Placement(1, dx=90, fingerprint=fingerprint(ROCKET))
    assert known_again([late], [ROCKET]) == ((Placement(0),), (late,))


def test_placements_without_a_fingerprint_go_by_number_and_name_all_that_appears():
    plain = (Placement(0, dx=5), Placement(0, dy=5))
    assert known_again(plain, [ROCKET.flip(2), EMPTY]) == (plain, ())
    assert known_again((), [ROCKET]) == ((), ())


def test_a_fingerprint_is_read_from_json_and_a_number_is_none():
    (read,) = parse_placements('[{"layer": 0, "dx": 3, "fingerprint": "00ff"}]')
    assert read == Placement(0, dx=3, fingerprint="00ff")
    with pytest.raises(InputError, match="the fingerprint of a placement must be text"):
        parse_placements('{"fingerprint": 3}')


@pytest.fixture(scope="module")
def reassemble(tmp_path_factory):
    """The node on the bundled photo as its plate, and the folder that it saves pictures to."""
    pack = load_pack()
    import folder_paths

    folder = tmp_path_factory.mktemp("temp")
    folder_paths.set_temp_directory(str(folder))
    plate = ROCKET[:3][None].movedim(1, -1)

    def run(layers, placements="", **more):
        numbers = {"layer": 0, "dx": 0, "dy": 0, "scale": 1, "rotation": 0, "flip": False, "opacity": 1, "shadow": 0}
        stack = torch.stack(layers).movedim(1, -1)
        done = pack.nodes.reassemble.Reassemble.execute(plate, stack, **numbers | more, placements=placements)
        return done.result[0][0].movedim(-1, 0), done.ui

    run.folder = folder
    return run


def test_the_node_tells_the_editor_its_plate_and_each_layer_cropped(reassemble):
    _, told = reassemble([ROCKET, EMPTY])
    (plate,), (rocket, nothing) = told["paintseg_plate"], told["paintseg_layers"]
    assert plate["size"] == [512, 512] and nothing == {"fingerprint": ""}
    x0, y0, x1, y1 = rocket["box"]
    assert rocket["fingerprint"] == fingerprint(ROCKET) and ROCKET[3, y0:y1, x0:x1].sum() == ROCKET[3].sum()
    picture = np.array(Image.open(reassemble.folder / rocket["filename"]))
    assert picture.shape == (y1 - y0, x1 - x0, 4)
    np.testing.assert_array_equal(picture, (ROCKET[:, y0:y1, x0:x1] * 255).round().byte().movedim(0, -1).numpy())


def test_a_large_layer_is_shown_smaller_with_its_box_in_its_own_pixels(reassemble):
    large = F.interpolate(ROCKET[None], scale_factor=5)[0]
    _, told = reassemble([large])
    (layer,) = told["paintseg_layers"]
    x0, y0, x1, y1 = layer["box"]
    width, height = Image.open(reassemble.folder / layer["filename"]).size
    assert max(width, height) <= 1024 and (x1 - x0) / width == pytest.approx((y1 - y0) / height, rel=0.02)
    assert max(x1, y1) > 1024


def test_the_node_moves_the_layer_that_was_dragged_and_no_other_that_took_its_number(reassemble):
    text = json.dumps([{"layer": 0, "dx": -60, "fingerprint": fingerprint(ROCKET)}])
    moved, told = reassemble([ROCKET], text)
    assert "text" not in told
    (by_numbers, _), (resting, _) = reassemble([ROCKET], dx=-60), reassemble([ROCKET.flip(2)])
    assert torch.equal(moved, by_numbers) and not torch.equal(moved, reassemble([ROCKET])[0])
    other, told = reassemble([ROCKET.flip(2)], text, dx=-60)
    assert torch.equal(other, resting)
    assert told["paintseg_strangers"] == [fingerprint(ROCKET)]
    assert told["text"][0].startswith("Some placements were made for other layers")
