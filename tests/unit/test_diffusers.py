"""diffusers pipelines, tiny and random, made from diffusers' own configuration classes."""

import runpy
from types import SimpleNamespace

import pytest
import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    StableDiffusionInpaintPipeline,
    UNet2DConditionModel,
    UNet2DModel,
    VQModel,
)
from harness import comfyui
from harness.paths import PHOTO, ROOT
from harness.pipelines import load_pipeline
from PIL import Image
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from paintseg.config import PRESETS, preset
from paintseg.errors import InputError, PainterError
from paintseg.eval.methods import cached_painter
from paintseg.eval.task import Task
from paintseg.painters.diffusers import DiffusersPainter
from paintseg.painters.latent_diffusion import LatentInpainting

from .painter_conformance import PainterConformance, box_hole, photo, seeded
from .test_reproduce import a_set


@pytest.fixture(scope="module")
def stable_diffusion():
    """Nine channels in, as Stable Diffusion's inpainting model; 64 px."""
    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        sample_size=8,
        in_channels=9,
        out_channels=4,
        block_out_channels=(8, 16),
        layers_per_block=1,
        norm_num_groups=4,
        cross_attention_dim=16,
        attention_head_dim=2,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    )
    vae = AutoencoderKL(
        block_out_channels=(8,) * 4,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=4,
    )
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=49408, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2
        )
    )
    tokenizer = CLIPTokenizer.from_pretrained(comfyui.FOLDER / "comfy" / "sd1_tokenizer", model_max_length=77)
    pipeline = StableDiffusionInpaintPipeline(
        vae=vae,
        text_encoder=text,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=DDIMScheduler(steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.fixture(scope="module")
def latent_diffusion():
    """Seven channels in: noisy latent, latent of the masked photo, mask; f = 4."""
    torch.manual_seed(0)
    vqvae = VQModel(
        block_out_channels=(8, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        latent_channels=3,
        norm_num_groups=4,
        num_vq_embeddings=64,
    )
    unet = UNet2DModel(
        sample_size=16,
        in_channels=7,
        out_channels=3,
        block_out_channels=(8, 16),
        layers_per_block=1,
        norm_num_groups=4,
        attention_head_dim=4,
        down_block_types=("DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D"),
    )
    return LatentInpainting(vqvae, unet, DDIMScheduler())


class TestStableDiffusionIsAPainter(PainterConformance):
    @pytest.fixture
    def painter(self, stable_diffusion):
        return DiffusersPainter(stable_diffusion, steps=2)


class TestLatentDiffusionIsAPainter(PainterConformance):
    @pytest.fixture
    def painter(self, latent_diffusion):
        return DiffusersPainter(latent_diffusion, steps=2, multiple=16)


def test_the_painting_is_the_pipelines_own(stable_diffusion):
    image, hole = photo(64, 64), torch.ones(1, 64, 64)
    painted = DiffusersPainter(stable_diffusion, steps=2).paint(image, hole, 1, seeded(3))
    seed = int(torch.randint(2**62, (), generator=seeded(3)))
    oracle = stable_diffusion(
        prompt="",
        image=torch.full((1, 3, 64, 64), 0.5),
        mask_image=hole[None],
        num_inference_steps=2,
        guidance_scale=7.5,
        height=64,
        width=64,
        generator=torch.Generator().manual_seed(seed),
        output_type="pt",
    ).images
    assert torch.allclose(painted, oracle, atol=1e-6)


def test_size_and_multiple_are_the_pipelines(stable_diffusion, latent_diffusion):
    assert DiffusersPainter(stable_diffusion).size == 64
    assert DiffusersPainter(latent_diffusion).size == 64
    assert DiffusersPainter(stable_diffusion, size=128).size == 128


def test_pipelines_that_do_not_inpaint_and_unknown_options_are_refused(stable_diffusion):
    with pytest.raises(InputError, match="function is no inpainting pipeline"):
        DiffusersPainter(lambda prompt: None)
    with pytest.raises(InputError, match="does not know colour"):
        DiffusersPainter(stable_diffusion, colour="red")


def test_a_painting_the_safety_checker_blacked_out_is_no_painting():
    class Prude:
        def __call__(self, prompt, image, mask_image):
            return type("Result", (), {"images": image * 0, "nsfw_content_detected": [True]})

    with pytest.raises(PainterError, match="safety checker of Prude"):
        DiffusersPainter(Prude()).paint(photo(64, 64), box_hole(64, 64), 1, None)


def test_the_reference_setup_runs_on_folders_of_either_kind(stable_diffusion, latent_diffusion, tmp_path, monkeypatch):
    monkeypatch.setitem(PRESETS, "fast", preset("fast", size=128, encoder_size=112, photo_size=112))
    stable_diffusion.save_pretrained(tmp_path / "psi")
    latent_diffusion.vqvae.save_pretrained(tmp_path / "phi" / "vqvae")
    latent_diffusion.unet.save_pretrained(tmp_path / "phi" / "unet")
    latent_diffusion.scheduler.save_pretrained(tmp_path / "phi" / "scheduler")
    script = runpy.run_path(str(ROOT / "scripts" / "examples" / "reference_setup.py"))
    assert (
        script["main"](
            [
                str(PHOTO),
                "--box",
                "346,0,482,298",
                "--phi",
                str(tmp_path / "phi"),
                "--preset",
                "fast",
                "--psi",
                str(tmp_path / "psi"),
                "--steps",
                "2",
                "--iterations",
                "1",
                "-o",
                str(tmp_path / "mask.png"),
            ]
        )
        == 0
    )
    assert Image.open(tmp_path / "mask.png").size == Image.open(PHOTO).size


@pytest.fixture
def saved(stable_diffusion, latent_diffusion, tmp_path):
    """A folder with a pipeline of either kind."""
    stable_diffusion.save_pretrained(tmp_path / "painters" / "sd-inpainting")
    for part in ("vqvae", "unet", "scheduler"):
        getattr(latent_diffusion, part).save_pretrained(tmp_path / "painters" / "ldm" / part)
    return tmp_path / "painters"


@pytest.mark.slow
def test_the_papers_tables_are_measured_with_painters_of_a_folder(saved, tmp_path, capsys):
    a_set(tmp_path / "sets" / "ECSSD", "images", "ground_truth_mask", count=1)
    main = runpy.run_path(str(ROOT / "scripts" / "examples" / "reproduce_paper.py"))["main"]
    argv = ["--sets", tmp_path / "sets", "--painters", saved, "--work", tmp_path / "work", "--device", "cpu", "-q"]
    small = [word for name in ("size=128", "encoder_size=112", "steps=2", "paintings=1") for word in ("--set", name)]
    assert main([*map(str, argv), *small, "--tables", "1", "--iterations", "1"]) == 0
    assert "| 1 | ECSSD | ECSSD | 80.6 |" in capsys.readouterr().out
    rows = (tmp_path / "work" / "rows.csv").read_text(encoding="utf-8")
    assert main([*map(str, argv), *small, "--tables", "1", "--iterations", "2"]) == 0  # another place in the records
    assert len((tmp_path / "work" / "rows.csv").read_text(encoding="utf-8")) > len(rows)


def test_both_kinds_of_step_get_the_papers_painters(saved):
    script = runpy.run_path(str(ROOT / "scripts" / "examples" / "reproduce_paper.py"))
    task = Task(painter=script["chosen_painters"](SimpleNamespace(painters=saved, phi=None, psi=None)), iterations=3)
    phi, psi = (cached_painter(name, task.iterations, "cpu") for name in task.painters)
    assert (phi.name, psi.name) == ("LatentInpainting", "StableDiffusionInpaintPipeline")
    assert task.key() != Task(painter=task.painter, iterations=4).key() != Task().key()


def test_a_checkpoint_that_is_not_there_or_none_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no checkpoint"):
        load_pipeline(str(tmp_path / "none.safetensors"), "cpu")
    with pytest.raises(InputError, match="cannot be read as an inpainting pipeline"):
        load_pipeline(str(tmp_path), "cpu")


def test_the_reference_setup_names_what_is_wrong(tmp_path, capsys):
    main = runpy.run_path(str(ROOT / "scripts" / "examples" / "reference_setup.py"))["main"]
    assert main([str(PHOTO), "--box", "1,2,3", "--phi", "none", "--psi", "none"]) == 2
    assert capsys.readouterr().err == "paintseg: --box takes four numbers, not 1,2,3\n"


def test_the_round_trip_is_the_pipelines_own(stable_diffusion, latent_diffusion):
    image = photo(64, 64)
    with torch.no_grad():
        latents = stable_diffusion.vae.encode(image[None] * 2 - 1).latent_dist.mode()
        oracle = (stable_diffusion.vae.decode(latents).sample / 2 + 0.5).clamp(0, 1)[0]
    assert torch.allclose(DiffusersPainter(stable_diffusion).round_trip(image), oracle, atol=1e-6)
    coded = DiffusersPainter(latent_diffusion, multiple=16).round_trip(image)
    assert coded.shape == image.shape and not torch.equal(coded, image)
