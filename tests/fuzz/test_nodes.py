"""The nodes as ComfyUI calls them, without its server: what a graph may hand over becomes outputs or one sentence."""

import json
from dataclasses import replace

import pytest
import torch
from harness.inprocess import load_pack
from hypothesis import given
from hypothesis import strategies as st

from .inputs import any_tensor, good, nearly, tensors, texts, values
from .tally import attempt, fuzzed, fuzzed_slowly
from .test_pictures import in_unit_range
from .tiny import Blur, Colours

PACK = load_pack()
N = PACK.nodes
# The presets' views are for photos of hundreds of pixels; everything else of them stays.
for name, config in list(PACK.paintseg.config.PRESETS.items()):
    PACK.paintseg.config.PRESETS[name] = replace(config, size=64, encoder_size=32, photo_size=0)

SIZE = (33, 40)
presets = st.sampled_from(["fast", "balanced", "paper", "best"])
seeds = st.one_of(st.integers(0, 9), st.integers(0, 2**64 - 1))
MODELS = {"painter": Blur(), "encoder": Colours()}


@pytest.fixture(autouse=True, scope="module")
def _temporary(tmp_path_factory):
    """Previews go where pytest cleans up."""
    import folder_paths

    before = folder_paths.get_temp_directory(), folder_paths.get_output_directory()
    folder_paths.set_temp_directory(str(tmp_path_factory.mktemp("temp")))
    folder_paths.set_output_directory(str(tmp_path_factory.mktemp("output")))
    yield
    folder_paths.set_temp_directory(before[0])
    folder_paths.set_output_directory(before[1])


@st.composite
def images(draw, size=SIZE, most=2):
    """Nearly always an IMAGE of that size."""
    if draw(st.integers(0, 11)) == 0:
        return draw(any_tensor)
    shape = (draw(st.integers(1, most)), *size, draw(st.sampled_from([3, 3, 3, 4, 1])))
    return draw(
        tensors(shape, (*good, "nan") if draw(st.integers(0, 9)) == 0 else good, (torch.float32, torch.float16))
    )


@st.composite
def masks(draw, size=SIZE, most=2):
    """Nearly always a MASK: of that size, of another, or LoadImage's empty one."""
    kind = draw(st.integers(0, 11))
    if kind == 0:
        return draw(any_tensor)
    if kind == 1:
        return torch.zeros(1, 64, 64)
    own = draw(st.sampled_from([size, size, size, (20, 17), (64, 64)]))
    return draw(tensors((draw(st.integers(1, most)), *own), good, (torch.float32, torch.float16)))


maybe = lambda strategy: st.one_of(st.none(), strategy)  # noqa: E731
numbers = st.integers(-3, 60)
drawn = st.fixed_dictionaries(dict.fromkeys(("x", "y", "width", "height"), numbers))


@st.composite
def statements(draw):
    """Inputs of PromptToMask."""
    kind = draw(st.sampled_from(["box", "box", "point", "scribble", "mask"]))
    own = {"point": {"x": draw(numbers), "y": draw(numbers)}, "scribble": {}, "mask": {}, "box": {}}[kind]
    if kind in ("scribble", "mask"):
        own[kind] = draw(masks())
    given = {"kind": {"kind": kind, **own}, "box": draw(maybe(drawn))}
    for name, strategy in (
        ("boxes", st.one_of(nearly, texts(), values)),
        ("points", texts()),
        ("negative_points", texts()),
        ("negative_scribble", masks()),
    ):
        if draw(st.integers(0, 4)) == 0:
            given[name] = draw(strategy)
    return given


def boxed(boxes, size=SIZE):
    """A PROMPT that PromptToMask makes."""
    return N.prompt.PromptToMask.execute(torch.zeros(1, *size, 3), {"kind": "box"}, boxes=json.dumps(boxes)).result[0]


PROMPTS = [boxed([[5, 5, 25, 25]]), boxed([[5, 5, 25, 25], [20, 3, 38, 30]]), boxed([[2, 2, 9, 9]], (20, 17))]
PROMPTS.append(N.prompt.PromptToMask.execute(torch.zeros(1, *SIZE, 3), {"kind": "point", "x": 20, "y": 16}).result[0])
prompts = st.sampled_from([PROMPTS[0], PROMPTS[0], *PROMPTS])


def image_like(values, channels=3):
    return values.ndim == 4 and values.shape[3] == channels and len(values) > 0 and in_unit_range(values)


def mask_like(values):
    return values.ndim == 3 and len(values) > 0 and in_unit_range(values)


@fuzzed
@given(images(), statements())
def test_prompt(image, given):
    with attempt("node Prompt"):
        prompt, mask = N.prompt.PromptToMask.execute(image, **given).result
        assert len(prompt) == len(mask) and mask_like(mask) and mask.shape[1:] == image.shape[1:3]


@fuzzed_slowly
@given(images(), prompts, presets, seeds, st.sampled_from([0, 1]), st.sampled_from([0, 1, 2]))
def test_segment(image, prompt, preset, seed, steps, paintings):
    with attempt("node Segment"):
        method = {"preset": preset, "seed": seed, "steps": steps, "paintings": paintings, **MODELS}
        mask, soft, plate, layer, frames = N.loop.AMCPLoop.execute(image, prompt, **method).result
        assert mask_like(mask) and mask_like(soft) and mask.shape == soft.shape
        assert image_like(plate) and image_like(layer, 4) and image_like(frames)


@fuzzed_slowly
@given(images(), prompts, presets, seeds, st.lists(st.sampled_from(["auto", "I", "O"]), min_size=1, max_size=2))
def test_steps(image, prompt, preset, seed, directions):
    with attempt("node Start, Step"):
        state = N.steps.AMCPStart.execute(image, prompt, preset=preset, seed=seed, paintings=1, **MODELS).result[0]
        for direction in directions:
            state, mask, painting, potential, *_ = N.steps.AMCPStep.execute(state, direction).result
            assert mask_like(mask) and image_like(painting) and mask_like(potential)


@fuzzed_slowly
@given(images(), images(), masks(), st.sampled_from("IO"), presets, maybe(prompts))
def test_potential(image, painted, mask, direction, preset, prompt):
    with attempt("node Contrastive Potential"):
        node = N.potential.ContrastivePotential
        potential, *heat = node.execute(image, painted, mask, direction, preset, prompt, MODELS["encoder"]).result
        assert mask_like(potential) and all(map(image_like, heat))


@fuzzed_slowly
@given(images(most=1), maybe(prompts), maybe(masks(most=1)), seeds)
def test_objects(image, prompt, labels, seed):
    if labels is not None and labels.is_floating_point():
        labels = (labels * 3).round() / 255
    with attempt("node Objects"):
        found = N.several.Objects.execute(image, prompt, labels, preset="fast", seed=seed, steps=1, **MODELS).result
        assert all(map(mask_like, found[:3])) and image_like(found[3])


@fuzzed_slowly
@given(images(most=1), prompts, seeds)
def test_candidates(image, prompt, seed):
    with attempt("node Candidates"):
        found = N.candidates.Candidates.execute(image, prompt, preset="fast", seed=seed, **MODELS).result
        assert mask_like(found[0]) and mask_like(found[1]) and len(found[3].splitlines()) == len(found[0]) <= 3


@fuzzed_slowly
@given(images(), prompts, st.sampled_from(["follow", "independent"]), seeds)
def test_video(image, prompt, mode, seed):
    with attempt("node Video"):
        found = N.video.Video.execute(image, prompt, mode, preset="fast", seed=seed, steps=1, **MODELS).result
        assert mask_like(found[0]) and mask_like(found[1])


@fuzzed_slowly
@given(images(), st.integers(1, 3))
def test_discover(image, objects):
    with attempt("node Discover"):
        prompt, mask = N.discover.Discover.execute(image, objects, MODELS["encoder"]).result
        assert mask_like(mask) and len(prompt) == len(mask)


@fuzzed_slowly
@given(images(), masks(), seeds, st.sampled_from([1, 1, 2]), st.booleans(), st.integers(-1, 9))
def test_remove(image, mask, seed, candidates, shadow, grow):
    with attempt("node Remove Object"):
        plate, hole = N.layers.RemoveObject.execute(image, mask, seed, candidates, shadow, grow, **MODELS).result
        assert image_like(plate) and mask_like(hole)


@fuzzed
@given(images(), masks(), st.floats(0, 20))
def test_cut_out(image, mask, soften):
    with attempt("node Cut Out"):
        assert image_like(N.layers.CutOut.execute(image, mask, soften).result[0], 4)


@fuzzed_slowly
@given(images(), masks(), maybe(masks()), maybe(prompts), seeds)
def test_amodal(image, front, behind, prompt, seed):
    with attempt("node Amodal"):
        found = N.layers.Amodal.execute(image, front, "fast", seed, 1, behind, prompt, **MODELS).result
        assert mask_like(found[0]) and image_like(found[1], 4) and image_like(found[2])


@fuzzed_slowly
@given(images(most=1), maybe(prompts), seeds, st.integers(1, 3), st.booleans())
def test_layers(image, prompt, seed, most, shadow):
    with attempt("node Layers"):
        found = N.layers.Layers.execute(image, "fast", seed, 1, most, shadow, prompt, **MODELS).result
        assert image_like(found[0], 4) and mask_like(found[1]) and image_like(found[2])


stacks = st.one_of(*(tensors((count, *SIZE, 4), good, (torch.float32, torch.float16)) for count in (1, 2)), any_tensor)
shares = st.floats(0, 1)
far = st.floats(-16384, 16384)


@fuzzed
@given(
    images(),
    stacks,
    st.integers(0, 3),
    far,
    far,
    st.floats(0.01, 50),
    st.floats(-360, 360),
    st.booleans(),
    shares,
    shares,
    st.one_of(st.just(""), texts()),
)
def test_reassemble(plate, layers, layer, dx, dy, scale, rotation, flip, opacity, shadow, placements):
    if scale > 5 or '"scale"' in placements:
        scale, placements = 1.0, ""  # large ones are right, and slow
    with attempt("node Reassemble"):
        made = N.layers.Reassemble.execute(
            plate, layers, layer, dx, dy, scale, rotation, flip, opacity, shadow, placements
        )
        assert image_like(made.result[0])


prefixes = st.one_of(st.just("layers"), st.just("a/b"), st.just("../../x"), st.text(max_size=8))


@fuzzed
@given(stacks, prefixes, st.sampled_from(["OpenRaster", "PNG set"]), maybe(images(most=1)), st.text(max_size=9))
def test_save(layers, prefix, kind, plate, names):
    from pathlib import Path

    import folder_paths

    with attempt("node Save Layers"):
        path = Path(N.layers.SaveLayers.execute(layers, prefix, kind, plate, names).result[0]).resolve()
        assert path.is_file() and path.is_relative_to(Path(folder_paths.get_output_directory()).resolve())
