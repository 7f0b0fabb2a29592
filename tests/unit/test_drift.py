"""The measurement of an autoencoder's drift: its codec, its painters, its table."""

import pytest
import torch
from PIL import Image

from paintseg.config import preset
from paintseg.eval import drift
from paintseg.eval.datasets import Instance
from paintseg.models import Models
from paintseg.prompts import box_prompt
from paintseg.segment import segment

from .small_models import MeanColour, Surroundings, disc_photo

PHOTO, DISC = disc_photo((96, 128))
HOLE = torch.zeros(1, 96, 128)
HOLE[:, 24:72, 40:88] = 1


def test_the_codec_is_a_jpeg_and_far_from_the_photo_at_low_quality():
    low, high = (drift.coded(PHOTO, quality) for quality in (5, 95))
    assert low.shape == PHOTO.shape and low.min() >= 0 and low.max() <= 1
    assert (low - PHOTO).abs().mean() > 2 * (high - PHOTO).abs().mean() > 0


def test_coded_paintings_keep_what_is_outside_the_hole():
    painted = drift.CodedPainter(Surroundings(), 10, known=True).paint(PHOTO, HOLE, 2)
    outside = (HOLE < 0.5).expand_as(PHOTO)
    assert len(painted) == 2 and all(torch.equal(one[outside], PHOTO[outside]) for one in painted)


@pytest.mark.parametrize("known", [True, False])
def test_only_a_known_codec_has_a_round_trip(known):
    coded = drift.CodedPainter(Surroundings(), 10, known).round_trip(PHOTO)
    assert torch.equal(coded, drift.coded(PHOTO, 10)) if known else coded is None


def test_the_three_variants_are_three_ways_to_see_the_same_painting():
    config = preset("paper", size=128, encoder_size=128, paintings=1, steps=1, crf_iterations=2)
    terms = {}
    for name, painter in drift.painters(Surroundings(), 5).items():
        found = segment(PHOTO, box_prompt((40, 24, 88, 72), (96, 128)), painter, MeanColour(), config)
        terms[name] = found.states[0].potential.paint
    assert len({float(term.sum()) for term in terms.values()}) == 3


@pytest.mark.parametrize(("arguments", "sentence"), [
    (["--quality", "0"], "--quality must be 1 to 95, not 0"),
    (["--stride", "0"], "--stride and --limit must be at least 1"),
])
def test_bad_numbers_are_refused(arguments, sentence, capsys):
    assert drift.main(["nowhere", *arguments]) == 2
    assert sentence in capsys.readouterr().err


def test_measure_gives_the_iou_of_every_variant(tmp_path):
    for name, pixels in (("photo.png", PHOTO.permute(1, 2, 0)), ("mask.png", DISC.float())):
        Image.fromarray((pixels * 255).byte().numpy()).save(tmp_path / name)
    instance = Instance("a", "disc", tmp_path / "photo.png", tmp_path / "mask.png",
                        (44, 28, 84, 68), (64, 48), (64, 48))
    config = preset("paper", size=128, encoder_size=128, paintings=1, steps=1, crf_iterations=2)
    found = drift.measure(instance, Models(painter=Surroundings(), encoder=MeanColour()), config, quality=30)
    assert list(found) == list(drift.VARIANTS) and all(value > 0.5 for value in found.values())
