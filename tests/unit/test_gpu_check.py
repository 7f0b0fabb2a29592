"""`scripts/gpu_check`: its whole path, small, on the processor and on the simulated device; and what it is made of."""

import json
import os
import runpy
import shutil
import subprocess
import sys
import threading

import pytest
import torch
from harness.gpu import report
from harness.gpu.diffusion import SD15, SDXL, TINY, Coder, UNet
from harness.gpu.painter import SizedPainter
from harness.gpu.photos import photos
from harness.paths import HUMAN_MASK, PHOTO, ROOT
from PIL import Image

from paintseg.errors import InputError

from .painter_conformance import PainterConformance
from .simulated_device import SimulatedDevice

check = runpy.run_path(str(ROOT / "scripts" / "gpu_check"))["main"]
CROSS, PLAIN = ("CrossAttnDownBlock2D", "CrossAttnUpBlock2D"), ("DownBlock2D", "UpBlock2D")
THEIRS = {
    SD15: {"sample_size": 64, "cross_attention_dim": 768, "attention_head_dim": 8},
    SDXL: {
        "sample_size": 128,
        "cross_attention_dim": 2048,
        "attention_head_dim": (5, 10, 20),
        "transformer_layers_per_block": (1, 2, 10),
        "use_linear_projection": True,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 2816,
    },
}


def count(module):
    return sum(one.numel() for one in module.parameters())


# The painters' shapes


@pytest.mark.parametrize("shape", [SD15, SDXL], ids=lambda shape: shape.name)
def test_the_networks_have_as_many_parameters_as_diffusers_own(shape):
    diffusers = pytest.importorskip("diffusers")
    attends = [bool(depth) for depth in shape.depths]
    with torch.device("meta"):
        unet = diffusers.UNet2DConditionModel(
            in_channels=9,
            block_out_channels=shape.channels,
            down_block_types=tuple((CROSS if one else PLAIN)[0] for one in attends),
            up_block_types=tuple((CROSS if one else PLAIN)[1] for one in reversed(attends)),
            **THEIRS[shape],
        )
        coder = diffusers.AutoencoderKL(
            block_out_channels=shape.coder,
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            layers_per_block=2,
            latent_channels=4,
        )
        assert count(UNet(shape)) == count(unet) and count(Coder(shape)) == count(coder)


@pytest.mark.parametrize("shape", [SD15, SDXL], ids=lambda shape: shape.name)
def test_the_networks_give_latents_of_the_size_they_were_given(shape):
    side = shape.size // 8
    with torch.device("meta"):
        unet, coder = UNet(shape), Coder(shape)
        added = torch.zeros(2, shape.pooled) if shape.pooled else None
        found = unet(torch.zeros(2, 9, side, side), torch.zeros(2), torch.zeros(2, 77, shape.context), added)
        assert found.shape == (2, 4, side, side)
        assert coder.encode(torch.zeros(1, 3, shape.size, shape.size)).shape == (1, 8, side, side)
        assert coder.decode(torch.zeros(1, 4, side, side)).shape == (1, 3, shape.size, shape.size)


class TestAPainterOfRandomWeightsIsAPainter(PainterConformance):
    @pytest.fixture
    def painter(self):
        return SizedPainter(TINY, "cpu", torch.float32, steps=2)


# The sections


@pytest.mark.slow
def test_the_whole_path_runs_small_from_a_part_of_the_checkout_below_60_mb(tmp_path):
    page = runpy.run_path(str(ROOT / "scripts" / "gpu_check"))["__doc__"]
    parts = page.split("git archive HEAD")[1].split("|")[0].replace("\\", " ").split()
    for part in parts:
        there, skipped = tmp_path / part, shutil.ignore_patterns("__pycache__")
        there.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, there, ignore=skipped)
        else:
            shutil.copy(ROOT / part, there)
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) < 60e6
    argv = [sys.executable, "scripts/gpu_check", "--quick", "--device", "cpu", "--json", "card.json"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    assert [name for name in report.SECTIONS if "error" in found[name] or "took" not in found[name]] == []
    assert found["masks"]["worst"]["iou"] == 1 and found["memory"]["two_runs_iou"] == 1
    assert set(found["presets"]) == {"fast", "balanced", "best", "paper", "took"}
    for section in (found["sd15"], found["sdxl"], found["embedded"]["balanced"]):
        assert section["loop"] >= section["painter"] + section["encoder"] > 0 and 0 <= section["neither"] < 1
    said = done.stdout
    assert "| crf, processor |" in said and "| sd15 |" in said and said.count("holds") >= 2


@pytest.mark.slow
def test_the_path_runs_with_its_models_on_a_card():
    only = ["masks", "embedded", "sd15", "crf", "walks", "clustering", "finish"]
    with SimulatedDevice() as device:
        found = report.check(None, "cuda", True, 1e9, only, lambda said: None)
    assert [(name, found[name]) for name in only if "error" in found[name]] == []
    assert found["masks"]["worst"]["iou"] > 0.98 and found["clustering"]["k = 2"]["apart"] < 1e-5
    assert device.left  # something was there


def test_a_section_that_fails_costs_none_of_the_others(monkeypatch, tmp_path, capsys):
    def fail(bench):
        raise RuntimeError("no card that cold")

    monkeypatch.setitem(report.SECTIONS, "memory", report.Section(fail, 1))
    argv = ["--quick", "--device", "cpu", "--only", "memory,clustering", "--json", str(tmp_path / "card.json")]
    assert check(argv) == 1
    found = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    assert found["memory"]["error"] == "RuntimeError: no card that cold" and "raise RuntimeError" in str(
        found["memory"]
    )
    assert found["clustering"]["k = 3"]["apart"] == 0
    assert [one["holds"] for one in found["claims"]] == [None] * len(report.CLAIMS)
    assert "no card that cold" in capsys.readouterr().out


def test_what_no_longer_fits_the_time_is_skipped_and_named(capsys):
    assert check(["--quick", "--device", "cpu", "--seconds", "0.001", "--only", "sdxl"]) == 0
    assert "| sdxl |  |  | skipped" in capsys.readouterr().out


class Watch:
    """A timer whose time is up when a test says so."""

    def __init__(self, seconds, call):
        self.daemon, Watch.seconds, Watch.time_is_up = False, seconds, call

    def start(self):
        pass

    def cancel(self):
        pass


def test_a_section_that_hangs_is_given_up_and_the_others_figures_are_told(monkeypatch, tmp_path, capsys):
    def leave(code):
        raise SystemExit(code)

    monkeypatch.setattr(threading, "Timer", Watch)
    monkeypatch.setattr(os, "_exit", leave)
    monkeypatch.setitem(report.SECTIONS, "memory", report.Section(lambda bench: Watch.time_is_up(), 1))
    with pytest.raises(SystemExit) as left:
        check(["--quick", "--device", "cpu", "--only", "memory", "--json", str(tmp_path / "card.json")])
    found = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    assert left.value.code == 1 and found["seconds"] == Watch.seconds <= 8 * 60
    assert "still under way" in found["memory"]["error"] and found["machine"]["torch"] in capsys.readouterr().out


@pytest.mark.parametrize("name", [claim.says for claim in report.CLAIMS])
def test_claims_hold_and_break(name):
    claim = next(one for one in report.CLAIMS if one.says == name)
    verdicts = set()
    for value in (0.0, 1e6):
        found = value
        for step in reversed(claim.place):
            found = {step: found}
        verdicts |= {one["holds"] for one in report.claims(found) if one["claim"] == name}
    assert verdicts == {True, False}


# Photos


def test_a_folders_masks_say_where_objects_are(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    for name in ("a", "b"):
        Image.open(PHOTO).convert("RGB").save(tmp_path / "images" / f"{name}.jpg")
    Image.open(HUMAN_MASK).save(tmp_path / "masks" / "a.png")
    first, second = photos(tmp_path, 30)
    assert first.box.box == (355, 0, 473, 291) and first.point.points == ((414, 145.5),)
    assert second.box.box == pytest.approx((102.4, 102.4, 409.6, 409.6))
    assert len(photos(tmp_path, 1)) == 1


def test_without_a_folder_photos_are_made_up():
    found = photos(None, 5)
    assert len({one.name for one in found}) == 5 and found[0].box.box == (355, 0, 473, 291)
    assert max(found[0].smaller(96).image.shape) == 96


def test_folders_without_pictures_and_unknown_sections_are_refused(tmp_path, capsys):
    with pytest.raises(InputError, match="holds no pictures"):
        photos(tmp_path, 1)
    assert check([str(tmp_path), "--device", "cpu"]) == 2
    assert check(["--only", "gpu"]) == 2
    assert "there is no section 'gpu'" in capsys.readouterr().err
