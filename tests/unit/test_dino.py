"""DINO encoders against Hugging Face's own models and against timm's own forward."""

import pytest
import timm
import torch
from safetensors.torch import save_file

from paintseg.encoders.base import Encoder
from paintseg.encoders.dino import DINOEncoder, load_dinov2_small
from paintseg.errors import InputError, WeightsError
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
        hidden_size=384, num_hidden_layers=12, num_attention_heads=6, image_size=518, patch_size=14, **extra)
    config.save_pretrained(folder)
    save_file(hugging_face_names(state), folder / "model.safetensors", metadata={"format": "pt"})
    return getattr(transformers, f"{kind}Model").from_pretrained(folder, dtype=torch.float32).eval()


def hugging_face_names(state):
    """timm's tensors under the names of Hugging Face's files, in float32."""
    positions = state["pos_embed"]
    if "reg_token" in state:  # timm keeps the class token's position in the token itself
        positions = torch.cat([torch.zeros_like(positions[:, :1]), positions], dim=1)
    named = {"embeddings.cls_token": state["cls_token"], "embeddings.position_embeddings": positions,
             "embeddings.mask_token": torch.zeros(1, positions.shape[2])}
    renamings = {"patch_embed.proj": "embeddings.patch_embeddings.projection",
                 "reg_token": "embeddings.register_tokens", "attn.proj": "attention.output.dense",
                 "ls1.gamma": "layer_scale1.lambda1", "ls2.gamma": "layer_scale2.lambda1",
                 "blocks.": "encoder.layer."}
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
    return tokens[:, -grid[0] * grid[1]:].transpose(1, 2).reshape(len(tokens), -1, *grid)


@pytest.mark.parametrize("grid", GRIDS)
@torch.no_grad()
def test_tokens_are_hugging_faces_at_any_grid(encoder, reference, grid):
    images = picture(encoder, grid)
    expected = as_map(reference(imagenet(images)).last_hidden_state, grid)
    torch.testing.assert_close(encoder.encode(images), expected, atol=1e-3, rtol=0)


@torch.no_grad()
def test_layers_are_hugging_faces_hidden_states(encoder, reference):
    images = picture(encoder, (6, 8))
    states = reference(imagenet(images), output_hidden_states=True).hidden_states
    for layer, found in zip((3, -1), encoder.encode_layers(images, (3, -1), normed=False), strict=True):
        torch.testing.assert_close(found, as_map(states[1:][layer], (6, 8)), atol=1e-3, rtol=0)


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
def test_keys_are_what_the_last_attention_layer_computes(random_encoder):
    seen = []
    attention = random_encoder.module.blocks[-1].attn
    hook = attention.qkv.register_forward_hook(lambda module, inputs, output: seen.append(output))
    images = picture(random_encoder, (4, 6))
    random_encoder.encode(images)
    hook.remove()
    expected = as_map(seen[0].chunk(3, dim=2)[1], (4, 6))
    torch.testing.assert_close(random_encoder.encode_keys(images, bias=True), expected)


def test_without_their_bias_keys_differ_by_the_same_vector_everywhere(encoder):
    images = picture(encoder, (4, 6))
    shift = encoder.encode_keys(images, bias=True) - encoder.encode_keys(images)
    bias = encoder.module.blocks[-1].attn.qkv.bias.chunk(3)[1]
    torch.testing.assert_close(shift, bias.view(1, -1, 1, 1).expand_as(shift), atol=1e-4, rtol=0)


def test_without_their_bias_keys_tell_patches_apart(encoder):
    images = picture(encoder, (8, 8))
    spread = {}
    for bias in (True, False):
        keys = torch.nn.functional.normalize(encoder.encode_keys(images, bias)[0].flatten(1), dim=0)
        spread[bias] = 1 - (keys.T @ keys).mean()
    assert spread[False] > 2 * spread[True]


def test_one_pass_gives_what_the_separate_calls_give(encoder):
    images = picture(encoder, (4, 6))
    features = encoder.features(images, keys=True, layers=(8, 2))
    assert torch.equal(features.tokens, encoder.encode(images))
    assert torch.equal(features.keys, encoder.encode_keys(images))
    assert all(map(torch.equal, features.layers, encoder.encode_layers(images, (8, 2))))


def test_the_last_layer_normed_is_the_tokens(random_encoder):
    images = picture(random_encoder, (3, 2))
    assert torch.equal(random_encoder.encode_layers(images, [-1])[0], random_encoder.encode(images))


def test_images_of_a_batch_do_not_influence_each_other(encoder):
    images = picture(encoder, (7, 3), count=3)
    together = encoder.encode(images)
    assert all(torch.equal(together[i:i + 1], encoder.encode(images[i:i + 1])) for i in range(3))


def test_says_stride_size_and_name(encoder, random_encoder):
    assert isinstance(random_encoder, Encoder)
    assert encoder.name == "vit_small_patch14_dinov2"
    assert (encoder.stride, encoder.size, encoder.depth) == (14, 518, 12)
    assert random_encoder.stride == random_encoder.module.patch_embed.patch_size[1]


def test_refuses_images_and_layers_it_cannot_use(encoder):
    good = picture(encoder, (2, 2))
    for images in (good[:, :2], good[0], good[:, :, 1:], good[:0]):
        with pytest.raises(InputError):
            encoder.encode(images)
    with pytest.raises(InputError, match="12 layers"):
        encoder.encode_layers(good, [12])


@pytest.mark.parametrize("name", ["no_such_model", "resnet18", "vit_base_patch16_siglip_224"])
def test_refuses_models_of_another_kind(name):
    with pytest.raises(InputError, match=name):
        DINOEncoder(name, {})


def test_refuses_weights_of_another_model():
    with pytest.raises(WeightsError, match="vit_small_patch8_224"):
        DINOEncoder("vit_small_patch8_224.dino", load_weights("dinov2_vits14"))
