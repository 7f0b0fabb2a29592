"""Every encoder of the catalogue, without its weights."""

import pytest
import timm
import torch
from harness.random_models import filled

from paintseg.encoders.catalog import CATALOG
from paintseg.encoders.dino import DINOEncoder

from .encoder_conformance import EncoderConformance
from .painter_conformance import photo

SIZES = {"ViT-S": 384, "ViT-B": 768, "ViT-L": 1024}
DEPTHS = {"ViT-S": 12, "ViT-B": 12, "ViT-L": 24}
NAMES = [published.model_name for published in CATALOG]


def random_encoder(model_name, depth=2):
    """A DINOEncoder with two of its blocks."""
    shapes = timm.create_model(model_name, num_classes=0, depth=depth).state_dict()
    return DINOEncoder(model_name, filled(shapes.items()), depth=depth)


@pytest.fixture(scope="module", params=NAMES)
def encoder(request):
    return random_encoder(request.param)


class TestEveryEncoderOfTheCatalogue(EncoderConformance):
    """Everything any encoder must do."""


@pytest.mark.parametrize("published", CATALOG, ids=NAMES)
def test_the_title_tells_width_depth_patch_and_registers(published):
    try:
        with torch.device("meta"):
            model = timm.create_model(published.model_name, num_classes=0)
    except RuntimeError:
        pytest.skip(f"timm {timm.__version__} builds no model without its weights' memory")
    kind, patch = published.title.split()[1].split("/")
    assert (model.embed_dim, len(model.blocks)) == (SIZES[kind], DEPTHS[kind])
    assert model.patch_embed.patch_size[0] == int(patch)
    assert (model.reg_token is not None) == ("registers" in published.title or "DINOv3" in published.title)


def test_timm_publishes_each_under_the_address_given():
    for published in CATALOG:
        hub = timm.get_pretrained_cfg(published.model_name).hf_hub_id
        assert f"/{hub}/resolve/" in published.address and published.file == f"{hub.split('/')[1]}.safetensors"


def test_titles_and_files_are_told_apart():
    assert len({published.title for published in CATALOG}) == len({published.file for published in CATALOG}) == 13


def test_a_mirror_takes_the_place_of_hugging_face(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example/")
    assert CATALOG[0].address.startswith("https://mirror.example/timm/vit_small_patch16_224.dino/resolve/")


def test_missing_weights_are_named_with_file_folder_address_and_hash(tmp_path):
    for published in CATALOG:
        words = str(published.missing(tmp_path))
        assert all(part in words for part in (published.file, str(tmp_path), published.address, "sha256"))
        assert published.sha256 in words and "\n" not in words


def test_random_encoders_of_the_catalogue_have_keys_too():
    features = random_encoder(NAMES[-1]).features(photo(32, 48)[None], tokens=True, keys=True)
    assert features.keys.shape == features.tokens.shape
