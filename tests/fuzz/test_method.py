"""The method itself, with a real encoder and a real painter that are small enough to be asked thousands of times."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from paintseg.config import PRESETS, preset
from paintseg.layers.amodal import amodal, peel
from paintseg.prompts import Prompt, mask_prompt
from paintseg.segmentation import segment
from paintseg.tasks.candidates import candidates
from paintseg.tasks.painting_potential import measure
from paintseg.tasks.several import segment_each
from paintseg.tasks.video import follow

from .inputs import masks, mostly, photos, prompt_parts, sizes, tensors
from .tally import attempt, fuzzed_slowly
from .test_pictures import in_unit_range
from .tiny import Blur, Colours, Faulty

OURS = preset("fast", size=64, encoder_size=32, photo_size=0, finish="none", locate_rounds=1)
CHANGES = {
    "steps": mostly(st.integers(1, 3), st.just(0)),
    "paintings": st.integers(1, 3),
    "directions": st.sampled_from(["IO", "I", "O"]),
    "adversarial": st.booleans(),
    "view_context": st.sampled_from([0, 1.0, 1.5, 4.0]),
    "valid_rate": st.floats(0.1, 3),
    "start": st.sampled_from(["whole", "affinity"]),
    "box_leak": st.floats(0, 2),
    "clicks": st.sampled_from(["together", "corrections"]),
    "l_paint": st.sampled_from([0.0, 0.2, 1e5]),
    "l_color": st.sampled_from([0.0, 0.2]),
    "l_prompt": st.sampled_from([0.0, 0.2]),
    "l_affinity": st.sampled_from([0.0, 0.8]),
    "contexts": st.lists(st.sampled_from(["box", "view", "closer", "photo"]), min_size=1, max_size=3, unique=True).map(
        tuple
    ),
    "distance": st.sampled_from(["squared", "cosine"]),
    "normalise": st.sampled_from(["range", "deviation"]),
    "clusters": st.integers(2, 4),
    "early_clusters": st.integers(2, 4),
    "inner_ring": st.sampled_from([0, 1, 32]),
    "outer_ring": st.sampled_from([0, 1, 32]),
    "kernel": st.sampled_from([1, 5, 40]),
    "hole_grow": st.sampled_from([0, 4]),
    "finish": st.sampled_from(["none", "appearance"]),
    "pieces": st.sampled_from(["all", "supported", "largest"]),
    "finish_colour": st.sampled_from([0.0, 0.5, 1e5]),
}


@st.composite
def configs(draw):
    """A preset at a size that is quick, with some parameters changed. Raises InputError for some."""
    small = {"size": 64, "encoder_size": 32, "paint_size": 0, "photo_size": 0}
    if draw(st.booleans()):
        return {
            "name": draw(st.sampled_from(sorted(PRESETS))),
            **small,
            "steps": draw(st.integers(1, 2)),
            "paintings": 1,
        }
    names = draw(st.lists(st.sampled_from(sorted(CHANGES)), max_size=4, unique=True))
    chosen = {name: draw(CHANGES[name]) for name in names}
    return {"name": draw(st.sampled_from(["paper", "balanced", "fast"])), **small, "steps": 1, "paintings": 2, **chosen}


def check(result, size):
    assert result.mask.shape == result.soft.shape == size and result.mask.dtype == torch.bool
    assert in_unit_range(result.soft) and torch.equal(result.mask, result.soft > 0.5)
    assert all(line == line.strip() and line for line in result.note.splitlines())


outpainters = st.sampled_from([None, None, None, Blur(), Faulty()])


@fuzzed_slowly
@given(st.data(), sizes, configs(), st.one_of(st.integers(0, 9), st.integers()), outpainters)
def test_segment(data, size, settings, seed, outpainter):
    photo = data.draw(photos(size))
    with attempt("segment"):
        prompt = Prompt(**data.draw(prompt_parts(size)))
        check(segment(photo, prompt, Blur(), Colours(), preset(**settings), seed, outpainter), size)


few = st.sampled_from([(7, 16), (21, 13), (33, 33)])


@st.composite
def prompts(draw, size, kinds=("box", "point")):
    """A prompt that can be used."""
    x0, y0 = draw(st.integers(0, size[1] - 3)), draw(st.integers(0, size[0] - 3))
    box = (x0, y0, draw(st.integers(x0 + 2, size[1])), draw(st.integers(y0 + 2, size[0])))
    kind = draw(st.sampled_from(kinds))
    if kind == "box":
        return Prompt(size, box=box)
    if kind == "mask":
        return mask_prompt(draw(tensors(size, ("block", "halves", "checks"), (torch.float32,))))
    return Prompt(size, points=((x0 + 0.5, y0 + 0.5),))


@fuzzed_slowly
@given(st.data(), few, mostly(st.integers(1, 3), st.just(0)))
def test_several(data, size, count):
    with attempt("segment_each"):
        photo, own = data.draw(photos(size)), prompts(size, ("box", "point", "mask"))
        chosen = [data.draw(own) for _ in range(count)]
        found = segment_each(photo, chosen, Blur(), Colours(), OURS, outpainter=data.draw(outpainters))
        assert found.masks.shape == (count, *size) and int(found.masks.sum(0).max()) <= 1
        assert found.labels.max() <= count and in_unit_range(found.soft)


@fuzzed_slowly
@given(st.data(), few, st.sampled_from([1, 2, 2, 3]), st.booleans())
def test_following(data, size, count, keep_first):
    with attempt("follow"):
        frames = [data.draw(photos(size)) for _ in range(count)]
        prompt = data.draw(prompts(size, ("mask", "mask", "box") if keep_first else ("box", "point", "mask")))
        found = list(follow(frames, prompt, Blur(), Colours(4), OURS, keep_first=keep_first))
        assert len(found) == count and (not keep_first or torch.equal(found[0].mask, prompt.mask > 0.5))
        assert all(one.mask.shape == size and in_unit_range(one.soft) for one in found)


@fuzzed_slowly
@given(st.data(), few)
def test_candidates(data, size):
    with attempt("candidates"):
        prompt = data.draw(prompts(size, ("point", "point", "point", "box")))
        found = candidates(data.draw(photos(size)), prompt, Blur(), Colours(), OURS)
        assert 1 <= len(found) <= 3
        for one in found:
            check(one.result, size)


@fuzzed_slowly
@given(st.data(), sizes, st.sampled_from("IO"), configs())
def test_the_potential_of_any_painting(data, size, direction, settings):
    with attempt("measure"):
        photo, painting, region = data.draw(photos(size)), data.draw(photos(size)), data.draw(masks(size))
        own = data.draw(st.one_of(st.none(), prompts(size))) if min(size) > 3 else None
        found = measure(photo, painting, region, Colours(), preset(**settings), direction, own)
        for term in (found.total, found.paint, found.color, found.prompt, found.affinity):
            assert term is None or (term.shape == size and in_unit_range(term))


@fuzzed_slowly
@given(st.data(), st.sampled_from([(40, 48), (64, 33)]))
def test_taking_apart(data, size):
    spot = tensors(size, ("pixel", "pixel", "halves"), (torch.float32,))
    with attempt("amodal, peel"):
        photo = data.draw(photos(size))
        if data.draw(st.booleans()):
            behind = data.draw(st.one_of(masks(size), prompts(size)))
            found = amodal(photo, data.draw(spot), behind, Blur(), Colours(), OURS)
            assert found.layer.shape == (4, *size) and in_unit_range(found.plate) and in_unit_range(found.soft)
        else:
            front = data.draw(st.one_of(prompts(size), spot.map(mask_prompt)))
            found = peel(photo, [front], Blur(), Colours(), OURS)
            assert len(found.layers) == len(found.masks) == 1 and in_unit_range(found.plate)
