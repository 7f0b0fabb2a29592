"""Layers put over a plate: what moves, what stays, and in which order."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from paintseg.errors import InputError
from paintseg.layers.compose import Placement, parse_placements, reassemble, transform


def tile(colour, box, size=(40, 60), alpha=1.0):
    """4 x H x W, one rectangle (x0, y0, x1, y1) of one colour."""
    layer = torch.zeros(4, *size)
    x0, y0, x1, y1 = box
    layer[:, y0:y1, x0:x1] = torch.tensor([*colour, alpha]).view(4, 1, 1)
    return layer


PLATE = torch.full((3, 40, 60), 0.25)
RED, BLUE = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)


def test_layers_stay_where_they_were_by_default():
    layer = tile(RED, (10, 5, 20, 15))
    layer[:3] = torch.rand(3, 40, 60)
    picture = reassemble(PLATE, [layer])
    assert torch.equal(picture[:, 5:15, 10:20], layer[:3, 5:15, 10:20])
    assert (picture == PLATE).all(0).sum() == 40 * 60 - 100


def test_the_first_layer_is_in_front():
    picture = reassemble(PLATE, [tile(RED, (0, 0, 20, 20)), tile(BLUE, (10, 10, 30, 30))])
    assert picture[:, 15, 15].tolist() == list(RED) and picture[:, 25, 25].tolist() == list(BLUE)


def test_order_moves_a_layer_to_the_front():
    layers = [tile(RED, (0, 0, 20, 20)), tile(BLUE, (10, 10, 30, 30))]
    picture = reassemble(PLATE, layers, [Placement(0), Placement(1, order=-1)])
    assert picture[:, 15, 15].tolist() == list(BLUE)


def test_a_moved_layer_keeps_its_bits():
    layer = tile(RED, (10, 5, 20, 15))
    layer[:3] = torch.rand(3, 40, 60)
    picture = reassemble(PLATE, [layer], [Placement(0, x=40, y=25)])
    assert torch.equal(picture[:, 20:30, 35:45], layer[:3, 5:15, 10:20])
    assert torch.equal(reassemble(PLATE, [layer], [Placement(0, dx=25, dy=15)]), picture)


@pytest.mark.parametrize("size", [(90, 70), (12, 14)], ids=["larger", "smaller"])
def test_on_a_plate_of_another_size_a_layer_keeps_its_pixels_and_its_place(size):
    layer = tile(RED, (10, 5, 20, 15))
    layer[:3] = torch.rand(3, 40, 60)
    plate = torch.full((3, *size), 0.5)
    picture = reassemble(plate, [layer])
    bottom, right = min(15, size[0]), min(20, size[1])
    assert torch.equal(picture[:, 5:bottom, 10:right], layer[:3, 5:bottom, 10:right])
    assert (picture != plate).any(0).sum() == (bottom - 5) * (right - 10)


def test_opacity_mixes_with_the_plate():
    picture = reassemble(PLATE, [tile(RED, (0, 0, 9, 9))], [Placement(0, opacity=0.5)])
    assert picture[:, 4, 4].tolist() == pytest.approx([0.625, 0.125, 0.125])


def test_a_layer_may_be_placed_twice_and_partly_outside():
    picture = reassemble(PLATE, [tile(RED, (0, 0, 10, 10))], [Placement(0, x=0, y=0), Placement(0, x=60, y=40)])
    assert (picture[0] == 1).sum() == 50
    assert torch.equal(reassemble(PLATE, [tile(RED, (0, 0, 9, 9))], [Placement(0, x=-500, y=9)]), PLATE)


def test_scaling_keeps_the_colour_of_the_edge():
    picture = reassemble(torch.zeros(3, 40, 60), [tile(BLUE, (20, 10, 32, 22))], [Placement(0, scale=1.7)])
    assert picture[:2].max() == 0
    assert (picture[2] > 0.5).sum() == pytest.approx((12 * 1.7) ** 2, rel=0.1)


def test_quarter_turns_are_exact_and_counter_clockwise():
    layer = torch.rand(4, 8, 14)
    assert torch.equal(transform(layer, 1.0, 90, False), torch.from_numpy(np.rot90(layer.numpy(), 1, (1, 2)).copy()))
    assert torch.equal(transform(layer, 1.0, -360, True), layer.flip(-1))


def test_turns_agree_with_pillow():
    ramp = torch.zeros(4, 40, 40)
    ramp[3] = 1
    ramp[0, :, 20:] = 1
    mine = transform(ramp, 1.0, 30, False)[0]
    theirs = Image.fromarray((ramp[0] * 255).byte().numpy()).rotate(30, Image.Resampling.BILINEAR, expand=True)
    theirs = torch.from_numpy(np.array(theirs)) / 255
    mine, theirs = (whole[len(whole) // 2 - 10 :][:20, len(whole) // 2 - 10 :][:, :20] for whole in (mine, theirs))
    assert (mine - theirs).abs().mean() < 0.05 < (mine - theirs.T).abs().mean()


def test_a_contact_shadow_darkens_the_ground_below_only():
    layer = tile((1.0, 1.0, 1.0), (20, 5, 40, 25))
    picture = reassemble(PLATE, [layer], [Placement(0, shadow=0.8)])
    assert (picture[:, 25:28, 25:35] < 0.24).all()
    assert torch.equal(picture[:, :15], reassemble(PLATE, [layer])[:, :15])
    assert (picture[:, 5:25, 20:40] == 1).all()


@settings(max_examples=30, deadline=None)
@given(
    scale=st.floats(0.05, 4),
    rotation=st.floats(-720, 720),
    flip=st.booleans(),
    opacity=st.floats(0, 1),
    x=st.floats(-50, 100),
    y=st.floats(-50, 100),
    shadow=st.floats(0, 1),
)
def test_any_placement_gives_a_picture(scale, rotation, flip, opacity, x, y, shadow):
    layer = tile(RED, (10, 5, 27, 15))
    placement = Placement(0, x, y, 0, 0, scale, rotation, flip, opacity, None, shadow)
    picture = reassemble(PLATE, [layer], [placement])
    assert picture.shape == PLATE.shape and picture.min() >= 0 and picture.max() <= 1
    assert torch.isfinite(picture).all()


def test_placements_are_read_from_json():
    text = '[{"layer": 1, "x": 10.5, "scale": 2, "flip": true}, {"layer": 0, "x": null}]'
    assert parse_placements(text) == (Placement(1, x=10.5, scale=2, flip=True), Placement(0))
    assert parse_placements('{"rotation": 15}') == (Placement(rotation=15),)
    assert parse_placements(" ") == ()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[{", "the placements are no JSON"),
        ("[3]", "a placement is an object like"),
        ('{"size": 2}', "a placement has no 'size'; it has layer, x, y"),
        ('{"flip": 1}', "the flip of a placement must be true or false, not 1"),
        ('{"scale": "2"}', "the scale of a placement must be a number, not 2"),
        ('{"layer": 0.5}', "the layer of a placement must be a whole number"),
        ('{"scale": 0}', "the scale of a placement must be above 0"),
        ('{"opacity": 2}', "the opacity of a placement must be from 0 to 1"),
        ('{"x": NaN}', "the x of a placement must be a number up to 1e.09, not nan"),
    ],
)
def test_bad_placements_are_refused(text, sentence):
    with pytest.raises(InputError, match=sentence):
        parse_placements(text)


def test_layers_that_are_not_there_are_refused():
    with pytest.raises(InputError, match="there is no layer 2; the layers are 0 to 0"):
        reassemble(PLATE, [tile(RED, (0, 0, 9, 9))], [Placement(2)])
    with pytest.raises(InputError, match="layer 0 must be 4 x H x W"):
        reassemble(PLATE, [torch.zeros(3, 9, 9)])
    with pytest.raises(InputError, match="too large"):
        reassemble(PLATE, [tile(RED, (0, 0, 60, 40))], [Placement(0, scale=1e4)])
    assert math.isfinite(reassemble(PLATE, []).sum())
