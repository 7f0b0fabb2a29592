"""How far a painter is believed: levels of a painted potential by hand, and painters that know or do not know."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from harness.paths import HUMAN_MASK, PHOTO, ROOT
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from paintseg.amcp import loop as amcp
from paintseg.amcp.belief import belief, believed
from paintseg.amcp.potential import places_in
from paintseg.config import PRESETS, preset
from paintseg.eval.painting import Knows
from paintseg.prompts import Prompt
from paintseg.segmentation import begin

from .small_models import embedded

ALL = torch.ones(1, 1, 4, 4, dtype=torch.bool)


def levels(low, high):
    term = torch.full((1, 1, 4, 4), low)
    term[..., 2:] = high
    return term


@pytest.mark.parametrize(
    ("low", "high", "share"),
    [
        (0.0, 0.9, 1.0),  # the background came out as it was
        (0.27, 0.9, 1.0),
        (0.375, 1.0, 0.5),  # halfway from 0.3 to 0.45
        (0.41, 0.9, 0.0),
        (0.7, 0.9, 0.0),  # as far from the photo everywhere
    ],
)
def test_a_painter_is_believed_by_how_near_the_lower_level_is_to_the_photo(low, high, share):
    assert belief(levels(low, high), places_in(ALL)) == pytest.approx(share, abs=1e-6)


@given(st.floats(0.01, 1), st.floats(0.1, 100))
def test_the_unit_of_the_distance_does_not_matter(low, unit):
    one, other = (belief(factor * levels(low, 1.5), places_in(ALL)) for factor in (1.0, unit))
    assert one == pytest.approx(other, abs=1e-4)


def test_nothing_repainted_or_nothing_different_is_no_reason_to_believe():
    assert belief(levels(0.1, 0.9), places_in(torch.zeros_like(ALL))) == 0
    assert belief(torch.zeros(1, 1, 4, 4), places_in(ALL)) == 0
    assert belief(torch.full((1, 1, 4, 4), 0.3), places_in(ALL)) == 0
    assert belief(levels(0.1, torch.nan), places_in(ALL)) == 0


def test_only_what_was_repainted_counts():
    term = levels(0.6, 0.9)
    term[..., 0, :] = 0.0  # never painted, and so as the photo
    repainted = ALL.clone()
    repainted[..., 0, :] = False
    assert belief(term, places_in(repainted)) == 0 < belief(term, places_in(ALL))


@given(st.floats(0, 1))
def test_what_the_painting_gains_the_affinity_loses(share):
    config = PRESETS["balanced"]
    weighted = believed(config, share)
    assert weighted.l_paint == pytest.approx(config.l_paint + share * (config.l_paint_sure - config.l_paint))
    assert weighted.l_paint + weighted.l_affinity == pytest.approx(config.l_paint + config.l_affinity)
    assert believed(replace(config, l_affinity=0.0), share).l_affinity >= 0


@pytest.fixture(scope="module")
def steps():
    """The first I-step on a rocket pasted over a coffee table, by what the painter knows of the table."""
    size = 256, 256

    def read(path):
        return torch.from_numpy(np.array(Image.open(path).convert("RGB").resize(size))).permute(2, 0, 1) / 255

    rocket = torch.from_numpy(np.array(Image.open(HUMAN_MASK).convert("L").resize(size)) > 127)
    table = read(ROOT / "workflows" / "assets" / "paintseg_coffee.jpg")
    image = torch.where(rocket, read(PHOTO), table)
    rows, columns = rocket.any(1).nonzero(), rocket.any(0).nonzero()
    box = (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
    models = embedded()

    def one(behind, **changes):
        config = preset("balanced", steps=1, size=256, encoder_size=280, paint_size=196, settle_reach=0, **changes)
        state = begin(image, Prompt(size=size, box=box), models.painter, models.encoder, config)
        painter = Knows(state.scene.view.crop(behind[None])[0], models.painter.multiple)
        (last,) = amcp.run(state, painter, painter, models.encoder)
        return last

    noise = torch.rand(table.shape, generator=torch.Generator().manual_seed(0))
    return {"table": one(table), "noise": one(noise), "table, believed as always": one(table, l_paint_sure=0.0)}


def test_a_painter_that_knows_what_is_behind_is_believed_and_one_that_guesses_is_not(steps):
    def share(step):
        return belief(step.potential.paint, places_in(step.region & step.potential.scope))

    assert share(steps["table"]) > 0.3
    assert share(steps["noise"]) == 0


def test_a_believed_painting_weighs_more_and_is_looked_at_as_closely_as_the_photo(steps):
    believed_, always = steps["table"].potential, steps["table, believed as always"].potential
    assert not torch.equal(believed_.paint, always.paint)  # 280 px instead of 196
    scope = believed_.scope

    def correlation(phi):
        return float(torch.corrcoef(torch.stack([phi.total[scope], phi.paint[scope]]))[0, 1])

    assert correlation(believed_) > correlation(always) + 0.02
