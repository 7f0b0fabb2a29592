"""A painter whose autoencoder drifts: its drift is never taken for paint."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from paintseg.amcp import loop as amcp
from paintseg.amcp.scene import prepare
from paintseg.config import preset
from paintseg.painters import round_trip
from paintseg.prompts import box_prompt

from .small_models import MeanColour, Surroundings, disc_photo, iou

SIZE = (96, 128)
PHOTO, DISC = disc_photo(SIZE)
PLAIN = preset("paper", size=128, encoder_size=128, paintings=1)
WIDE = preset("paper", size=128, encoder_size=128, paintings=1, l_color=0.0, contexts=("view", "photo", "box"))


class Drifting(Surroundings):
    """Paints as `surroundings` says, and every pixel it writes has gone through a codec that shifts colours."""

    def __init__(self, shift, surroundings=True, known=True):
        self.shift, self.surroundings = shift, surroundings
        if not known:
            self.round_trip = lambda image: None

    def round_trip(self, image):
        return (image * 0.9 + self.shift).clamp(0, 1)

    def paint(self, image, hole, count, generator):
        painted = super().paint(image, hole, count, generator) if self.surroundings else image[None]
        return torch.where(hole > 0.5, (painted * 0.9 + self.shift).clamp(0, 1), image)


def step(painter, direction="I", config=PLAIN):
    scene = prepare(PHOTO, box_prompt((40, 24, 88, 72), SIZE), MeanColour(), config, 8)
    return amcp.step(amcp.start(scene), direction, painter, MeanColour())


@pytest.mark.parametrize("direction", ["I", "O"])
@pytest.mark.parametrize("config", [PLAIN, WIDE])
def test_drift_alone_is_no_paint(direction, config):
    after = step(Drifting(0.1, surroundings=False), direction, config)
    unaware = step(Drifting(0.1, surroundings=False, known=False), direction, config)
    assert after.potential.paint.abs().max() < 1e-6 < 1e-3 < unaware.potential.paint.max()


@given(shift=st.floats(0, 0.1))
@settings(max_examples=8, deadline=None)
def test_the_object_is_found_whatever_the_drift(shift):
    after = step(Drifting(shift))
    assert iou(after.mask[0, 0], DISC) > 0.85


def test_the_round_trip_keeps_what_is_outside_the_hole_to_the_bit():
    hole = torch.zeros(1, *SIZE)
    hole[:, 20:40, 30:60] = 1
    coded = round_trip(Drifting(0.1), PHOTO, hole)
    assert torch.equal(coded[0][:, hole[0] == 0], PHOTO[:, hole[0] == 0])
    assert not torch.equal(coded[0][:, hole[0] > 0], PHOTO[:, hole[0] > 0])


def test_painters_without_an_autoencoder_are_held_against_the_photo():
    hole = torch.ones(1, *SIZE)
    assert round_trip(Surroundings(), PHOTO, hole) is None
    assert round_trip(Drifting(0.1, known=False), PHOTO, hole) is None
