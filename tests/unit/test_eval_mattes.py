"""Errors of mattes by hand, and composites whose truth is what they were made of."""

import random

import pytest
import torch

from paintseg.errors import InputError
from paintseg.eval import mattes
from paintseg.eval.mattes import BAND, SHAPES, Composite, composite, composites, errors

SIZE = (96, 128)


def test_errors_by_hand():
    truth, found = torch.zeros(40, 50), torch.zeros(40, 50)
    found[10, 10:14] = 0.5
    found[0] = 1  # outside the band
    band = torch.zeros(40, 50, dtype=torch.bool)
    band[8:20, 8:18] = True
    measured = errors(found, truth, band)
    assert measured["sad"] == pytest.approx(4 * 0.5 / 1000)
    assert measured["mse"] == pytest.approx(4 * 0.25 / 120)
    assert errors(truth, truth, band) == {"sad": 0, "mse": 0, "gradient": 0}


def test_the_gradient_error_counts_edges_that_are_not_there_and_no_constant():
    band = torch.ones(40, 50, dtype=torch.bool)
    step = torch.zeros(40, 50)
    step[:, 25:] = 1
    assert errors(torch.full((40, 50), 0.3), torch.zeros(40, 50), band)["gradient"] == pytest.approx(0, abs=1e-12)
    # a Gaussian derivative of a step is the Gaussian; its square sums to 1 / (2 sigma sqrt(pi)) along a row
    assert errors(step, torch.zeros(40, 50), band)["gradient"] == pytest.approx(
        40 / 1000 / (2 * 1.4 * 3.14159**0.5), 0.03
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_are_opaque_inside_mixed_at_the_edge_and_clear_outside(shape):
    alpha = SHAPES[shape](SIZE, random.Random(3))
    assert alpha.shape == SIZE and alpha.min() == 0 and alpha.max() == 1
    assert ((alpha > 0) & (alpha < 1)).float().mean() > 0.01
    assert torch.equal(alpha, SHAPES[shape](SIZE, random.Random(3)))
    assert not torch.equal(alpha, SHAPES[shape](SIZE, random.Random(4)))


def test_a_composite_is_the_mixture_and_its_band_holds_all_that_is_mixed():
    front, behind = torch.full((3, *SIZE), 0.9), torch.full((3, *SIZE), 0.1)
    alpha = SHAPES["defocus"](SIZE, random.Random(0))
    made = composite("defocus", "one", front, behind, alpha)
    assert torch.allclose(made.image[0], 0.1 + 0.8 * alpha)
    assert torch.equal(made.mask, alpha > 0.5)
    assert not ((alpha > 0) & (alpha < 1) & ~made.band).any()
    assert (made.band & (alpha == 1)).any() and (made.band & (alpha == 0)).any()


def test_our_matte_is_nearer_to_the_truth_than_the_mask_where_colours_tell():
    front = torch.tensor([0.9, 0.8, 0.2]).view(3, 1, 1).expand(3, *SIZE)
    behind = torch.tensor([0.1, 0.2, 0.6]).view(3, 1, 1).expand(3, *SIZE)
    for shape, draw in SHAPES.items():
        made = composite(shape, "one", front, behind, draw(SIZE, random.Random(1)))
        ways = mattes.methods()
        ours, hard = (errors(ways[name](made), made.alpha, made.band) for name in ("matte", "mask"))
        assert ours["mse"] < 0.5 * hard["mse"] and ours["sad"] < hard["sad"]


def test_composites_take_turns_with_the_shapes_and_refuse_a_single_photo():
    class Photo:
        stem = "photo"

        def image(self):
            return torch.rand(3, 60, 90, generator=torch.Generator().manual_seed(0))

    made = list(composites([Photo(), Photo()], 4))
    assert [one.shape for one in made] == ["hair", "defocus", "net", "hair"]
    assert all(isinstance(one, Composite) and max(one.image.shape) == mattes.SIDE for one in made)
    with pytest.raises(InputError, match="a composite is made of two photos; DIR holds fewer"):
        next(composites([Photo()], 1))
    assert 0 < BAND < 0.5
