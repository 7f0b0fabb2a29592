"""What stands out, found without a prompt, on the embedded encoder."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import linalg

from paintseg.encoders.dino import load_dinov2_small
from paintseg.errors import InputError
from paintseg.io.masks import read_mask
from paintseg.io.reading import read_photo
from paintseg.locate.discovery import coarse_mask, coarse_masks, normalised_cut, second_eigenvector

ASSETS = Path(__file__).resolve().parents[2] / "workflows" / "assets"


@pytest.fixture(scope="module")
def encoder():
    return load_dinov2_small()


@pytest.fixture(scope="module")
def photo():
    return read_photo(ASSETS / "paintseg_astronaut.png")


@pytest.fixture(scope="module")
def thing():
    """The example's object alone: colours 3 x h x w and coverage h x w."""
    colours = read_photo(ASSETS / "paintseg_astronaut.png")
    mask = read_mask(ASSETS / "paintseg_astronaut_mask.png")
    ys, xs = (mask > 0.5).nonzero().T
    top, bottom, left, right = int(ys.min()), int(ys.max()) + 1, int(xs.min()), int(xs.max()) + 1
    return colours[:, top:bottom, left:right], mask[top:bottom, left:right]


def collage(thing, places, size=(360, 480)):
    """The thing put down at places (x, y) of a smooth wall, and one mask per place."""
    colours, cover = thing
    height, width = cover.shape
    shade = torch.linspace(0.55, 0.75, size[1]).expand(size)
    picture, masks = torch.stack([shade, shade * 0.95, shade * 0.85]), []
    for x, y in places:
        mask = torch.zeros(size)
        mask[y : y + height, x : x + width] = cover
        window = picture[:, y : y + height, x : x + width]
        window.copy_(cover * colours + (1 - cover) * window)
        masks.append(mask > 0.5)
    return picture, masks


def iou(first, second):
    return float((first & second).sum() / (first | second).sum())


def symmetric(count, seed=0):
    values = torch.rand(count, count, generator=torch.Generator().manual_seed(seed))
    return values + values.T


@pytest.mark.parametrize("count", [2, 12, 150])
def test_second_eigenvector_solves_the_generalised_problem(count):
    weights = symmetric(count)
    degree = torch.diag(weights.sum(1)).double().numpy()
    wanted = linalg.eigh(degree - weights.double().numpy(), degree, subset_by_index=[1, 1])[1][:, 0]
    found = second_eigenvector(weights)
    assert abs(wanted @ found) / np.linalg.norm(wanted) / np.linalg.norm(found) == pytest.approx(1, abs=1e-3)


def test_second_eigenvector_parts_two_cliques():
    weights = torch.full((60, 60), 0.01)
    weights[:25, :25] = weights[25:, 25:] = 1
    values = second_eigenvector(weights)
    assert set(np.sign(values[:25])) == {-np.sign(values[30])}
    assert len(set(np.sign(values[25:]))) == 1


def test_normalised_cut_is_shi_and_maliks():
    inside, others = torch.eye(2), torch.tensor([[0.0], [1.0]])  # keys C x n: two, and one that equals the second
    far = float(np.exp(-7.0))
    across = far + 1
    assert normalised_cut(inside, others) == pytest.approx(across / (across + 2 + 2 * far) + across / (across + 1))


def test_finds_the_person_of_the_example(photo, encoder):
    mask = coarse_mask(photo, encoder)
    assert mask.shape == photo.shape[1:]
    assert mask.min() >= 0 and mask.max() <= 1
    assert mask[110, 220] > 0.5  # her face
    assert mask[0, 0] < 0.5 and mask[0, -1] < 0.5


def test_finds_a_thing_put_on_a_wall(thing, encoder):
    picture, (mask,) = collage(thing, [(180, 60)])
    assert iou(coarse_mask(picture, encoder) > 0.5, mask) > 0.6


def test_one_mask_takes_twins_together_and_several_take_them_apart(thing, encoder):
    picture, twins = collage(thing, [(20, 40), (330, 40)])
    assert iou(coarse_mask(picture, encoder) > 0.5, twins[0] | twins[1]) > 0.6
    first, second = (mask > 0.5 for mask in coarse_masks(picture, encoder, most=2))
    assert sorted(max((0, 1), key=lambda place: iou(mask, twins[place])) for mask in (first, second)) == [0, 1]
    assert not (first & second).any()


def test_there_are_as_many_masks_as_asked_for_at_most(photo, encoder):
    assert len(coarse_masks(photo, encoder, most=1)) == 1
    with pytest.raises(InputError, match="at least 1"):
        coarse_masks(photo, encoder, most=0)


def test_when_sure_what_fills_the_rim_is_no_object(thing, encoder):
    picture, (mask,) = collage(thing, [(180, 60)])
    (sure,) = coarse_masks(picture, encoder, most=1, sure=True)
    assert iou(sure > 0.5, mask) > 0.6
    tilted = torch.linspace(0, 1, 480).expand(3, 360, 480).clone()
    tilted[:, 180:] = 0.2
    assert len(coarse_masks(tilted, encoder, most=1)) == 1
    with pytest.raises(InputError, match="nothing stands out"):
        coarse_masks(tilted, encoder, sure=True)


def test_the_same_photo_gives_the_same_mask(photo, encoder):
    assert torch.equal(coarse_mask(photo, encoder, 20), coarse_mask(photo, encoder, 20))


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (200, 300)])
@pytest.mark.parametrize("find", [coarse_mask, coarse_masks])
def test_one_colour_is_refused(find, size, encoder):
    with pytest.raises(InputError, match="one colour"):
        find(torch.full((3, *size), 0.4), encoder)


@pytest.mark.parametrize("size", [(1, 2), (1, 50), (3, 400), (400, 9), (17, 17)])
def test_small_and_thin_photos_have_a_mask(size, encoder):
    noise = torch.rand(3, *size, generator=torch.Generator().manual_seed(1))
    mask = coarse_mask(noise, encoder, cells=12)
    assert mask.shape == size
    assert torch.isfinite(mask).all()


def test_broken_photos_are_refused(encoder):
    with pytest.raises(InputError, match="NaN"):
        coarse_mask(torch.full((3, 20, 20), float("nan")), encoder)
    with pytest.raises(InputError, match="3 x H x W"):
        coarse_mask(torch.rand(20, 20), encoder)
