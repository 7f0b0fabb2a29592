"""LaMa and MAT through spandrel, in their true shape with random weights."""

from contextlib import nullcontext

import pytest
import torch
from harness import random_models
from spandrel import MAIN_REGISTRY, ModelLoader
from torch import nn

from paintseg.errors import InputError
from paintseg.painters.feedforward import FeedForwardPainter, painter_of
from paintseg.painters.fitting import fill_smoothly

from .painter_conformance import PainterConformance, box_hole, photo, seeded


@pytest.fixture(scope="module")
def lama():
    """A descriptor as spandrel loads it: 51 M parameters in BigLaMa's own names."""
    return ModelLoader().load_from_state_dict(random_models.lama()).eval()


@pytest.fixture(scope="module")
def mat(request):
    """The same for MAT with an eighth of its channels, or with all 62 M parameters; its licence keeps it out of
    spandrel itself."""
    extra = pytest.importorskip("spandrel_extra_arches")
    MAIN_REGISTRY.add(*extra.EXTRA_REGISTRY, ignore_duplicates=True)
    with nullcontext() if request.param == "whole" else random_models.narrow_mat():
        return ModelLoader().load_from_state_dict(random_models.mat()).eval()


class TestLaMaIsAPainter(PainterConformance):
    @pytest.fixture
    def painter(self, lama):
        return painter_of(lama)

    @pytest.fixture
    def sides(self):
        return 72, 104


class Styled(nn.Module):
    """What MAT looks like from outside: it takes squares of 512 and draws a style; its weights are a handful."""

    model_arch = "MAT"

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.colours = nn.Linear(6, 3)
        self.z, self.label = torch.randn(1, 6), torch.zeros(1, 0)

    def forward(self, image, hole):
        assert image.shape == (1, 3, 512, 512) and hole.shape == (1, 1, 512, 512)
        return torch.where(hole > 0.5, self.colours(self.z).sigmoid()[..., None, None], image)


class TestMATIsAPainter(PainterConformance):
    @pytest.fixture
    def painter(self):
        return painter_of(Styled())

    @pytest.fixture
    def sides(self):
        return 72, 104

    def test_its_own_style_is_left_as_it_was(self, painter, request_of):
        style, label = painter.module.z, painter.module.label
        painter.paint(*request_of, 2, seeded(0))
        assert painter.module.z is style and painter.module.label is label


class Called(nn.Module):
    """Returns what it is told to; it has no weights."""

    def __init__(self, made):
        super().__init__()
        self.made = made

    def forward(self, image, hole):
        return self.made(image)


def test_a_network_without_weights_paints():
    painted = FeedForwardPainter(Called(lambda image: image * 0), square=False).paint(photo(64, 64), box_hole(64, 64))
    assert not painted[:, box_hole(64, 64).expand(1, 3, -1, -1)[0] > 0.5].any()


@pytest.mark.parametrize(
    ("module", "sentence"),
    [
        (nn.Conv2d(3, 3, 1), r"Conv2d cannot be called with an image and a mask as inpainting models are: "),
        (Called(lambda image: (image, image)), r"Called is no inpainting model: it made a tuple of \(1, 3, 64, 64\)"),
        (Called(lambda image: None), r"Called is no inpainting model: it made a NoneType of \(1, 3, 64, 64\)"),
        (
            Called(lambda image: image[:, :1]),
            r"Called is no inpainting model: it made \(1, 1, 64, 64\) of \(1, 3, 64, 64\)",
        ),
        (Called(lambda image: image[..., :9]), r"Called is no inpainting model: it made \(1, 3, 64, 9\) of"),
    ],
)
def test_a_module_that_does_not_inpaint_is_refused(module, sentence):
    with pytest.raises(InputError, match=sentence):
        painter_of(module).paint(photo(64, 64), box_hole(64, 64), 1, seeded(0))


def test_lama_paints_what_spandrel_paints_as_it_is_and_mirrored(lama):
    hole = torch.ones(1, 64, 64)
    hole[:, ::63, ::63] = 0  # the corners: a hole that leaves no room to move the photo
    image = fill_smoothly(photo(64, 64), hole)
    with torch.no_grad():
        seen = lama(image[None], hole[None]), lama(image.flip(-1)[None], hole.flip(-1)[None]).flip(-1)
    painted = FeedForwardPainter(lama.model, lama).paint(image, hole, 2, seeded(0))
    assert sorted(int(torch.allclose(painted[0], one[0], atol=1e-5)) for one in seen) == [0, 1]
    assert sorted(int(torch.allclose(painted[1], one[0], atol=1e-5)) for one in seen) == [0, 1]
    assert not torch.equal(painted[0], painted[1])


@pytest.mark.parametrize("mat", ["narrow", pytest.param("whole", marks=pytest.mark.long)], indirect=True)
def test_mat_paints_at_its_own_size_and_varies_with_the_seed(mat):
    painter = painter_of(mat)
    image, hole = photo(96, 128), box_hole(96, 128)
    first, again, other = (painter.paint(image, hole, 1, seeded(seed))[0] for seed in (1, 1, 2))
    assert torch.equal(first[:, hole[0] == 0], image[:, hole[0] == 0]) and not torch.equal(first, image)
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_a_module_called_with_image_and_mask_is_an_inpainting_model():
    class Grey(nn.Module):
        def __init__(self):
            super().__init__()
            self.level = nn.Parameter(torch.tensor(0.5))

        def forward(self, image, mask):
            return image * (1 - mask) + mask * self.level

    painted = painter_of(Grey()).paint(photo(16, 16), box_hole(16, 16), 1, seeded(0))
    assert (painted[0][:, box_hole(16, 16)[0] > 0] == 0.5).all()


def test_what_does_not_inpaint_is_refused_by_name():
    upscaler = ModelLoader().load_from_state_dict(random_models.upscaler())
    for model, name in ((upscaler, "ESRGAN"), (object(), "object")):
        with pytest.raises(InputError, match=f"{name} is no inpainting model"):
            painter_of(model)
