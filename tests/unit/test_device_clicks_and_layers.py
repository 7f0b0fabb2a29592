"""Clicks that correct an answer, and what layers are made of, with the models on a GPU (simulated_device.py)."""

from dataclasses import replace

import pytest
import torch

from paintseg.answers.answer import without_painting
from paintseg.layers.amodal import amodal, peel
from paintseg.layers.removal import paint_out
from paintseg.layers.shadow import find_shadow
from paintseg.ops.seeds import seeded
from paintseg.prompts import Prompt, box_prompt, point_prompt
from paintseg.segmentation import Session

from .small_models import disc_photo, embedded, iou
from .test_device import both, device, small, there  # noqa: F401  the fixtures

LEFT, DISC = disc_photo((96, 128), (64, 48), 24)
PHOTO = torch.cat([LEFT, LEFT.flip(1)], 2)  # two discs, far apart
LEFT_DISC = torch.cat([DISC, torch.zeros_like(DISC)], 1).float()
SIZE = tuple(LEFT_DISC.shape)
ONE, OTHER, ON, OFF = (64, 48), (192, 48), (64, 40), (74, 56)
CONFIG = small("balanced", steps=1, paintings=1)
PROMPTS = {
    "a second thing": point_prompt([ONE, OTHER], SIZE),
    "less of it": replace(point_prompt([ONE], SIZE), negative_points=(OFF,)),
    "less of what a box has": Prompt(SIZE, box=(30, 14, 98, 82), negative_points=(OFF, ON)),
    "more and less than a mask has": replace(point_prompt([OTHER], SIZE), mask=LEFT_DISC, negative_points=(OFF,)),
}


@pytest.mark.parametrize("name", PROMPTS)
@pytest.mark.parametrize("way", ["segment", "answer"])
def test_clicks_change_what_they_change_on_the_cpu(there, name, way):  # noqa: F811
    prompt = PROMPTS[name]

    def found(models):
        if way == "answer":
            return Session(PHOTO, models.encoder, without_painting(CONFIG)).answer(prompt).soft
        return Session(PHOTO, models.encoder, CONFIG).segment(prompt, models.painter).soft

    soft, wanted = found(there), found(embedded())
    assert soft.device.type == "cpu" and iou(soft > 0.5, wanted > 0.5) > 0.98
    for (x, y), side in [(one, True) for one in prompt.points] + [(one, False) for one in prompt.negative_points]:
        assert bool(soft[int(y), int(x)] > 0.5) == side


def test_plates_are_chosen_and_shadows_found(there, monkeypatch):  # noqa: F811
    monkeypatch.setattr("paintseg.layers.plausibility.SIZE", 168)
    found, wanted = (
        paint_out(PHOTO, LEFT_DISC, models.painter, candidates=3, shadow=True, encoder=models.encoder)
        for models in (there, embedded())
    )
    torch.testing.assert_close(found.plate, wanted.plate, atol=0.02, rtol=0)
    shadows = [find_shadow(PHOTO, LEFT_DISC > 0.5, models.painter, seeded(0)) for models in (there, embedded())]
    assert torch.equal(*shadows)


def test_photos_are_taken_apart_and_hidden_parts_completed(there):  # noqa: F811
    boxes = [box_prompt((38, 22, 90, 74), SIZE), box_prompt((166, 22, 218, 74), SIZE)]
    found, wanted = (peel(PHOTO, boxes, *both(models), CONFIG).masks for models in (there, embedded()))
    assert all(iou(one > 0.5, other > 0.5) > 0.98 for one, other in zip(found, wanted, strict=True))
    front = torch.zeros(SIZE)
    front[:, 70:100] = 1
    assert iou(*(amodal(PHOTO, front, LEFT_DISC, *both(models), CONFIG).mask for models in (there, embedded()))) > 0.98
