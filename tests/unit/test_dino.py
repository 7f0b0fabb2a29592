"""DINO encoders against Hugging Face's own models and against timm's own forward."""

import pytest
import timm
import torch
from safetensors.torch import save_file

from paintseg.encoders.base import Encoder
from paintseg.encoders.dino import DINOEncoder, load_dinov2_small
from paintseg.errors import InputError, WeightsError
from paintseg.views.looks import PLACE_SHARE, encode_with_keys, encoded
from paintseg.weights import load_weights

REGISTERS = "vit_small_patch14_reg4_dinov2.lvd142m"
NAMES = ["vit_small_patch8_224.dino", REGISTERS, "vit_small_patch16_dinov3.lvd1689m"]
GRIDS = [(37, 37), (16, 16), (5, 9), (11, 3), (1, 1)]


@pytest.fixture(scope="module")
def encoder():
    return load_dinov2_small()


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """Hugging Face's DINOv2 with the embedded weights."""
    return hugging_face("Dinov2", load_weights("dinov2_vits14"), tmp_path_factory.mktemp("dinov2"))


@pytest.fixture(scope="module", params=NAMES)
def random_encoder(request):
    torch.manual_seed(0)
    return DINOEncoder(request.param, timm.create_model(request.param, num_classes=0).state_dict())


def hugging_face(kind, state, folder, registers=0):
    """A transformers model, by way of a folder: its tensors' names on disk stay, those in memory change."""
    transformers = pytest.importorskip("transformers")
    extra = {"num_register_tokens": registers} if registers else {}
    config = getattr(transformers, f"{kind}Config")(
        hidden_size=384, num_hidden_layers=12, num_attention_heads=6, image_size=518, patch_size=14, **extra
    )
    config.save_pretrained(folder)
    save_file(hugging_face_names(state), folder / "model.safetensors", metadata={"format": "pt"})
    return getattr(transformers, f"{kind}Model").from_pretrained(folder, dtype=torch.float32).eval()


def hugging_face_names(state):
    """timm's tensors under the names of Hugging Face's files, in float32."""
    positions = state["pos_embed"]
    if "reg_token" in state:  # timm keeps the class token's position in the token itself
        positions = torch.cat([torch.zeros_like(positions[:, :1]), positions], dim=1)
    named = {
        "embeddings.cls_token": state["cls_token"],
        "embeddings.position_embeddings": positions,
        "embeddings.mask_token": torch.zeros(1, positions.shape[2]),
    }
    renamings = {
        "patch_embed.proj": "embeddings.patch_embeddings.projection",
        "reg_token": "embeddings.register_tokens",
        "attn.proj": "attention.output.dense",
        "ls1.gamma": "layer_scale1.lambda1",
        "ls2.gamma": "layer_scale2.lambda1",
        "blocks.": "encoder.layer.",
    }
    for name, tensor in state.items():
        if name in ("cls_token", "pos_embed"):
            continue
        for old, new in renamings.items():
            name = name.replace(old, new)
        if name.startswith("norm."):
            name = name.replace("norm", "layernorm")
        if "attn.qkv" in name:
            for role, part in zip(("query", "key", "value"), tensor.chunk(3), strict=True):
                named[name.replace("attn.qkv", f"attention.attention.{role}")] = part
        else:
            named[name] = tensor
    return {name: tensor.float().contiguous() for name, tensor in named.items()}


def picture(encoder, grid, count=1, seed=0):
    sides = [side * encoder.stride for side in grid]
    return torch.rand(count, 3, *sides, generator=torch.Generator().manual_seed(seed))


def imagenet(images):
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (images - mean.view(3, 1, 1)) / std.view(3, 1, 1)


def as_map(tokens, grid):
    return tokens[:, -grid[0] * grid[1] :].transpose(1, 2).reshape(len(tokens), -1, *grid)


@pytest.mark.parametrize("grid", GRIDS)
@torch.no_grad()
def test_tokens_are_hugging_faces_at_any_grid(encoder, reference, grid):
    images = picture(encoder, grid)
    expected = as_map(reference(imagenet(images)).last_hidden_state, grid)
    torch.testing.assert_close(encoder.encode(images), expected, atol=1e-3, rtol=0)


@torch.no_grad()
def test_with_registers_tokens_are_hugging_faces_too(tmp_path):
    torch.manual_seed(0)
    state = timm.create_model(REGISTERS, num_classes=0).state_dict()
    state["pos_embed"] = torch.randn_like(state["pos_embed"])
    encoder = DINOEncoder(REGISTERS, state)
    reference = hugging_face("Dinov2WithRegisters", state, tmp_path, registers=4)
    images = picture(encoder, (9, 5))
    expected = as_map(reference(imagenet(images)).last_hidden_state, (9, 5))
    torch.testing.assert_close(encoder.encode(images), expected, atol=1e-3, rtol=0)


@torch.no_grad()
def test_every_family_is_timms_own_forward_at_the_trained_grid(random_encoder):
    module = random_encoder.module
    grid = tuple(module.patch_embed.grid_size)
    images = picture(random_encoder, grid)
    expected = as_map(module.forward_features(random_encoder._normalise(images)), grid)
    torch.testing.assert_close(random_encoder.encode(images), expected, atol=1e-4, rtol=0)


@torch.no_grad()
def test_keys_are_what_the_last_attention_layer_computes_without_their_bias(random_encoder):
    seen = []
    attention = random_encoder.module.blocks[-1].attn
    hook = attention.qkv.register_forward_hook(lambda module, inputs, output: seen.append(output))
    images = picture(random_encoder, (4, 6))
    random_encoder.encode(images)
    hook.remove()
    shared = attention.qkv.bias
    expected = seen[0].chunk(3, dim=2)[1] - (0 if shared is None else shared.chunk(3)[1])
    found = random_encoder.features(images, keys=True).keys
    torch.testing.assert_close(found, as_map(expected, (4, 6)), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("grid", "least"), [((20, 20), 0.999), ((30, 24), 0.7)])
def test_places_are_what_the_keys_of_a_blank_picture_say(encoder, grid, least):
    """A pass at the very size is the reference; on other grids, resampled ones tell most of what it tells."""
    blank = encoder._mean.expand(1, 3, *(side * encoder.stride for side in grid))
    found = encoder.features(blank, keys=True)
    about = found.keys - found.keys.mean((2, 3), keepdim=True)
    assert torch.cosine_similarity(found.places.flatten(), about.flatten(), dim=0) > least
    assert about.abs().mean() > 0.01


def test_places_do_not_depend_on_which_picture_came_first(encoder):
    first, second = picture(encoder, (5, 6)), picture(encoder, (6, 5))
    encoder._placed = None
    one = encoder.features(first, keys=True).places
    encoder._placed = None
    encoder.features(second, keys=True)
    assert torch.equal(encoder.features(first, keys=True).places, one)


def test_places_are_unknown_where_positions_are_not_learnt(random_encoder):
    found = random_encoder.features(picture(random_encoder, (4, 6)), keys=True)
    assert (found.places is None) == (random_encoder.module.pos_embed is None)


@pytest.mark.parametrize("tokens", [True, False], ids=["with tokens", "keys alone"])
def test_walks_go_without_a_part_of_the_place_and_discovery_with_all_of_it(encoder, tokens):
    image = picture(encoder, (5, 6))
    found = encoder.features(image, tokens=True, keys=True)
    assert torch.equal(encode_with_keys(encoder, image)[1], found.keys)
    seen = encoded(image, encoder, keyed=True, tokens=tokens)
    torch.testing.assert_close(seen.keys, found.keys - PLACE_SHARE * found.places)
    assert (seen.features is not None) == tokens


def test_without_their_bias_keys_tell_patches_apart(encoder):
    keys = encoder.features(picture(encoder, (8, 8)), keys=True).keys
    bias = encoder.module.blocks[-1].attn.qkv.bias.chunk(3)[1].view(1, -1, 1, 1)
    spread = []
    for moved in (keys, keys + bias):
        unit = torch.nn.functional.normalize(moved[0].flatten(1), dim=0)
        spread.append(1 - (unit.T @ unit).mean())
    assert spread[0] > 2 * spread[1]


def test_one_pass_gives_what_the_separate_calls_give(encoder):
    images = picture(encoder, (4, 6))
    both, keys = encoder.features(images, tokens=True, keys=True), encoder.features(images, keys=True)
    assert torch.equal(both.tokens, encoder.encode(images)) and keys.tokens is None
    assert torch.equal(both.keys, keys.keys)


def test_images_of_a_batch_do_not_influence_each_other(encoder):
    images = picture(encoder, (7, 3), count=3)
    together = encoder.encode(images)
    assert all(torch.equal(together[i : i + 1], encoder.encode(images[i : i + 1])) for i in range(3))


def test_says_stride_size_and_name(encoder, random_encoder):
    assert isinstance(random_encoder, Encoder)
    assert encoder.name == "vit_small_patch14_dinov2"
    assert (encoder.stride, encoder.size) == (14, 518)
    assert random_encoder.stride == random_encoder.module.patch_embed.patch_size[1]


def test_refuses_images_it_cannot_use(encoder):
    good = picture(encoder, (2, 2))
    for images in (good[:, :2], good[0], good[:, :, 1:], good[:0]):
        with pytest.raises(InputError):
            encoder.encode(images)


@pytest.mark.parametrize("name", ["no_such_model", "resnet18", "vit_base_patch16_siglip_224"])
def test_refuses_models_of_another_kind(name):
    with pytest.raises(InputError, match=name):
        DINOEncoder(name, {})


def test_refuses_weights_of_another_model():
    with pytest.raises(WeightsError, match="vit_small_patch8_224"):
        DINOEncoder("vit_small_patch8_224.dino", load_weights("dinov2_vits14"))
