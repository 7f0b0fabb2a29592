"""The matte: its matrix against the formula written out, its result against mattes that are known."""

import numpy as np
import pytest
import torch

from paintseg.errors import InputError
from paintseg.layers.compose import blur
from paintseg.layers.local import local_count, local_mean
from paintseg.layers.matting import carry, laplacian, matte

GENERATOR = torch.Generator().manual_seed(0)


def noise(*shape):
    return torch.rand(*shape, generator=GENERATOR)


def formula(image, radius, epsilon):
    """The matting Laplacian of eq. 12, entry by entry, with windows cut at the border."""
    height, width = image.shape[1:]
    matrix = np.zeros((height * width, height * width))
    for y in range(height):
        for x in range(width):
            rows = range(max(0, y - radius), min(height, y + radius + 1))
            columns = range(max(0, x - radius), min(width, x + radius + 1))
            places = [row * width + column for row in rows for column in columns]
            colours = image.flatten(1).T.numpy()[places]
            centred, count = colours - colours.mean(0), len(places)
            inverse = np.linalg.inv(centred.T @ centred / count + epsilon / count * np.eye(3))
            matrix[np.ix_(places, places)] += np.eye(count) - (1 + centred @ inverse @ centred.T) / count
    return matrix


@pytest.mark.parametrize("radius", [1, 2])
def test_multiplication_is_the_formulas(radius):
    image, values = noise(3, 6, 7).double(), noise(6, 7).double()
    expected = formula(image, radius, 1e-5) @ values.flatten().numpy()
    assert np.allclose(laplacian(image, radius)(values).flatten().numpy(), expected, atol=1e-6)


def test_means_and_counts_are_those_of_the_windows():
    values = noise(5, 6)
    window = values[1:5, 0:4]  # radius 2 around (3, 1), cut at the left and below
    assert float(local_mean(values[None], 2)[0, 3, 1]) == pytest.approx(float(window.mean()))
    assert int(local_count((5, 6), 2)[0, 3, 1]) == window.numel()


def strands(size=(160, 200), hairs=60):
    """A disc with hair, H x W in [0, 1], and what a segmenter would say of it: the disc, its edge soft."""
    ys, xs = torch.meshgrid(torch.arange(size[0]) + 0.5, torch.arange(size[1]) + 0.5, indexing="ij")
    disc = ((xs - 100) ** 2 + (ys - 80) ** 2 < 45**2).float()
    true = disc.clone()
    for angle in np.linspace(0, 2 * np.pi, hairs, endpoint=False):
        for length in np.arange(40, 56, 0.25):
            x, y = 100 + length * np.cos(angle + length / 60), 80 + length * np.sin(angle + length / 60)
            true[int(y), int(x)] = 1
    return blur(true[None, None], 0.5)[0, 0].clamp(0, 1), blur(disc[None, None], 2.0)[0, 0]


@pytest.fixture(scope="module")
def hairy():
    true, soft = strands()
    front = torch.tensor([0.35, 0.2, 0.1])[:, None, None] + 0.05 * noise(3, 160, 200)
    back = torch.tensor([0.5, 0.7, 0.9])[:, None, None] + 0.05 * noise(3, 160, 200)
    return true * front + (1 - true) * back, true, soft


def test_hair_comes_out_that_the_mask_has_not(hairy):
    image, true, soft = hairy
    band = 0.15
    found = matte(image, soft, band)
    assert (found - true).abs().mean() < 0.4 * (soft - true).abs().mean()


@pytest.mark.parametrize("band", [0.0, 0.03, 0.1])
def test_beyond_the_band_the_mask_is_kept(hairy, band):
    image, _, soft = hairy
    found, hard = matte(image, soft, band), soft > 0.5
    far = blur((found != hard.float()).float()[None, None], 0.5)[0, 0] == 0
    assert torch.equal(found[far], hard[far].float())
    if band == 0:
        assert far.all()


def test_a_photo_larger_than_what_is_solved_has_a_matte_of_its_own_size(hairy, monkeypatch):
    image, true, soft = hairy
    monkeypatch.setattr("paintseg.layers.matting.SIDE", 90)
    found = matte(image, soft, 0.15)
    assert found.shape == soft.shape
    assert (found - true).abs().mean() < 0.6 * (soft - true).abs().mean()


def test_carrying_to_the_same_size_keeps_what_colours_explain(hairy):
    image, true, _ = hairy
    assert (carry(true, image, image, 2) - true).abs().mean() < 0.02


def test_without_colours_to_go_by_the_probability_decides():
    soft = strands()[1]
    found = matte(torch.full((3, *soft.shape), 0.5), soft, 0.05)
    assert (found - soft).abs().max() < 0.35 and ((found > 0.5) == (soft > 0.5)).float().mean() > 0.99


@pytest.mark.parametrize("band", [-0.1, 0.6, float("nan")])
def test_bands_that_mean_nothing_are_refused(hairy, band):
    with pytest.raises(InputError, match="the band of a matte is 0 to 0.5 of the object's side, not"):
        matte(hairy[0], hairy[2], band)


def test_an_object_that_is_everything_is_opaque():
    assert matte(noise(3, 20, 30), torch.ones(20, 30)).eq(1).all()
