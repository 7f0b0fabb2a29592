"""Boxes with room around their object: the closer box, and masks on the example photos."""

import pytest
import torch

from paintseg import Prompt, preset, segment
from paintseg.amcp.scene import prepare
from paintseg.locate.closer import ROOM, closer_box
from paintseg.ops.boxes import area_of, bounding_box
from paintseg.views.frames import Frame
from paintseg.views.view import View

from .small_models import MeanColour, disc_photo, embedded, example, iou

DRAWN = (20, 10, 180, 110)  # in a photo of 200 x 120; the canvas shows all of it at half its size
VIEW = View(photo=(120, 200), box=(0, 0, 200, 120), content=(60, 100), canvas=(64, 104))


def frames(patches):
    """The view as one frame, with so many patches across."""
    size = patches * 3 // 5, patches
    return (Frame((0, 0, 100, 60), (60, 100), torch.zeros(1, 3, *size), torch.zeros(1, 1, *size), None, ("view",)),)


def closer(affinity, inside=None, drawn=DRAWN, patches=100):
    return closer_box(affinity, VIEW.crop_box(DRAWN) > 0.5 if inside is None else inside, drawn, VIEW, frames(patches))


def found(*boxes):
    """Affinity of 1 in boxes of the photo, and of -1 elsewhere."""
    inside = torch.stack([VIEW.crop_box(box) > 0.5 for box in boxes]).any(0)
    return torch.where(inside, 1.0, -1.0)


def test_the_closer_box_is_what_is_found_and_a_little_room():
    left, top, right, bottom = 60, 40, 160, 90
    across, down = ROOM * (right - left), ROOM * (bottom - top)
    assert closer(found((left, top, right, bottom))) == pytest.approx(
        (left - across, top - down, right + across, bottom + down), abs=1
    )


def test_the_room_is_half_a_patch_at_least_for_nothing_is_told_more_exactly():
    assert closer(found((60, 40, 80, 90)), patches=20) == pytest.approx((55, 35, 85, 95), abs=1)


def test_a_closer_box_never_leaves_the_drawn_one():
    assert closer(found((21, 11, 100, 109)))[:2] == (20, 10)


def test_next_to_no_room_along_the_edge_of_the_photo_stays_for_it_may_cut_the_object_off():
    drawn = (0, 10, 160, 120)
    left, top, right, bottom = closer(found((14, 40, 100, 112)), VIEW.inside(), drawn)
    assert (left, bottom) == (0, 120) and (top, right) == pytest.approx((37, 103), abs=2)
    assert closer(found((40, 40, 100, 90)), VIEW.inside(), drawn) == pytest.approx((37, 38, 103, 92), abs=2)


@pytest.mark.parametrize("box", [DRAWN, (22, 12, 178, 108)])
def test_a_tight_box_stays(box):
    assert closer(found(box)) is None


def test_specks_do_not_widen_it_and_a_second_piece_does():
    alone = closer(found((60, 40, 120, 90)))
    assert closer(found((60, 40, 120, 90), (170, 100, 174, 104))) == alone
    assert closer(found((60, 40, 120, 90), (140, 60, 160, 80)))[2] > 160


def test_where_all_is_alike_the_drawn_box_stays():
    assert closer(torch.zeros(1, 1, 64, 104)) is None


def scene_of(name="balanced", **more):
    photo, _ = disc_photo((96, 128))  # the disc lies in (40, 24, 88, 72)
    config = preset(name, size=128, encoder_size=128, photo_size=0)
    return prepare(photo, Prompt((96, 128), box=(16.0, 8.0, 120.0, 92.0), **more), MeanColour(4), config)


def test_the_object_may_be_in_the_closer_box_alone():
    scene = scene_of()
    (x0, y0), (x1, y1) = scene.view.to_canvas((40, 24)), scene.view.to_canvas((88, 72))
    left, top, right, bottom = bounding_box(scene.allowed)
    assert (left, top, right, bottom) == pytest.approx((x0, y0, x1, y1), abs=0.1 * (x1 - x0))
    assert bounding_box(scene.start) == pytest.approx((left, top, right, bottom), abs=4)


def test_fast_leaves_a_box_as_it_is_drawn():
    scene = scene_of("fast")
    (x0, y0), (x1, y1) = scene.view.to_canvas((16, 8)), scene.view.to_canvas((120, 92))
    left, top, right, bottom = bounding_box(scene.allowed)
    assert left <= x0 and top <= y0 and right >= min(x1, 128) and bottom >= y1


def test_a_click_in_the_room_is_in_the_closer_box():
    (x, y), scene = (20.5, 80.5), scene_of(points=((20.5, 80.5),))
    left, top = (round(number) for number in scene.view.to_canvas((x, y)))
    assert scene.allowed[0, 0, top, left]
    assert area_of(bounding_box(scene.allowed)) < 0.9 * area_of((16, 8, 120, 92)) * scene.view.scale[0] ** 2


@pytest.mark.parametrize("room", [0.15, 0.25])
def test_room_around_the_object_does_next_to_no_harm(room):
    photo, truth = example()
    x0, y0, x1, y1 = bounding_box(truth[None, None])
    across, down = room * (x1 - x0), room * (y1 - y0)
    size = tuple(truth.shape)
    loose = max(0.0, x0 - across), max(0.0, y0 - down), min(size[1], x1 + across), min(size[0], y1 + down)
    models = embedded()
    mask = segment(photo, Prompt(size, box=loose), models.painter, models.encoder, preset("balanced")).mask
    assert iou(mask, truth) > 0.915
