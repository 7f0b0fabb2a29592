"""The nodes as ComfyUI calls them, without its server: what a graph may hand over becomes outputs or one sentence."""

import json
from dataclasses import replace

import pytest
import torch
from harness.inprocess import load_pack
from hypothesis import given
from hypothesis import strategies as st

from .inputs import any_tensor, good, mostly, nearly, partial, rectangles, seldom, spots, tensors, texts, values
from .tally import attempt, fuzzed, fuzzed_slowly
from .test_pictures import in_unit_range
from .tiny import Blur, Colours, Faulty

PACK = load_pack()
N = PACK.nodes
# The presets' views are for photos of hundreds of pixels; everything else of them stays.
for name, config in list(PACK.paintseg.config.PRESETS.items()):
    small = replace(config, size=64, encoder_size=32, photo_size=0, locate_rounds=1)
    PACK.paintseg.config.PRESETS[name] = replace(small, finish="none") if name == "fast" else small

SIZE, OTHER, LARGE = (33, 40), (20, 17), (64, 90)
presets = st.sampled_from(["fast", "balanced", "paper", "best"])
seeds = st.one_of(st.integers(0, 9), st.integers(0, 2**64 - 1))
MODELS = {"painter": Blur(), "encoder": Colours()}
outpainters = st.sampled_from([None, None, None, Blur(), Faulty()])


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
    if seldom(draw, 12):
        return draw(any_tensor)
    shape = (draw(st.integers(1, most)), *size, draw(st.sampled_from([3, 3, 3, 4, 1])))
    fills = (*good, "nan") if seldom(draw, 10) else good
    return draw(tensors(shape, fills, (torch.float32, torch.float16)))


@st.composite
def masks(draw, size=SIZE, most=2):
    """Nearly always a MASK, mostly of a part of the image: of its size, of another, or LoadImage's empty one."""
    kind = draw(st.integers(0, 11))
    if kind == 11:
        return draw(any_tensor)
    if kind == 10:
        return torch.zeros(1, 64, 64)
    own = draw(st.sampled_from([size, size, size, OTHER, (64, 64)]))
    shape = (draw(st.integers(1, most)), *own)
    return draw(tensors(shape, good if kind == 9 else partial, (torch.float32, torch.float16)))


@st.composite
def pairs(draw, most=2):
    """An image of one of several sizes, and a mask meant for it."""
    size = draw(st.sampled_from([SIZE, OTHER, LARGE]))
    return draw(images(size, most)), draw(masks(size, most))


maybe = lambda strategy: st.one_of(st.none(), strategy)  # noqa: E731
numbers = mostly(st.integers(0, min(SIZE) - 1), st.integers(-3, 60))
drawn = st.fixed_dictionaries({"x": numbers, "y": numbers, "width": st.integers(1, 40), "height": st.integers(1, 40)})
on_it = st.lists(st.fixed_dictionaries({"x": numbers, "y": numbers}), max_size=3).map(json.dumps)
around = st.lists(st.tuples(*[st.integers(0, 15)] * 2, *[st.integers(17, 33)] * 2).map(list), min_size=1, max_size=2)


@st.composite
def statements(draw):
    """Inputs of PromptToMask."""
    kind = draw(st.sampled_from(["box", "box", "point", "scribble", "mask"]))
    own = {"point": {"x": draw(numbers), "y": draw(numbers)}, "scribble": {}, "mask": {}, "box": {}}[kind]
    if kind in ("scribble", "mask"):
        own[kind] = draw(masks())
    if kind == "point" and draw(st.booleans()):
        own["dots"] = draw(masks())
    given = {"kind": {"kind": kind, **own}, "box": draw(mostly(drawn, st.none()))}
    for name, strategy in (
        ("boxes", mostly(around, st.one_of(spots, rectangles, nearly, texts(), values), 3)),
        ("points", mostly(on_it, texts(), 3)),
        ("negative_points", mostly(on_it, texts(), 3)),
        ("negative_scribble", masks()),
    ):
        if seldom(draw, 5):
            given[name] = draw(strategy)
    return given


def boxed(boxes, size=SIZE):
    """A PROMPT that PromptToMask makes."""
    return N.prompt.PromptToMask.execute(torch.zeros(1, *size, 3), {"kind": "box"}, boxes=json.dumps(boxes)).result[0]


PHOTO = torch.zeros(1, *SIZE, 3)
BLOCK = torch.zeros(1, *SIZE)
BLOCK[:, 8:24, 10:30] = 1
BOX, BOXES, SMALL = boxed([[5, 5, 25, 25]]), boxed([[5, 5, 25, 25], [20, 3, 38, 30]]), boxed([[2, 2, 9, 9]], OTHER)
POINT, STROKES, ROUGH = (
    N.prompt.PromptToMask.execute(PHOTO, kind).result[0]
    for kind in (
        {"kind": "point", "x": 20, "y": 16},
        {"kind": "scribble", "scribble": BLOCK},
        {"kind": "mask", "mask": BLOCK},
    )
)
prompts = mostly(st.sampled_from([BOX, BOX, POINT, ROUGH, STROKES, BOXES]), st.just(SMALL))


def plate_like(values):
    """A photo's plate is as transparent as the photo."""
    return image_like(values) or image_like(values, 4)


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
@given(images(), prompts, presets, seeds, st.sampled_from([1, 1, 1, 0]), st.sampled_from([1, 1, 2, 0]), outpainters)
def test_segment(image, prompt, preset, seed, steps, paintings, outpainter):
    with attempt("node Segment"):
        method = {"preset": preset, "seed": seed, "steps": steps, "paintings": paintings, **MODELS}
        method["outpainter"] = outpainter
        mask, soft, plate, layer, frames = N.loop.AMCPLoop.execute(image, prompt, **method).result
        assert mask_like(mask) and mask_like(soft) and mask.shape == soft.shape
        assert plate_like(plate) and image_like(layer, 4) and image_like(frames)


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


def either(first, second):
    """One of two inputs, seldom both or none."""
    one = st.one_of(st.tuples(first, st.none()), st.tuples(st.none(), second))
    return mostly(one, st.one_of(st.just((None, None)), st.tuples(first, second)))


@fuzzed_slowly
@given(images(most=1), st.data(), seeds)
def test_objects(image, data, seed):
    prompt, labels = data.draw(either(prompts, masks(most=1)))
    if labels is not None and labels.is_floating_point():
        labels = (labels * 3).round() / 255
    with attempt("node Objects"):
        found = N.several.Objects.execute(image, prompt, labels, preset="fast", seed=seed, steps=1, **MODELS).result
        assert all(map(mask_like, found[:3])) and image_like(found[3])


@fuzzed_slowly
@given(images(most=1), mostly(st.sampled_from([POINT, STROKES]), prompts, 4), seeds)
def test_candidates(image, prompt, seed):
    with attempt("node Candidates"):
        found = N.candidates.Candidates.execute(image, prompt, preset="fast", seed=seed, **MODELS).result
        assert mask_like(found[0]) and mask_like(found[1]) and len(found[3].splitlines()) == len(found[0]) <= 3


@fuzzed_slowly
@given(images(), prompts, st.sampled_from(["follow", "independent"]), seeds, st.booleans(), outpainters)
def test_video(image, prompt, mode, seed, keep_first, outpainter):
    with attempt("node Video"):
        keep_first = keep_first and mode == "follow" or (keep_first and seed == 7)
        method = {"preset": "fast", "seed": seed, "steps": 1, "outpainter": outpainter, **MODELS}
        found = N.video.Video.execute(image, prompt, mode, keep_first, **method).result
        assert mask_like(found[0]) and mask_like(found[1])


FLAT = (9, 40)  # all cells of a photo are held against each other


@fuzzed_slowly
@given(images(FLAT), mostly(st.just(1), st.integers(2, 3), 3))
def test_discover(image, objects):
    with attempt("node Discover"):
        prompt, mask = N.discover.Discover.execute(image, objects, MODELS["encoder"]).result
        assert mask_like(mask) and len(prompt) == len(mask)


@fuzzed_slowly
@given(pairs(), seeds, st.sampled_from([1, 1, 2]), st.booleans(), mostly(st.integers(0, 9), st.just(-1), 4))
def test_remove(pair, seed, candidates, shadow, grow):
    with attempt("node Remove Object"):
        plate, hole = N.remove.RemoveObject.execute(*pair, seed, candidates, shadow, grow, **MODELS).result
        assert plate_like(plate) and mask_like(hole)


@fuzzed
@given(pairs(), st.floats(0, 20), st.sampled_from(["mask", "matte"]))
def test_cut_out(pair, soften, edge):
    with attempt("node Cut Out"):
        assert image_like(N.cut_out.CutOut.execute(*pair, soften, edge).result[0], 4)


@fuzzed_slowly
@given(images(), masks(), either(prompts, masks()), seeds)
def test_amodal(image, front, hidden, seed):
    prompt, behind = hidden
    with attempt("node Amodal"):
        found = N.amodal.Amodal.execute(image, front, 1, behind, prompt, preset="fast", seed=seed, **MODELS).result
        assert mask_like(found[0]) and image_like(found[1], 4) and plate_like(found[2])


@fuzzed_slowly
@given(st.data(), mostly(prompts, st.none(), 4), seeds, st.integers(1, 3), st.booleans())
def test_layers(data, prompt, seed, most, shadow):
    image = data.draw(images(SIZE if prompt else FLAT, most=1))
    with attempt("node Layers"):
        found = N.layers.Layers.execute(image, 1, most, shadow, prompt, preset="fast", seed=seed, **MODELS).result
        assert image_like(found[0], 4) and mask_like(found[1]) and plate_like(found[2])


four = st.integers(1, 2).flatmap(lambda count: tensors((count, *OTHER, 4), good, (torch.float32, torch.float16)))
stacks = mostly(four, any_tensor)
shares = st.floats(0, 1)
far = st.floats(-16384, 16384)


@fuzzed
@given(
    images(),
    stacks,
    mostly(st.just(0), st.integers(1, 3), 3),
    far,
    far,
    st.floats(0.01, 50),
    st.floats(-360, 360),
    st.booleans(),
    shares,
    shares,
    mostly(st.just(""), texts(), 4),
)
def test_reassemble(plate, layers, layer, dx, dy, scale, rotation, flip, opacity, shadow, placements):
    if scale > 5 or '"scale"' in placements:
        scale, placements = 1.0, ""  # large ones are right, and slow
    with attempt("node Reassemble"):
        made = N.reassemble.Reassemble.execute(
            plate, layers, layer, dx, dy, scale, rotation, flip, opacity, shadow, placements
        )
        assert plate_like(made.result[0])


prefixes = mostly(st.sampled_from(["layers", "a/b"]), st.one_of(st.just("../../x"), st.text(max_size=8)), 3)


@fuzzed
@given(stacks, prefixes, st.sampled_from(["OpenRaster", "PNG set"]), maybe(images(OTHER, most=1)), st.text(max_size=9))
def test_save(layers, prefix, kind, plate, names):
    from pathlib import Path

    import folder_paths

    with attempt("node Save Layers"):
        path = Path(N.save_layers.SaveLayers.execute(layers, prefix, kind, plate, names).result[0]).resolve()
        assert path.is_file() and path.is_relative_to(Path(folder_paths.get_output_directory()).resolve())
