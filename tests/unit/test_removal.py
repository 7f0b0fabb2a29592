"""The photo without an object: what changes, what does not, and how the hole's edge looks."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from paintseg.errors import InputError
from paintseg.io.masks import read_mask
from paintseg.io.reading import read_photo
from paintseg.layers import plausibility
from paintseg.layers.compose import reassemble
from paintseg.layers.cutout import cut_out
from paintseg.layers.detail import add_detail
from paintseg.layers.plausibility import strangeness
from paintseg.layers.removal import apart, hole_of, paint_out, remove
from paintseg.layers.seam import depth_inside, join, membrane
from paintseg.layers.shadow import find_shadow
from paintseg.layers.window import show, show_hole, window
from paintseg.ops.images import resize
from paintseg.ops.morphology import dilate, erode, outer_ring
from paintseg.painters import keep_outside

ROOT = Path(__file__).resolve().parents[2]
ASSETS = ROOT / "workflows" / "assets"


class FlatPainter:
    """Fills a hole with one colour drawn from the generator: arithmetic by hand stays possible."""

    name, multiple, size, stochastic = "flat", 8, 64, True

    def __init__(self):
        self.seen = []

    def paint(self, image, hole, count, generator):
        self.seen.append((image, hole))
        colours = torch.rand(count, 3, 1, 1, generator=generator)
        return keep_outside(image, hole, colours.expand(count, *image.shape))


class TruthPainter(FlatPainter):
    """Paints what is really there, from a photo of the background at the canvas' size, off by a constant."""

    def __init__(self, truth, offset=0.0):
        super().__init__()
        self.truth, self.offset = truth, offset

    def paint(self, image, hole, count, generator):
        painted = (resize(self.truth[None], tuple(image.shape[1:])) + self.offset).expand(count, -1, -1, -1)
        return keep_outside(image, hole, painted)


class ColourEncoder:
    """Mean colour and contrast of every patch of 14 pixels."""

    name, stride, size = "colour", 14, 56

    def encode(self, images):
        grid = tuple(side // 14 for side in images.shape[-2:])
        return torch.nn.functional.adaptive_avg_pool2d(torch.cat([images, 1 - images], 1), grid) + 1e-3


@pytest.fixture(scope="module")
def migan():
    from paintseg.painters.migan import load_migan

    return load_migan()


@pytest.fixture(scope="module")
def shuttle():
    """The bundled photo, halved, and the mask of its model shuttle."""
    photo = read_photo(ASSETS / "paintseg_astronaut.png")
    mask = read_mask(ASSETS / "paintseg_astronaut_mask.png")
    size = tuple(side // 2 for side in photo.shape[1:])
    return resize(photo[None], size)[0], resize(mask[None, None], size)[0, 0] > 0.5


def square(size, box):
    mask = torch.zeros(size, dtype=torch.bool)
    x0, y0, x1, y1 = box
    mask[y0:y1, x0:x1] = True
    return mask


@settings(max_examples=25, deadline=None)
@given(height=st.integers(2, 90), width=st.integers(2, 90), seed=st.integers(0, 9999))
def test_everything_outside_the_hole_stays_bit_for_bit(height, width, seed):
    generator = torch.Generator().manual_seed(seed)
    photo = torch.rand(3, height, width, generator=generator)
    soft = torch.rand(height, width, generator=generator)
    mask = soft * (torch.rand((), generator=generator) < 0.9) + 0.5 * (soft > 0.95)
    mask[0, 0] = 1
    try:
        done = paint_out(photo, mask, FlatPainter(), seed)
    except InputError as refusal:
        assert "covers the whole image" in str(refusal)
        return
    assert torch.equal(done.plate[:, ~done.hole], photo[:, ~done.hole])
    assert done.plate.min() >= 0 and done.plate.max() <= 1 and done.hole[mask > 0.5].all()


def test_the_photo_given_is_not_changed():
    photo = torch.rand(3, 40, 50)
    before = photo.clone()
    remove(photo, square((40, 50), (10, 10, 20, 20)), FlatPainter())
    assert torch.equal(photo, before)


def test_the_same_seed_gives_the_same_plate(migan, shuttle):
    photo, mask = shuttle
    one, again, other = (remove(photo, mask, migan, seed) for seed in (4, 4, 5))
    assert torch.equal(one, again) and not torch.equal(one, other)


def test_the_painter_never_sees_the_object():
    photo, mask = torch.rand(3, 90, 120) * 0.5, square((90, 120), (50, 30, 80, 60))
    photo[:, mask] = 1.0
    painter = FlatPainter()
    remove(photo, mask, painter, candidates=1)
    image, hole = painter.seen[0]
    assert (image * (1 - hole)).max() < 0.6


def test_only_the_window_is_painted_at_the_painters_size():
    painter = FlatPainter()
    remove(torch.rand(3, 700, 900), square((700, 900), (100, 100, 300, 250)), painter)
    assert max(painter.seen[0][0].shape) == 64


def test_far_parts_are_painted_one_by_one():
    mask = square((300, 400), (5, 5, 25, 25)) | square((300, 400), (350, 250, 380, 280))
    painter = FlatPainter()
    remove(torch.rand(3, 300, 400), mask, painter)
    assert len(painter.seen) == len(apart(mask)) == 2


@settings(max_examples=25, deadline=None)
@given(height=st.integers(8, 300), width=st.integers(8, 300), seed=st.integers(0, 999))
def test_windows_lie_in_the_photo_and_hold_the_hole(height, width, seed):
    generator = torch.Generator().manual_seed(seed)
    x, y = (int(torch.randint(side, (), generator=generator)) for side in (width, height))
    hole = square((height, width), (x, y, min(width, x + 40), min(height, y + 30)))
    view = window(hole, FlatPainter())
    x0, y0, x1, y1 = view.box
    assert 0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height
    assert hole[y0:y1, x0:x1].sum() == hole.sum()
    assert all(side % 8 == 0 for side in view.canvas) and max(view.content) <= 64
    assert show(torch.rand(3, height, width), view).shape[1:] == show_hole(hole, view).shape[1:] == view.canvas


def test_a_painting_off_in_colour_is_brought_back():
    truth = torch.linspace(0.2, 0.6, 160).expand(3, 120, 160).clone()
    mask = square((120, 160), (60, 40, 100, 80))
    photo = torch.where(mask, torch.ones_like(truth), truth)
    hole = hole_of(mask.float(), 8)
    off = (truth + 0.08).clamp(0, 1)
    joined = join(photo, off, hole, 4)
    assert (joined - truth)[:, hole].abs().max() < 0.03 < (off - truth).abs().max()


def test_the_rim_shows_no_step():
    truth = torch.linspace(0.2, 0.6, 160).expand(3, 120, 160).clone()
    hole = square((120, 160), (60, 40, 100, 80))
    joined = join(truth, (truth + 0.1).clamp(0, 1), hole, 6)
    step = (joined - truth)[:, outer_ring(erode(hole, 1), 2) & hole].abs().max()
    assert step < 0.02


def test_membranes_follow_a_smooth_offset():
    x = torch.linspace(-0.1, 0.1, 200).expand(3, 150, 200)
    hole = square((150, 200), (50, 40, 150, 110))
    known = hole & ~erode(hole, 6)
    assert (membrane(x, known) - x)[:, hole].abs().max() < 0.03


def test_depth_is_the_euclidean_distance():
    region = square((20, 30), (5, 4, 25, 16))
    depth = depth_inside(region)
    assert depth[10, 15] == 6 and depth[4, 5] == 1 and (depth[~region] == 0).all()
    assert torch.isinf(depth_inside(torch.ones(4, 4, dtype=torch.bool))).all()


def test_borrowed_detail_restores_the_grain():
    generator = torch.Generator().manual_seed(0)
    photo = (0.5 + 0.1 * torch.randn(1, 120, 120, generator=generator)).clamp(0, 1).expand(3, -1, -1).clone()
    hole = square((120, 120), (40, 40, 80, 80))
    small = resize(photo[None], (40, 40))[0]
    blurred = resize(small[None], (120, 120))[0]
    detailed = add_detail(photo, hole, small)
    inner = erode(hole, 4)
    wanted, without, with_it = (one[:, inner].std() for one in (photo, blurred, detailed))
    assert abs(with_it - wanted) < 0.25 * wanted < wanted - without


def test_paintings_of_full_size_need_no_detail():
    painting = torch.rand(3, 30, 40)
    assert torch.equal(add_detail(torch.rand(3, 30, 40), square((30, 40), (5, 5, 9, 9)), painting), painting)


def test_the_stranger_painting_loses():
    photo = torch.full((3, 112, 112), 0.5)
    hole = square((112, 112), (42, 42, 70, 70))
    odd = torch.where(hole, torch.tensor([1.0, 0.0, 0.0]).view(3, 1, 1), photo)
    assert strangeness(photo, hole, ColourEncoder()) < strangeness(odd, hole, ColourEncoder())


def test_patches_too_many_to_be_compared_are_means_of_several():
    class Fine(ColourEncoder):
        stride = 1

        def encode(self, images):
            return images.float() + 0.1

    photo = torch.full((3, 112, 112), 0.5)
    hole = square((112, 112), (42, 42, 70, 70))
    inside, around = plausibility.patches(photo, hole, Fine())
    assert 1000 < inside.shape[1] + around.shape[1] <= plausibility.MOST_WALKED
    odd = torch.where(hole, torch.tensor([1.0, 0.0, 0.0]).view(3, 1, 1), photo)
    assert strangeness(photo, hole, Fine()) < 1e-5 < 0.1 < strangeness(odd, hole, Fine())


def test_the_best_candidate_is_taken():
    photo, mask = torch.full((3, 112, 112), 0.5), square((112, 112), (42, 42, 70, 70))
    done = paint_out(photo, mask, FlatPainter(), candidates=5, encoder=ColourEncoder())
    assert len(done.scores[0]) == 5
    assert strangeness(done.plate, done.hole, ColourEncoder()) == pytest.approx(min(done.scores[0]))


def test_a_shadow_is_found_where_the_ground_is_darker_than_expected():
    truth = 0.6 + 0.02 * torch.rand(3, 160, 200, generator=torch.Generator().manual_seed(1))
    mask, shadow = square((160, 200), (80, 40, 120, 100)), square((160, 200), (80, 100, 140, 112))
    photo = torch.where(mask, torch.tensor([0.9, 0.1, 0.1]).view(3, 1, 1), torch.where(shadow, truth * 0.5, truth))
    found = find_shadow(photo, mask, TruthPainter(torch.full((3, 8, 8), 0.61)), torch.Generator().manual_seed(0))
    assert (found & shadow).sum() > 0.8 * shadow.sum()
    assert (found & ~dilate(shadow, 6)).sum() == 0


def test_put_back_at_its_place_the_object_is_the_photo_again(migan, shuttle):
    photo, mask = shuttle
    soft = torch.nn.functional.avg_pool2d(mask[None, None].float(), 3, 1, 1)[0, 0]
    layer, done = cut_out(photo, soft), paint_out(photo, soft, migan)
    again = reassemble(done.plate, [layer])
    inside, rim = soft > 0.5, done.hole
    assert (again - photo)[:, inside].abs().mean() <= 2 / 255
    assert torch.equal(again[:, ~rim & (layer[3] == 0)], photo[:, ~rim & (layer[3] == 0)])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"mask": torch.zeros(20, 30)}, "the mask is empty"),
        ({"mask": torch.ones(20, 30)}, "covers the whole image; nothing is left to paint from"),
        ({"mask": torch.ones(30, 20)}, "the mask must have the image's size 30 x 20, not 20 x 30"),
        ({"mask": torch.full((20, 30), torch.nan)}, "the mask holds NaN"),
        ({"image": torch.full((3, 20, 30), torch.inf)}, "the image holds NaN or infinite pixels"),
        ({"candidates": 0}, "at least one candidate"),
        ({"candidates": 3}, "choosing between 3 candidates takes an encoder"),
        ({"grow": -4}, "the hole can grow by 0 pixels or more, not -4"),
    ],
)
def test_refusals(change, sentence):
    given = {"image": torch.rand(3, 20, 30), "mask": square((20, 30), (4, 4, 9, 9)), **change}
    with pytest.raises(InputError, match=sentence):
        remove(painter=FlatPainter(), **given)
