"""Which pieces of an answer stay, which holes close, and what the prompt has to say about it."""

import argparse

import numpy as np
import pytest
import torch
from harness.inprocess import load_pack
from scipy import ndimage

from paintseg.cli.method import add_method_arguments, read_config
from paintseg.config import preset
from paintseg.errors import InputError
from paintseg.finish.pieces import largest_piece, tidied
from paintseg.prompts import box_prompt
from paintseg.segmentation import segment

from .small_models import disc_photo, embedded, iou

NOWHERE = torch.zeros(60, 80, dtype=torch.bool)


def drawn(*rectangles, value=0.9):
    """60 x 80, the value in rectangles (x0, y0, x1, y1)."""
    plane = torch.zeros(60, 80)
    for x0, y0, x1, y1 in rectangles:
        plane[y0:y1, x0:x1] = value
    return plane


OBJECT, PART, CRUMB = (10, 10, 40, 40), (50, 10, 56, 20), (60, 50, 62, 52)
THREE = drawn(OBJECT, PART, CRUMB)
FOR_ALL = torch.ones(60, 80)


def tidy(soft, evidence, which="supported", held=NOWHERE, refused=NOWHERE, **other):
    return tidied(soft, evidence, which, held, refused, **other)


def at(x, y):
    spot = NOWHERE.clone()
    spot[y, x] = True
    return spot


def test_a_part_that_the_evidence_is_for_stays_and_a_crumb_goes():
    assert torch.equal(tidy(THREE, FOR_ALL), drawn(OBJECT, PART))


def test_a_part_that_the_evidence_is_against_goes():
    assert torch.equal(tidy(THREE, drawn(OBJECT, value=2.0) - 1), drawn(OBJECT))


def test_largest_leaves_one_piece_and_all_changes_nothing():
    assert torch.equal(tidy(THREE, FOR_ALL, "largest"), drawn(OBJECT))
    assert tidy(THREE, FOR_ALL, "all") is THREE


@pytest.mark.parametrize("which", ["supported", "largest"])
def test_a_piece_that_was_pointed_at_stays_whatever_the_evidence(which):
    found = tidy(THREE, FOR_ALL - 2, which, held=at(61, 51) | at(20, 20))
    assert torch.equal(found, drawn(OBJECT, CRUMB))


def test_the_piece_pointed_at_is_the_object_and_not_the_largest_one():
    assert torch.equal(tidy(THREE, FOR_ALL, "largest", held=at(52, 15)), drawn(PART))


def test_a_hole_closes_where_the_evidence_is_for_the_object_and_stays_open_elsewhere():
    holed = drawn(OBJECT)
    holed[20:22, 20:22] = 0.2
    assert (tidy(holed, FOR_ALL)[20:22, 20:22] == 1).all()
    assert torch.equal(tidy(holed, drawn((15, 15, 25, 25), value=-1.0) + 0.4), holed)


def test_a_large_hole_a_bay_of_the_photo_and_a_hole_that_was_clicked_stay_open():
    large, bay, clicked = drawn(OBJECT), drawn((0, 0, 30, 30)), drawn(OBJECT)
    large[15:35, 15:35] = bay[:4, 10:12] = clicked[20:22, 20:22] = 0.2
    assert torch.equal(tidy(large, FOR_ALL), large)
    assert torch.equal(tidy(bay, FOR_ALL), bay)
    assert torch.equal(tidy(clicked, FOR_ALL, refused=at(20, 20)), clicked)


def test_the_faint_rim_of_a_crumb_goes_with_it_and_that_of_the_object_stays():
    soft = torch.maximum(THREE, drawn((8, 8, 42, 42), (58, 48, 64, 54), value=0.3))
    assert torch.equal(tidy(soft, FOR_ALL), torch.maximum(drawn(OBJECT, PART), drawn((8, 8, 42, 42), value=0.3)))


def test_before_enlarging_what_touches_at_a_corner_is_apart():
    corner = drawn(OBJECT, (40, 40, 43, 43))
    assert torch.equal(tidy(corner, FOR_ALL - 2), corner)
    assert torch.equal(tidy(corner, FOR_ALL - 2, final=False), drawn(OBJECT))


@pytest.mark.parametrize("seed", range(5))
def test_the_largest_piece_of_a_mask_is_that_of_scipy(seed):
    mask = torch.from_numpy(ndimage.gaussian_filter(np.random.default_rng(seed).random((60, 80)), 2) > 0.5)
    labels, count = ndimage.label(mask.numpy(), np.ones((3, 3)))
    sizes = ndimage.sum_labels(mask.numpy(), labels, range(1, count + 1))
    found = largest_piece(mask)
    assert found.dtype == torch.bool
    assert np.array_equal(found.numpy(), labels == 1 + sizes.argmax())


def test_a_mask_of_one_piece_or_none_is_its_own_largest_piece():
    for mask in (drawn(OBJECT), drawn(), torch.ones(60, 80)):
        assert largest_piece(mask) is mask


@pytest.mark.parametrize(("which", "pieces"), [("all", 2), ("largest", 1)])
def test_the_switch_decides_how_many_pieces_a_run_answers_with(which, pieces):
    photo, disc = disc_photo()
    photo = torch.cat([photo, photo], 2)  # two discs in one box
    both = torch.cat([disc, disc], 1)
    models = embedded()
    rows, columns = np.nonzero(both.numpy())
    box = (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
    config = preset("fast", size=128, encoder_size=112, photo_size=112, pieces=which)
    result = segment(photo, box_prompt(box, both.shape), models.painter, models.encoder, config)
    labels, count = ndimage.label(result.mask.numpy(), np.ones((3, 3)))
    assert count == 1 if which == "largest" else count >= pieces
    assert iou(result.mask, both) > 0.9 / (3 - pieces)


def test_cut_out_keeps_the_largest_piece_alone_when_asked_to():
    node = load_pack().nodes.CutOut
    image = torch.full((1, 60, 80, 3), 0.5)
    for asked, kept in ((False, THREE), (True, drawn(OBJECT))):
        layer = node.execute(image, (THREE > 0)[None].float(), 0.0, largest_piece=asked).args[0][0]
        assert torch.equal(layer[..., 3] > 0, kept > 0)


def test_the_commands_switch_is_the_parameter_and_does_not_contradict_it():
    def config(*arguments):
        parser = argparse.ArgumentParser()
        add_method_arguments(parser)
        return read_config(parser.parse_args(arguments))

    assert config().pieces == "supported"
    assert config("--largest-piece").pieces == config("--set", "pieces=largest").pieces == "largest"
    with pytest.raises(InputError, match="--largest-piece and --set pieces=all say different things; give one"):
        config("--largest-piece", "--set", "pieces=all")
