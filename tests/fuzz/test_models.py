"""Painters and encoders: whatever they are asked to fill or to look at, and whatever is wired as a model."""

from types import SimpleNamespace

import pytest
import timm
import torch
from harness import random_models
from harness.inprocess import load_pack
from hypothesis import given
from hypothesis import strategies as st

from paintseg.encoders.dino import DINOEncoder
from paintseg.painters import migan_network
from paintseg.painters.feedforward import FeedForwardPainter, painter_of
from paintseg.painters.migan import MIGANPainter

from .inputs import any_tensor, good, mostly, seldom, tensors
from .tally import attempt, fuzzed
from .test_pictures import in_unit_range

N = load_pack().nodes
DEPTH = {"depth": 1, "embed_dim": 24, "num_heads": 2}
DINO = "vit_small_patch14_dinov2.lvd142m"
CLIP_VISION = {
    "model_type": "dinov2",
    "num_hidden_layers": 1,
    "hidden_size": 32,
    "num_attention_heads": 2,
    "layer_norm_eps": 1e-6,
    "use_swiglu_ffn": False,
    "image_size": 28,
    "patch_size": 14,
}
floats = (torch.float32,)


class Network(torch.nn.Module):
    """An inpainting network of two layers; some answer with NaN or with another size, as broken ones do."""

    def __init__(self, answer="picture"):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = torch.nn.Conv2d(4, 4, 3, padding=1), torch.nn.Conv2d(4, 3, 3, padding=1)
        self.answer = answer

    def forward(self, image, mask):
        made = self.last(self.first(torch.cat([image, mask], 1)).relu()).sigmoid()
        return made * float("nan") if self.answer == "nan" else made


@st.composite
def requests(draw, multiple):
    """What a painter is asked: mostly sides it takes, a hole of that size, and one or two paintings."""
    sides = st.sampled_from([multiple, multiple, 2 * multiple])
    size = draw(mostly(st.tuples(sides, sides), st.tuples(*[st.integers(1, 140)] * 2)))
    if seldom(draw, 12):
        return draw(any_tensor), draw(any_tensor), draw(st.integers(-1, 2)), None
    image, hole = draw(tensors((3, *size), good, floats)), draw(tensors((1, *size), good, floats))
    generator = draw(st.sampled_from([None, torch.Generator().manual_seed(5)]))
    return image, hole, draw(mostly(st.sampled_from([1, 1, 2]), st.integers(-1, 0))), generator


def check(painter, image, hole, count, generator):
    painted = painter.paint(image, hole, count, generator)
    assert painted.shape == (count, *image.shape) and in_unit_range(painted)
    kept = (hole <= 0.5).expand_as(image)
    assert all(torch.equal(one[kept], image[kept]) for one in painted)


@pytest.fixture(scope="module")
def narrow():
    """MI-GAN with four channels everywhere."""
    with pytest.MonkeyPatch.context() as patch:
        for level in migan_network.LEVELS:
            patch.setitem(migan_network.CHANNELS, level, 4)
        torch.manual_seed(0)
        return MIGANPainter(migan_network.MIGAN().eval().requires_grad_(False))


@fuzzed
@given(requests(128))
def test_migan(narrow, request_):
    with attempt("MIGANPainter.paint"):
        check(narrow, *request_)


wired = st.one_of(
    st.builds(Network, st.sampled_from(["picture", "picture", "nan"])),
    st.builds(
        lambda purpose, multiple, square: Described(Network(), purpose, multiple, square),
        mostly(st.just("Inpainting"), st.sampled_from(["SR", None])),
        st.sampled_from([None, 1, 8, 16]),
        st.booleans(),
    ),
)
odd = st.one_of(st.just(SimpleNamespace(architecture=None)), st.text(max_size=3), any_tensor)


class Described:
    """A model as spandrel describes it."""

    architecture = SimpleNamespace(id="Small")

    def __init__(self, model, purpose, multiple, square):
        self.model, self.purpose = model, purpose
        self.size_requirements = SimpleNamespace(multiple_of=multiple, square=square)

    def __call__(self, image, mask):
        return self.model(image, mask)


@fuzzed
@given(mostly(wired, odd), requests(8))
def test_inpainting_networks(model, request_):
    with attempt("painter_of, its paint"):
        painter = painter_of(model)
        assert isinstance(painter, FeedForwardPainter)
        check(painter, *request_)


@pytest.fixture
def inpaint_folder(tmp_path_factory, monkeypatch):
    """ComfyUI's folder models/inpaint."""
    import folder_paths

    folder = tmp_path_factory.mktemp("inpaint")
    N.folders.ensure("inpaint")
    known = folder_paths.folder_names_and_paths["inpaint"][1]
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "inpaint", ([str(folder)], known))
    monkeypatch.setattr(folder_paths, "filename_list_cache", {})
    return folder


file_names = mostly(st.just("it.safetensors"), st.one_of(st.text(max_size=9), st.just("../it.safetensors")), 4)
contents = st.one_of(
    st.binary(max_size=40),
    st.just(b"PK\x03\x04"),
    st.binary(max_size=20).map(lambda body: (2).to_bytes(8, "little") + b"{}" + body),
)


@fuzzed
@given(mostly(wired, st.one_of(st.none(), st.none(), odd), 4), file_names, contents, requests(8))
def test_inpaint_model_painter(inpaint_folder, model, name, content, request_):
    (inpaint_folder / "it.safetensors").write_bytes(content)
    N.inpaint_model.load.cache_clear()
    with attempt("node Inpaint Model Painter"):
        painter = N.inpaint_model.InpaintModelPainter.execute(name, model).result[0]
        check(painter, *request_)


@pytest.fixture(scope="module")
def parts():
    """A diffusion model, its VAE and conditioning, all small."""
    words = [[torch.randn(1, 7, 16, generator=torch.Generator().manual_seed(9)), {}]]
    return random_models.small_unet(9), random_models.small_vae(), words


@fuzzed
@given(st.data(), st.integers(1, 30), st.floats(0, 100), st.floats(0.01, 1), st.sampled_from(["auto", "on", "off"]))
def test_diffusion_painter(parts, data, steps, cfg, denoise, noise_mask):
    """Made from any settings; one in forty paints, at one step and 64 pixels."""
    import comfy.samplers

    model, vae, words = parts
    conditioning = mostly(st.just(words), st.none(), 6)
    sampling = {"sampling": "model", "model": model, "cfg": cfg, "denoise": denoise}
    sampling |= {"positive": data.draw(conditioning), "negative": data.draw(conditioning)}
    sampling |= {"sampler_name": data.draw(st.sampled_from(comfy.samplers.KSampler.SAMPLERS))}
    sampling |= {"scheduler": data.draw(st.sampled_from(comfy.samplers.KSampler.SCHEDULERS))}
    paints = seldom(data.draw, 40)
    if paints:
        sampling |= {"sampler_name": "euler", "scheduler": "simple", "denoise": 1.0}
    with attempt("node Diffusion Painter"):
        made = N.diffusion.DiffusionPainterNode.execute(
            vae, {**sampling, "steps": 1 if paints else steps}, noise_mask, 64
        )
        painter = made.result[0]
        assert len(painter.sigmas) > 1 and painter.size == 64
        if paints:
            check(painter, *data.draw(requests(8)))


@st.composite
def looks(draw, stride):
    """What an encoder is asked to look at: mostly a batch of sides it takes."""
    sides = st.sampled_from([stride, 2 * stride, 3 * stride])
    size = draw(mostly(st.tuples(sides, sides), st.tuples(*[st.integers(0, 40)] * 2)))
    shape = (draw(mostly(st.integers(1, 2), st.just(0))), 3, *size)
    return draw(mostly(tensors(shape, good, (torch.float32, torch.float16, torch.float64)), any_tensor))


def check_map(encoder, images):
    made = encoder.encode(images)
    grid = tuple(side // encoder.stride for side in images.shape[2:])
    assert made.shape[0] == len(images) and tuple(made.shape[2:]) == grid and made.isfinite().all()
    assert made.dtype == torch.float32


@pytest.fixture(scope="module")
def dino():
    state = timm.create_model(DINO, num_classes=0, **DEPTH).state_dict()
    return DINOEncoder(DINO, random_models.filled(state.items()), **DEPTH)


@fuzzed
@given(looks(14), st.booleans())
def test_dino(dino, images, keys):
    with attempt("DINOEncoder.encode, features"):
        check_map(dino, images)
        found = dino.features(images, tokens=True, keys=keys)
        assert (found.keys is not None) == keys and found.tokens.isfinite().all()


@pytest.fixture
def dino_folder(tmp_path_factory, monkeypatch):
    """ComfyUI's folders models/dino and models/clip_vision."""
    import folder_paths

    folder = tmp_path_factory.mktemp("dino")
    N.folders.ensure("dino")
    for name in ("dino", "clip_vision"):
        known = folder_paths.folder_names_and_paths[name][1]
        monkeypatch.setitem(folder_paths.folder_names_and_paths, name, ([str(folder)], known))
    monkeypatch.setattr(folder_paths, "filename_list_cache", {})
    return folder


published = st.sampled_from(N.encoders.CATALOG)


@fuzzed
@given(mostly(st.none(), published, 2), st.one_of(st.none(), contents), looks(14))
def test_dino_encoder(dino_folder, model, content, images):
    """The embedded one looks; the files of others are missing or hold anything. Nothing is downloaded."""
    if model is not None and content is not None:
        (dino_folder / model.file).write_bytes(content)
    with attempt("node DINO Encoder"):
        title = N.encoders.EMBEDDED if model is None else model.title
        encoder = N.encoders.DINOEncoderNode.execute(title).result[0]
        assert encoder.stride == 14
        if images.ndim == 4 and images.shape[0] == 1 and images.numel() < 1000:
            check_map(encoder, images)


@pytest.fixture(scope="module")
def clip_visions():
    """ComfyUI's CLIP_VISION of a DINOv2, and of a CLIP."""
    import comfy.clip_vision

    model = comfy.clip_vision.ClipVisionModel(CLIP_VISION)
    model.load_sd(random_models.filled(random_models.prefixed(model.model, "")))
    return model, SimpleNamespace(model_type="clip_vision_model")


@fuzzed
@given(mostly(st.just(0), st.just(1)), looks(14))
def test_clip_vision_encoder(clip_visions, kind, images):
    with attempt("node CLIP Vision Encoder"):
        check_map(N.encoders.CLIPVisionEncoderNode.execute(clip_visions[kind]).result[0], images)
