"""The parts of a step by the clock, for comparing two versions; no time fails here, call counts do in test_calls."""

import json

import pytest
import torch

from paintseg.amcp.contrast import color_term
from paintseg.amcp.loop import start, step
from paintseg.amcp.scene import prepare
from paintseg.config import preset
from paintseg.finish.crf import DenseCRF
from paintseg.ops.kmeans import kmeans1d
from paintseg.ops.morphology import inner_ring, opening
from paintseg.prompts import box_prompt

from .small_models import MeanColour, Paints, disc_photo, embedded

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
    found = benchmark.pedantic(lambda: (field if kept else DenseCRF(PHOTO)).infer(chance), **FEW)
    assert found.shape == (SIDE, SIDE) and 0 <= found.min() < found.max() <= 1


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
    after = benchmark.pedantic(lambda: step(state, "I", Paints(lambda *_: painting), MeanColour()), **FEW)
    assert after.mask.any()
    assert color_term(after.mask, (0, 0, SIDE, SIDE), state.scene).shape == after.mask.shape


def test_answers_are_timed_from_the_first_click_on(tmp_path, capsys):
    from paintseg.__main__ import main

    file = tmp_path / "answers.json"
    assert main(["bench", "--answers", "5", "--size", "96", "--json", str(file), "-q"]) == 0
    found = json.loads(file.read_text())["answers"]
    assert {kind: one["count"] for kind, one in found.items()} == {"first": 1, "further": 5, "plate": 1}
    assert found["first"]["cpu_seconds"] > found["further"]["cpu_seconds"] > 0  # the photo is encoded once
    assert "further" in capsys.readouterr().out
