"""The parts of a step by the clock, for comparing two versions; no time fails here, call counts do in test_calls."""

import pytest
import torch

from paintseg.amcp import start, step
from paintseg.cli.reference import Replay
from paintseg.clustering import kmeans1d
from paintseg.config import preset
from paintseg.contrast import color_term
from paintseg.crf import DenseCRF
from paintseg.morphology import inner_ring, opening
from paintseg.prompts import box_prompt
from paintseg.scene import prepare

from .small_models import MeanColour, disc_photo, embedded

pytest.importorskip("pytest_benchmark", reason="pytest-benchmark is not installed; it is in the extra test")

SIDE = 256
PHOTO, DISC = disc_photo((SIDE, SIDE), (128, 128), 80)
FEW = {"rounds": 3, "warmup_rounds": 1}


def test_painting(benchmark):
    hole = torch.zeros(1, SIDE, SIDE)
    hole[:, 64:192, 64:192] = 1
    painter, generator = embedded().painter, torch.Generator().manual_seed(0)
    painting = benchmark.pedantic(painter.paint, (PHOTO, hole, 1, generator), **FEW)
    assert painting.shape == (1, 3, SIDE, SIDE)


def test_encoding(benchmark):
    tokens = benchmark.pedantic(embedded().encoder.encode, (PHOTO[None, :, :224, :224],), **FEW)
    assert tokens.shape[2:] == (16, 16)


@pytest.mark.parametrize("kept", [False, True], ids=["lattice built", "lattice kept"])
def test_crf(benchmark, kept):
    field, chance = DenseCRF(PHOTO), 0.2 + 0.6 * DISC.float()
    labels = torch.stack([1 - chance, chance])
    found = benchmark.pedantic(lambda: (field if kept else DenseCRF(PHOTO)).infer(labels), **FEW)
    assert torch.allclose(found.sum(0), torch.ones(SIDE, SIDE))


@pytest.mark.parametrize("k", [2, 3])
def test_clustering_of_a_step_s_values(benchmark, k):
    values = torch.rand(5 * SIDE * SIDE, generator=torch.Generator().manual_seed(0))
    assert len(benchmark.pedantic(kmeans1d, (values, k), **FEW).thresholds) == k - 1


def test_morphology(benchmark):
    ring = benchmark.pedantic(lambda: inner_ring(opening(DISC[None, None], 2), 16), **FEW)
    assert ring.any()


def test_all_of_a_step_but_the_models(benchmark):
    config = preset("paper", size=SIDE, encoder_size=64)
    state = start(prepare(PHOTO, box_prompt((48, 48, 208, 208), (SIDE, SIDE)), MeanColour(), config))
    painting = torch.rand(5, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    after = benchmark.pedantic(lambda: step(state, "I", Replay(painting), MeanColour()), **FEW)
    assert after.mask.any()
    assert color_term(after.mask, (0, 0, SIDE, SIDE), state.scene).shape == after.mask.shape
