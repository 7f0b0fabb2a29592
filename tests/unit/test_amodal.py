"""Hidden parts: a known object, something known in front of it."""

import pytest
import torch

from paintseg.config import preset
from paintseg.errors import InputError
from paintseg.layers.amodal import amodal, peel
from paintseg.layers.stack import flatten
from paintseg.prompts import box_prompt, mask_prompt

from .small_models import MeanColour, Surroundings, disc_photo, embedded

SMALL = preset("fast", size=128, encoder_size=128, photo_size=0, steps=1)
REAL = preset("fast", size=192, encoder_size=280, photo_size=280)


@pytest.fixture(scope="module")
def models():
    return embedded()


def rectangle(box, size=(192, 256)):
    mask = torch.zeros(size, dtype=torch.bool)
    x0, y0, x1, y1 = box
    mask[y0:y1, x0:x1] = True
    return mask


@pytest.fixture(scope="module")
def scene():
    """A blue bar on grey ground, half of its middle behind a red block: photo, front mask, the bar's full mask."""
    generator = torch.Generator().manual_seed(0)
    bar, front = rectangle((40, 70, 216, 125)), rectangle((110, 95, 150, 160))
    photo = torch.full((3, 192, 256), 0.7)
    for mask, colour in ((bar, (0.1, 0.2, 0.8)), (front, (0.9, 0.1, 0.1))):
        photo = torch.where(mask, torch.tensor(colour).view(3, 1, 1), photo)
    return (photo + 0.02 * torch.randn(photo.shape, generator=generator)).clamp(0, 1), front, bar


def overlap(mask, truth):
    return float((mask & truth).sum() / (mask | truth).sum())


@pytest.fixture(scope="module")
def completed(models, scene):
    """What is made of the bar's visible part."""
    photo, front, bar = scene
    return amodal(photo, front, bar & ~front, models.painter, models.encoder, REAL)


def test_the_hidden_part_is_found(completed, scene):
    _, front, bar = scene
    assert overlap(completed.mask & front, bar & front) > 0.5  # no completion scores 0
    assert overlap(completed.mask, bar) > overlap(bar & ~front, bar)


def test_the_visible_part_is_kept_as_it_was(completed, scene):
    photo, front, bar = scene
    visible, done = bar & ~front, completed
    assert done.mask[visible].all()
    assert torch.equal(
        done.layer[:3, visible & (done.plate == photo).all(0)], photo[:, visible & (done.plate == photo).all(0)]
    )


def test_peeling_gives_one_layer_per_prompt_and_a_last_plate(models, scene):
    photo, front, bar = scene
    prompts = [box_prompt((105, 90, 155, 165), (192, 256)), box_prompt((35, 65, 221, 130), (192, 256))]
    done = peel(photo, prompts, models.painter, models.encoder, REAL)
    assert len(done.layers) == len(done.masks) == 2
    assert overlap(done.masks[0] > 0.5, front) > 0.8
    assert done.plate.shape == (3, 192, 256) and done.layers[1].shape == (4, 192, 256)


def test_a_hidden_part_is_a_layer_beneath_the_visible_one_and_both_show_what_the_one_shows(models, scene):
    photo, front, bar = scene
    done = peel(photo, [mask_prompt(front), mask_prompt(bar & ~front)], models.painter, models.encoder, REAL)
    whole, divided = done.named(), done.named("wall", hidden=True)
    assert [layer.name for layer in whole] == ["object 1", "object 2", "plate"]
    assert [layer.name for layer in divided] == ["object 1", "object 2", "object 2, hidden part", "wall"]
    seen, hidden = (layer.pixels[3] > 0 for layer in divided[1:3])
    assert not (seen & hidden).any() and (hidden & ~done.painted[1]).sum() == 0
    assert (hidden & front & bar).sum() > 0.5 * (front & bar).sum()
    assert torch.equal(flatten(divided), flatten(whole))


def test_peeling_without_prompts_takes_what_stands_out():
    photo, disc = disc_photo((96, 128), radius=26)
    done = peel(photo, None, Surroundings(), MeanColour(4), SMALL, most=1)
    (soft,) = done.masks
    assert overlap(soft > 0.5, disc) > 0.8
    assert done.layers[0].shape == (4, 96, 128)
    assert not torch.equal(done.plate[:, disc], photo[:, disc])


def test_refusals(models, scene):
    photo, front, bar = scene
    with pytest.raises(InputError, match="nothing of the object behind is visible"):
        amodal(photo, front, bar & front, models.painter, models.encoder)
    with pytest.raises(InputError, match="the front mask is empty"):
        amodal(photo, front & ~front, bar, models.painter, models.encoder)
    with pytest.raises(InputError, match="give one for each object, front to back"):
        peel(photo, [], models.painter, models.encoder)
