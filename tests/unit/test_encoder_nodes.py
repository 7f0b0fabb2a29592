"""PaintSeg_DINOEncoder's files and PaintSeg_CLIPVisionEncoder, without a server."""

import importlib.util
import json
import shutil
import tempfile
from pathlib import Path

import pytest
import timm
import torch
from harness import comfyui, random_models
from harness.inprocess import load_pack
from safetensors.torch import save_file

from .encoder_conformance import EncoderConformance
from .painter_conformance import photo

DINOV2 = {
    "model_type": "dinov2",
    "num_hidden_layers": 2,
    "hidden_size": 64,
    "num_attention_heads": 2,
    "layer_norm_eps": 1e-6,
    "use_swiglu_ffn": False,
    "image_size": 70,
    "patch_size": 14,
}
GIANT = {**DINOV2, "use_swiglu_ffn": True}  # DINOv2-giant's blocks
DINOV3 = {
    "model_type": "dinov3",
    "num_hidden_layers": 2,
    "hidden_size": 64,
    "num_attention_heads": 2,
    "num_register_tokens": 4,
    "intermediate_size": 128,
    "layer_norm_eps": 1e-5,
    "num_channels": 3,
    "patch_size": 16,
    "rope_theta": 100.0,
    "use_gated_mlp": True,
    "image_size": 64,
}


@pytest.fixture(scope="module")
def nodes():
    return load_pack().nodes


@pytest.fixture
def place(nodes, tmp_path, monkeypatch):
    """ComfyUI's folder models/dino, empty."""
    import folder_paths

    nodes.folders.ensure("dino")
    known = folder_paths.folder_names_and_paths["dino"][1]
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "dino", ([str(tmp_path / "dino")], known))
    monkeypatch.setattr(folder_paths, "filename_list_cache", {})
    return tmp_path / "dino"


def clip_vision(config):
    """ComfyUI's CLIP_VISION of that shape, random."""
    if config is DINOV3 and importlib.util.find_spec("comfy.image_encoders.dino3") is None:
        pytest.skip(f"ComfyUI {comfyui.VERSION} has no DINOv3 of its own")
    model = unfilled(config)
    if config is not DINOV3 and not hasattr(model.model.embeddings, "interpolate_pos_encoding"):
        pytest.skip(f"the DINOv2 of ComfyUI {comfyui.VERSION} takes squares of one size only, and is refused")
    model.load_sd(random_models.filled(random_models.prefixed(model.model, "")))
    return model


def unfilled(config):
    import comfy.clip_vision

    with tempfile.TemporaryDirectory() as folder:  # before 0.24 ComfyUI takes no dictionary
        file = Path(folder, "config.json")
        file.write_text(json.dumps(config))
        return comfy.clip_vision.ClipVisionModel(str(file))


@pytest.fixture(scope="module", params=[DINOV2, GIANT, DINOV3], ids=["dinov2", "giant", "dinov3"])
def encoder(request, nodes):
    return nodes.encoders.CLIPVisionEncoderNode.execute(clip_vision(request.param)).result[0]


class TestClipVisionIsAnEncoder(EncoderConformance):
    refusal = ValueError  # the pack's InputError is one; its library is another import than the tests'


def test_on_a_square_of_its_own_size_it_says_what_comfyui_says(nodes):
    model, image = clip_vision(DINOV2), (photo(70, 70) * 255).round() / 255  # ComfyUI rounds to 8 bits
    features = nodes.clip_vision.ClipVisionEncoder(model).encode(image[None])
    tokens = model.encode_image(image.movedim(0, -1)[None], crop=True)["last_hidden_state"]
    assert torch.allclose(features.flatten(2).mT, tokens[:, 1:], atol=1e-5)


def test_a_clip_is_refused_in_a_sentence(nodes):
    config = {
        "model_type": "clip_vision_model",
        "num_hidden_layers": 1,
        "hidden_size": 16,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "hidden_act": "gelu",
        "image_size": 28,
        "patch_size": 14,
        "num_channels": 3,
        "projection_dim": 8,
    }
    with pytest.raises(ValueError, match="is a clip_vision_model; load DINOv2"):
        nodes.clip_vision.ClipVisionEncoder(unfilled(config))


def test_a_dinov2_that_takes_one_size_only_is_refused_in_a_sentence(nodes, monkeypatch):
    model = unfilled(DINOV2)
    monkeypatch.delattr(type(model.model.embeddings), "interpolate_pos_encoding", raising=False)
    with pytest.raises(ValueError, match="update ComfyUI to 0.24 or newer"):
        nodes.clip_vision.ClipVisionEncoder(model)


def random_file(folder, published):
    folder.mkdir()
    save_file(timm.create_model(published.model_name, num_classes=0).state_dict(), folder / published.file)


def test_an_encoder_comes_from_its_file_and_is_read_once(nodes, place):
    published = nodes.encoders.CATALOG[0]
    random_file(place, published)
    first, again = (nodes.encoders.DINOEncoderNode.execute(published.title).result[0] for _ in range(2))
    assert first is again and first.encode(photo(16, 32)[None]).shape == (1, 384, 1, 2)


def test_a_missing_file_is_named_and_nothing_is_fetched(nodes, place):
    published = nodes.encoders.CATALOG[0]
    with pytest.raises(RuntimeError) as refused:
        nodes.encoders.DINOEncoderNode.execute(published.title)
    words = str(refused.value)
    assert all(part in words for part in (published.file, str(place), published.address, "sha256"))
    assert not place.exists()


def test_download_puts_the_file_into_the_models_folder(nodes, place, tmp_path, monkeypatch):
    published = nodes.encoders.CATALOG[0]
    random_file(tmp_path / "hub", published)

    def from_hub(address, target, sha256, progress):
        target.parent.mkdir()
        progress(0, 1)
        shutil.copy(tmp_path / "hub" / published.file, target)

    monkeypatch.setattr(nodes.encoders, "download", from_hub)
    encoder = nodes.encoders.DINOEncoderNode.execute(published.title, True).result[0]
    assert (place / published.file).exists() and encoder.name == "vit_small_patch16_224"


def test_every_encoder_is_offered_the_embedded_one_first(nodes):
    options = nodes.encoders.DINOEncoderNode.define_schema().inputs[0].options
    assert options[0] == nodes.encoders.EMBEDDED and len(options) == 14
