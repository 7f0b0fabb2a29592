"""The potential of a painting somebody else made."""

import pytest
import torch
import torch.nn.functional as F

from paintseg.config import preset
from paintseg.errors import InputError
from paintseg.prompts import point_prompt
from paintseg.tasks.painting_potential import measure


class MeanColour:
    """The plainest encoder there is: the mean colour of every cell."""

    name, stride, size = "mean colour", 8, 64

    def encode(self, images):
        return F.avg_pool2d(images.float(), self.stride)


CONFIG = preset("paper", encoder_size=128, size=128)
PHOTO = torch.rand(3, 96, 128, generator=torch.Generator().manual_seed(0))
OBJECT = torch.zeros(96, 128)
OBJECT[32:64, 40:88] = 1
PAINTED = torch.where(OBJECT > 0, 1 - PHOTO, PHOTO)
PAINTED[:, 32:48, 40:64] = 0


def test_the_potential_is_high_where_the_painting_differs():
    found = measure(PHOTO, PAINTED, OBJECT, MeanColour(), CONFIG)
    assert found.paint[34:46, 42:62].mean() > 4 * found.paint[OBJECT == 0].mean()
    assert found.total[34:46, 42:62].mean() > found.total[found.scope & (OBJECT == 0)].mean()


@pytest.mark.parametrize("size", [(96, 128), (101, 67), (40, 300)])
def test_maps_have_the_photos_size_and_span_the_scope(size):
    photo, region = torch.rand(3, *size), torch.zeros(size)
    region[10:30, 20:50] = 1
    found = measure(photo, torch.where(region > 0, 1 - photo, photo), region, MeanColour(), CONFIG)
    assert found.total.shape == found.paint.shape == found.scope.shape == size
    assert found.total[found.scope].aminmax() == (0, 1)
    assert not found.total[~found.scope].any()


def test_painting_the_background_is_measured_from_the_other_side():
    background = 1 - OBJECT
    painted = torch.where(background > 0, torch.zeros_like(PHOTO), PHOTO)
    found = measure(PHOTO, painted, background, MeanColour(), CONFIG, direction="O")
    assert found.paint[OBJECT > 0].mean() < found.paint[found.scope & (OBJECT == 0)].mean()


def test_terms_a_preset_leaves_out_are_absent():
    found = measure(PHOTO, PAINTED, OBJECT, MeanColour(), CONFIG)
    assert found.color is not None
    assert (found.prompt, found.affinity) == (None, None)
    without = preset("balanced", size=128, encoder_size=128)
    found = measure(PHOTO, PAINTED, OBJECT, MeanColour(), without)
    assert found.color is None
    assert found.affinity is not None


def test_a_point_makes_the_prompt_term():
    prompt = point_prompt([(60, 50)], (96, 128))
    found = measure(PHOTO, PAINTED, OBJECT, MeanColour(), CONFIG, prompt=prompt)
    y, x = divmod(int(found.prompt.argmax()), 128)
    assert (abs(x - 60) <= 2, abs(y - 50) <= 2) == (True, True)


@pytest.mark.parametrize(
    ("painted", "region", "words"),
    [
        (PAINTED[:, :50], OBJECT, "the painted image must have the image's size 128 x 96, not 128 x 50"),
        (PAINTED, OBJECT[:50], "the mask must have the image's size"),
        (PAINTED, torch.tensor(0.0), "the mask must have the image's size 128 x 96, not a single number"),
        (PAINTED, torch.zeros(96, 128), "the mask must cover what was repainted"),
        (PAINTED, torch.ones(96, 128), "leave something of the image"),
        (PAINTED * float("nan"), OBJECT, "NaN"),
    ],
)
def test_what_does_not_fit_together_is_refused(painted, region, words):
    with pytest.raises(InputError, match=words):
        measure(PHOTO, painted, region, MeanColour(), CONFIG)
