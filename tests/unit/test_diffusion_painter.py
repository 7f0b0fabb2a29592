"""PaintSeg_DiffusionPainter on ComfyUI's own model classes, small and random, without a server."""

import pytest
import torch
from harness import random_models
from harness.inprocess import load_pack

from .painter_conformance import PainterConformance, box_hole, photo, seeded


@pytest.fixture(scope="module")
def pack():
    return load_pack()


@pytest.fixture(scope="module")
def models(pack):
    """Patchers by name, made when first asked for."""
    made = {}
    makers = {
        "inpainting": lambda: random_models.small_unet(9),
        "ordinary": lambda: random_models.small_unet(4),
        "sdxl inpainting": lambda: random_models.small_unet(9, xl=True),
        "flux fill": random_models.small_flux_fill,
        "vae": random_models.small_vae,
        "flux vae": lambda: random_models.small_vae(16),
    }

    def get(name):
        return made.setdefault(name, None) or made.update({name: makers[name]()}) or made[name]

    return get


def words(width, pooled=0):
    """CONDITIONING of random text."""
    extra = {"pooled_output": torch.randn(1, pooled, generator=seeded(8))} if pooled else {}
    return [[torch.randn(1, 7, width, generator=seeded(9)), extra]]


@pytest.fixture(scope="module")
def painter_of(pack, models):
    """Makes a painter through the node, at 64 px and two steps."""

    def make(kind, **changes):
        flux = kind == "flux fill"
        text = words(*{"flux fill": (768, 768), "sdxl inpainting": (16, 1280)}.get(kind, (16,)))
        given = {
            "sampling": "model",
            "model": models(kind),
            "positive": text,
            "negative": text,
            "steps": 2,
            "cfg": 1.0 if flux else 3.0,
            "sampler_name": "euler",
            "scheduler": "simple",
            "denoise": 1.0,
        }
        mask = changes.pop("noise_mask", "auto")
        node = pack.nodes.diffusion.DiffusionPainterNode
        vae = models("flux vae" if flux else "vae")
        return node.execute(vae, {**given, **changes}, mask, 64).result[0]

    return make


class DiffusionConformance(PainterConformance):
    refusal = ValueError  # the pack's InputError is one; its library is another import than the tests'

    @pytest.fixture
    def painter(self, painter_of):
        return painter_of(self.model)

    @pytest.fixture
    def sides(self):
        return 72, 40


class TestInpaintingModelIsAPainter(DiffusionConformance):
    model = "inpainting"


class TestOrdinaryModelIsAPainter(DiffusionConformance):
    model = "ordinary"


class TestSDXLInpaintingIsAPainter(DiffusionConformance):
    model = "sdxl inpainting"


class TestFluxFillIsAPainter(DiffusionConformance):
    model = "flux fill"


SAMPLINGS = [{"sampler_name": "lcm"}, {"sampler_name": "euler_ancestral"}, {"denoise": 0.6}]


@pytest.mark.parametrize("sampling", SAMPLINGS, ids=lambda given: str(*given.values()))
class TestSamplersThatAddNoiseOrStartLower(DiffusionConformance):
    model = "inpainting"

    @pytest.fixture
    def painter(self, painter_of, sampling):
        return painter_of(self.model, **sampling)


@pytest.mark.parametrize("model", ["inpainting", "sdxl inpainting", "flux fill", "ordinary"])
def test_models_that_take_the_mask_are_known_by_trying(pack, models, model):
    latent = torch.randn(1, 16 if model == "flux fill" else 4, 8, 8, generator=seeded(0))
    assert pack.nodes.sampling.listens_to_mask(models(model).model, latent) == (model != "ordinary")


@pytest.fixture
def request_():
    return photo(64, 64), box_hole(64, 64)


def guided(pack, models, model="inpainting", cfg=3.0):
    """GUIDER, SAMPLER and SIGMAS by core's own nodes."""
    from comfy_extras.nodes_custom_sampler import BasicScheduler, CFGGuider, KSamplerSelect

    guider = CFGGuider.execute(models(model), words(16), words(16), cfg).result[0]
    sampler = KSamplerSelect.execute("euler").result[0]
    return guider, sampler, BasicScheduler.execute(models(model), "simple", 2, 1.0).result[0]


@pytest.mark.parametrize("model", ["inpainting", "ordinary"])
def test_a_guider_paints_what_its_model_paints_by_name(pack, models, painter_of, request_, model):
    guider, sampler, sigmas = guided(pack, models, model)
    wired = {"sampling": "guider", "guider": guider, "sampler": sampler, "sigmas": sigmas}
    node = pack.nodes.diffusion.DiffusionPainterNode
    by_guider = node.execute(models("vae"), wired, "auto", 64).result[0]
    first, second = (painter.paint(*request_, 2, seeded(4)) for painter in (by_guider, painter_of(model)))
    assert torch.equal(first, second)


def test_the_guider_that_was_wired_stays_as_it_was(pack, models, request_):
    guider, sampler, sigmas = guided(pack, models, "ordinary")
    painter = pack.nodes.sampling.DiffusionPainter(guider, sampler, sigmas, models("vae"), size=64)
    before = {name: [set(cond) for cond in group] for name, group in guider.original_conds.items()}
    painter.paint(*request_, 1, None)
    after = {name: [set(cond) for cond in group] for name, group in guider.original_conds.items()}
    assert before == after and "denoise_mask_function" not in guider.model_options


def test_when_memory_is_short_fewer_paintings_are_made_at_once(pack, models, request_, monkeypatch, caplog):
    guider, sampler, sigmas = guided(pack, models)
    sizes = []

    class Short(type(sampler)):
        """Has room for two."""

        def sample(self, model, sigmas, extra, callback, noise, *rest, **more):
            sizes.append(len(noise))
            if len(noise) > 2:
                raise torch.OutOfMemoryError("no room")
            return super().sample(model, sigmas, extra, callback, noise, *rest, **more)

    short = Short(sampler.sampler_function)
    many = pack.nodes.sampling.DiffusionPainter(guider, short, sigmas, models("vae"), size=64)
    one = pack.nodes.sampling.DiffusionPainter(guider, sampler, sigmas, models("vae"), size=64)
    with monkeypatch.context() as roomy:
        roomy.setattr(pack.nodes.sampling.DiffusionPainter, "_fitting", lambda *_: 5)
        painted = many.paint(*request_, 5, seeded(1))
    assert sizes == [5, 3, 2, 2, 1]
    assert "5 paintings at once do not fit into memory; trying 3" in caplog.text
    assert torch.allclose(painted, one.paint(*request_, 5, seeded(1)), atol=1e-4)


@pytest.mark.parametrize(
    ("room_for", "size", "words"),
    [(5, 5, None), (4, 3, "5 paintings are sampled 3 at once"), (2, 2, "2 at once"), (0, 1, "1 at once")],
)
def test_as_many_paintings_are_sampled_at_once_as_the_device_has_room_for(
    pack, models, monkeypatch, caplog, room_for, size, words
):
    import comfy.model_management as management

    guider, sampler, sigmas = guided(pack, models)
    monkeypatch.setattr(guider.model_patcher, "load_device", torch.device("cuda"))
    painter = pack.nodes.sampling.DiffusionPainter(guider, sampler, sigmas, models("vae"), size=64)
    task = pack.nodes.sampling.Task(guider, torch.zeros(1, 4, 8, 8), None)
    pair = guider.model_patcher.model.memory_required([2 * room_for, 4, 8, 8]) if room_for else 0
    room = guider.model_patcher.model_size() + pair
    monkeypatch.setattr(management, "get_total_memory", lambda device: room)
    with caplog.at_level("INFO"):
        assert painter._fitting(task, 5) == size
    assert words in caplog.text if words else "at once" not in caplog.text


def test_every_step_of_every_painting_is_reported_with_a_picture(pack, painter_of, request_):
    import latent_preview

    heard = []
    painter = painter_of("inpainting").reporting(lambda share, picture: heard.append((share, picture)))
    latent_preview.set_preview_method("latent2rgb")
    try:
        painter.paint(*request_, 2, seeded(0))
    finally:
        latent_preview.set_preview_method()
    assert [share for share, _ in heard] == [0.25, 0.5, 0.75, 1.0]
    assert all(picture[0] == "JPEG" and picture[1].size == (8, 8) for _, picture in heard)


def test_cancelling_stops_inside_a_step(pack, models, painter_of, request_):
    import comfy.model_management as management

    model = models("inpainting").clone()
    calls, heard = [], []

    def cancelled_meanwhile(apply_model, given):
        calls.append(given["timestep"])
        management.interrupt_current_processing()
        return apply_model(given["input"], given["timestep"], **given["c"])

    model.set_model_unet_function_wrapper(cancelled_meanwhile)
    painter = painter_of("inpainting", model=model).reporting(lambda *told: heard.append(told))
    with pytest.raises(management.InterruptProcessingException):
        painter.paint(*request_, 1, seeded(0))
    assert (len(calls), heard) == (1, [])


class Clip:
    """What the node asks of a CLIP."""

    def tokenize(self, text):
        return [text]

    def encode_from_tokens_scheduled(self, tokens):
        self.asked = tokens
        return words(16)


def test_a_clip_makes_the_conditioning_that_is_not_wired(painter_of, request_):
    clip = Clip()
    painter = painter_of("inpainting", positive=None, negative=None, clip=clip)
    assert clip.asked == [""] and painter.paint(*request_, 1, None).shape == (1, 3, 64, 64)


def test_missing_conditioning_is_refused_in_a_sentence(painter_of):
    with pytest.raises(ValueError, match="no positive conditioning; wire one, or wire the model's CLIP"):
        painter_of("inpainting", positive=None)
    with pytest.raises(ValueError, match="no negative conditioning"):
        painter_of("inpainting", negative=None)


def test_without_guidance_no_negative_is_needed(painter_of, request_):
    painted = painter_of("inpainting", negative=None, cfg=1.0).paint(*request_, 1, seeded(0))
    assert torch.isfinite(painted).all()


def test_a_sampler_without_steps_is_refused(pack, models):
    guider, sampler, _ = guided(pack, models)
    wired = {"sampling": "guider", "guider": guider, "sampler": sampler, "sigmas": torch.zeros(1)}
    with pytest.raises(ValueError, match="too few for a step; give at least two"):
        pack.nodes.diffusion.DiffusionPainterNode.execute(models("vae"), wired, "auto", 64)


@pytest.mark.parametrize("noise_mask", ["on", "off"])
def test_the_noise_mask_may_be_chosen(painter_of, request_, noise_mask):
    painted = painter_of("ordinary", noise_mask=noise_mask).paint(*request_, 1, seeded(0))
    assert torch.isfinite(painted).all()


def test_size_follows_the_model_unless_given(pack, models):
    names = "inpainting", "sdxl inpainting", "flux fill"
    sizes = [pack.nodes.sampling.native_size(models(name).model) for name in names]
    assert sizes == [512, 1024, 1024]


@pytest.mark.parametrize("model", ["inpainting", "flux fill"])
def test_the_round_trip_is_the_vaes_own(models, painter_of, model):
    vae = models("flux vae" if model == "flux fill" else "vae")
    image = photo(64, 64)
    oracle = vae.decode(vae.encode(image.movedim(0, -1)[None]))[0].movedim(-1, 0)
    assert torch.equal(painter_of(model).round_trip(image), oracle)
