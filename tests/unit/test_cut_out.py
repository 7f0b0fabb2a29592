"""The object alone: matte, and colour un-mixed at the edge."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from paintseg.errors import InputError
from paintseg.layers.cutout import cut_out


def disc(size=96, radius=30.0, soft=4.0):
    """H x W alpha of a disc whose edge is `soft` pixels wide."""
    line = torch.arange(size) + 0.5 - size / 2
    distance = (line[:, None] ** 2 + line**2).sqrt()
    return ((radius - distance) / soft + 0.5).clamp(0, 1)


def plain(colour, size=96):
    return torch.tensor(colour).view(3, 1, 1).expand(3, size, size).clone()


def test_the_background_is_taken_out_of_the_edge():
    alpha, front, back = disc(), plain([0.9, 0.2, 0.1]), plain([0.1, 0.3, 0.8])
    layer = cut_out(alpha * front + (1 - alpha) * back, alpha, levels=(0.0, 1.0))
    edge = (alpha > 0.1) & (alpha < 1)
    assert (layer[:3] - front)[:, edge].abs().max() < 0.02
    assert torch.equal(layer[3], alpha)


def test_no_halo_on_another_background():
    alpha, front, back, other = disc(), plain([0.9, 0.9, 0.9]), plain([0.0, 0.0, 0.0]), plain([0.0, 1.0, 0.0])
    layer = cut_out(alpha * front + (1 - alpha) * back, alpha, levels=(0.0, 1.0))
    composed = layer[3] * layer[:3] + (1 - layer[3]) * other
    naive = alpha * (alpha * front + (1 - alpha) * back) + (1 - alpha) * other
    truth = alpha * front + (1 - alpha) * other
    assert (composed - truth).abs().max() < 0.03 < (naive - truth).abs().max()


def test_opaque_pixels_keep_their_bits():
    image, alpha = torch.rand(3, 96, 96), disc()
    layer = cut_out(image, alpha)
    assert torch.equal(layer[:3, alpha >= 0.95], image[:, alpha >= 0.95])
    assert (layer[3, alpha >= 0.95] == 1).all() and (layer[3, alpha <= 0.05] == 0).all()


def test_a_hard_mask_can_be_softened():
    hard = (disc() > 0.5).float()
    assert cut_out(torch.rand(3, 96, 96), hard)[3].unique().tolist() == [0, 1]
    softened = cut_out(torch.rand(3, 96, 96), hard, soften=1.5)[3]
    assert ((softened > 0.2) & (softened < 0.8)).any()
    assert ((softened > 0.5) == (hard > 0.5)).float().mean() > 0.99


@settings(max_examples=20, deadline=None)
@given(height=st.integers(1, 40), width=st.integers(1, 40), seed=st.integers(0, 99))
def test_layers_are_finite_and_in_range_for_any_size(height, width, seed):
    generator = torch.Generator().manual_seed(seed)
    alpha = torch.rand(height, width, generator=generator)
    alpha[0, 0] = 1
    layer = cut_out(torch.rand(3, height, width, generator=generator), alpha, soften=seed % 3)
    assert layer.shape == (4, height, width) and layer.min() >= 0 and layer.max() <= 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"soft": torch.zeros(8, 8)}, "the mask is empty"),
        ({"soft": torch.ones(4, 8)}, "the mask must have the image's size 8 x 8, not 8 x 4"),
        ({"soft": torch.full((8, 8), torch.nan)}, "the mask holds NaN"),
        ({"image": torch.rand(8, 8)}, "the image must be 3 x H x W"),
        ({"levels": (0.9, 0.1)}, "the levels must be"),
        ({"soften": -1.0}, "softened by 0 to 100 pixels"),
    ],
)
def test_refusals(change, sentence):
    with pytest.raises(InputError, match=sentence):
        cut_out(**{"image": torch.rand(3, 8, 8), "soft": torch.ones(8, 8), **change})


def test_levels_that_nearly_meet_are_a_step():
    soft = torch.tensor([[0.0, 0.4, 0.6, 1.0]]).expand(3, 4)
    for low, high in ((0.5, 0.5 + 1e-12), (0.0, 1e-99)):
        alpha = cut_out(torch.rand(3, 3, 4), soft, levels=(low, high))[3]
        assert torch.equal(alpha, (soft > low).float())
