"""The paper's failure case (appendix F), a point near a twin, on a made-up photo; and what tells twins apart."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from paintseg.config import preset
from paintseg.locate.region import first_met, locate, surrounded
from paintseg.prompts import box_prompt, point_prompt, scribble_prompt
from paintseg.segmentation import segment
from paintseg.views.frames import photo_frame
from paintseg.views.looks import Looks

from .small_models import MeanColour, disc_photo, embedded, example, iou

SIZE, LEFT_POINT, RIGHT_POINT = (360, 480), (180, 185), (298, 185)
SMALL = (96, 128)
CONFIG = preset("paper", start="affinity", encoder_size=128)


def twins():
    """The example's shuttle twice, side by side on a plain wall; the photo and a mask each."""
    photo, mask = example()
    ys, xs = mask.nonzero().T
    rows, columns = (slice(int(each.min()), int(each.max()) + 1) for each in (ys, xs))
    thing, cover = photo[:, rows, columns], mask[rows, columns]
    height, width = cover.shape
    shade = torch.linspace(0.5, 0.7, SIZE[1]).expand(SIZE)
    picture, masks = torch.stack([shade, 0.96 * shade, 0.84 * shade]), []
    for left in (SIZE[1] // 2 - width, SIZE[1] // 2):
        mask = torch.zeros(SIZE, dtype=torch.bool)
        mask[40 : 40 + height, left : left + width] = cover
        picture[:, mask] = thing[:, cover]
        masks.append(mask)
    return picture, masks


def found(prompt):
    models = embedded()
    return segment(twins()[0], prompt, models.painter, models.encoder, preset("fast")).mask


def share(mask, truth):
    return float((mask & truth).sum() / truth.sum())


def test_a_point_beside_a_twin_takes_both():
    """The failure itself: without it, the next test would show nothing."""
    mask, (left, right) = found(point_prompt([LEFT_POINT], SIZE)), twins()[1]
    assert share(mask, left) > 0.9 and share(mask, right) > 0.9


@pytest.mark.parametrize("pointing", ["points", pytest.param("strokes", marks=pytest.mark.long)])
def test_a_negative_on_the_twin_removes_it(pointing):
    _, (left, right) = twins()
    if pointing == "points":
        prompt = point_prompt([LEFT_POINT], SIZE, [RIGHT_POINT])
    else:
        strokes = torch.zeros(2, *SIZE)
        for number, (x, y) in enumerate((LEFT_POINT, RIGHT_POINT)):
            strokes[number, y - 60 : y + 60, x - 2 : x + 2] = 1
        prompt = scribble_prompt(*strokes)
    mask = found(prompt)
    assert share(mask, right) < 0.05
    assert iou(mask, left) > 0.85


def test_a_box_removes_the_twin_as_well():
    _, (left, right) = twins()
    ys, xs = left.nonzero().T
    mask = found(box_prompt((int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1), SIZE))
    assert share(mask, right) < 0.05 and iou(mask, left) > 0.85


# What tells them apart


def overlapping(right=84):
    """Two orange discs that touch, on a blue wall."""
    photo, left = disc_photo(SMALL, (46, 48), 20)
    other, twin = disc_photo(SMALL, (right, 48), 20)
    return torch.where(twin, other, photo), left & ~twin, twin


def test_locate_gives_the_twin_to_the_point_on_it():
    photo, left, right = overlapping()
    start = locate(
        point_prompt([(40, 48)], SMALL, [(90, 48)]), photo_frame(Looks(photo, MeanColour(4)), CONFIG), CONFIG
    )
    assert share(start.refused, right) > 0.8 and share(start.refused, left) < 0.1
    assert share(start.region, left) > 0.8 and share(start.region, right) < 0.15


@pytest.mark.parametrize("negative", [(10, 10), (64, 90), (120, 48)])
def test_a_negative_off_the_object_refuses_nothing(negative):
    photo, left, _ = overlapping()
    prompt = point_prompt([(40, 48)], SMALL, [negative])
    assert locate(prompt, photo_frame(Looks(photo, MeanColour(4)), CONFIG), CONFIG).refused is None


def test_a_point_on_the_region_is_surrounded_and_one_at_its_edge_is_not():
    region = torch.zeros(20, 30, dtype=torch.bool)
    region[5:15, 5:25] = True
    assert surrounded(torch.tensor([[150, 100]]), region, (200, 300)).view(20, 30)[9:12, 14:17].all()
    for edge in ((55, 100), (150, 145), (10, 10)):
        assert not surrounded(torch.tensor([edge]), region, (200, 300)).any()


def test_on_an_even_strip_walks_meet_first_what_is_nearer():
    strip, seeds = torch.ones(1, 11, dtype=torch.bool), torch.eye(11, dtype=torch.bool)
    met = first_met(torch.ones(1, 2, 1, 11), strip, seeds[0], seeds[10])
    torch.testing.assert_close(met, torch.linspace(1, 0, 11)[None], atol=1e-3, rtol=0)


def test_walks_stop_where_the_keys_change():
    """Eight even patches and two others: the way is longer to the first, but nothing is in it."""
    keys = torch.tensor([1.0] * 8 + [0.0] * 2)
    keys = torch.stack([keys, 1 - keys])[None, :, None]
    seeds = torch.eye(10, dtype=torch.bool)
    met = first_met(keys, torch.ones(1, 10, dtype=torch.bool), seeds[0], seeds[9])
    assert met[0, :8].min() > 0.9 and met[0, 8] < 0.1


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 999))
def test_what_is_met_first_is_a_share_and_the_seeds_meet_themselves(height, width, seed):
    draw = torch.Generator().manual_seed(seed)
    piece = torch.rand(height, width, generator=draw) > 0.3
    inside, outside = torch.rand(2, height * width, generator=draw) > 0.8
    outside &= ~inside
    met = first_met(torch.randn(1, 3, height, width, generator=draw), piece, inside, outside)
    assert met.min() >= -1e-5 and met.max() <= 1 + 1e-5
    assert (met.flatten()[inside] == 1).all() and (met.flatten()[outside & piece.flatten()] == 0).all()
    assert (met[~piece] == 1).all()
