"""How often the models are asked: a step more than it must be, and a test here fails whatever the clock says."""

import pytest
from harness.stand_in import lend

import paintseg.finish.crf
from paintseg.config import Config, preset
from paintseg.encoders.base import Features
from paintseg.errors import InputError
from paintseg.ops.boxes import bounding_box, grow_box
from paintseg.ops.images import size_of
from paintseg.prompts import box_prompt, point_prompt
from paintseg.segmentation import segment

from .small_models import MeanColour, Surroundings, disc_photo, embedded

SIZE = (96, 128)
PHOTO, _ = disc_photo(SIZE)
BOX = box_prompt((40, 24, 88, 72), SIZE)  # the view around it is a part of the photo
WIDE = box_prompt((4, 4, 124, 92), SIZE)  # and around this one all of it
SLENDER = box_prompt((52, 24, 76, 72), SIZE)  # leaves room in its view
SMALL = {"size": 64, "encoder_size": 64, "photo_size": 0}


class CountsImages:
    """An encoder, and the sizes of the images it was shown."""

    def __init__(self, encoder):
        self.encoder, self.shown = encoder, []
        lend(self, encoder)

    def encode(self, images):
        self.shown += [tuple(image.shape[1:]) for image in images]
        return self.encoder.encode(images)


class WithKeys(MeanColour):
    """An encoder with keys, and what each call asked for: tokens, keys."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def features(self, images, tokens=False, keys=False):
        self.asked.append((tokens, keys))
        found = self.encode(images)
        return Features(tokens=found if tokens else None, keys=found if keys else None)


class CountsPaintings:
    """A painter, and how many paintings each call asked for."""

    def __init__(self, painter):
        self.painter, self.counts = painter, []
        lend(self, painter)

    def paint(self, image, hole, count, generator):
        self.counts.append(count)
        return self.painter.paint(image, hole, count, generator)


@pytest.fixture
def lattices(monkeypatch):
    """The number of points of every lattice built."""
    built = []

    class Counted(paintseg.finish.crf.Lattice):
        def __init__(self, features):
            built.append(len(features))
            super().__init__(features)

    monkeypatch.setattr(paintseg.finish.crf, "Lattice", Counted)
    return built


def calls(config, prompt=BOX, painter=None, encoder=None):
    """Images encoded, paintings per call, the result."""
    encoder, painter = CountsImages(encoder or MeanColour()), CountsPaintings(painter or Surroundings())
    result = segment(PHOTO, prompt, painter, encoder, config)
    return encoder.shown, painter.counts, result


def boxes(result):
    """The contrast box of every step."""
    view, rate = result.states[0].scene.view.content, result.states[0].scene.config.box_rate
    masks = [result.states[0].scene.start, *(state.mask for state in result.states[:-1])]
    return [grow_box(bounding_box(mask), rate, view) for mask in masks]


def changes(values):
    return 1 + sum(one != other for one, other in zip(values, values[1:], strict=False))


@pytest.mark.parametrize("paintings", [1, 3])
def test_the_paper_encodes_the_photo_once_per_contrast_box_and_every_painting_once(paintings, lattices):
    shown, counts, result = calls(preset("paper", paintings=paintings, **SMALL))
    assert counts == [paintings] * 5
    assert len(shown) == changes(boxes(result)) + 5 * paintings
    assert len(lattices) == changes(boxes(result))


def test_a_contrast_box_met_again_is_not_encoded_again(lattices):
    still = preset("paper", paintings=2, adversarial=True, inner_ring=1, outer_ring=1, **SMALL)
    shown, _, result = calls(still, WIDE)
    assert changes(boxes(result)) < len(result.states)
    assert len(shown) == changes(boxes(result)) + 5 * 2
    assert len(lattices) == changes(boxes(result))


@pytest.mark.parametrize(
    ("name", "prompt", "contexts"),
    [("balanced", BOX, 2), ("balanced", WIDE, 1), ("best", SLENDER, 3), ("best", BOX, 2), ("best", WIDE, 1)],
)
def test_ours_encode_the_photo_once_per_context_and_every_painting_once_in_the_view(name, prompt, contexts, lattices):
    config = preset(name, **SMALL)
    shown, counts, result = calls(config, prompt)
    assert counts == [config.paintings] * config.steps
    assert len(shown) == contexts + config.steps * config.paintings
    assert len(lattices) == 1  # the finish; no colour term
    assert len(result.states) == config.steps


@pytest.mark.parametrize(("prompt", "views"), [(BOX, [(64, 64)]), (WIDE, [])])
def test_paintings_and_the_photo_beside_them_are_encoded_at_a_size_of_their_own(prompt, views):
    config = preset("balanced", **SMALL | {"paint_size": 32, "l_paint_sure": 0.0})
    shown, _, result = calls(config, prompt)
    scene = result.states[0].scene
    small = (32, 32) if views else (24, 32)
    assert shown == [(48, 64), *views, *[small] * (1 + config.steps)]
    assert [size_of(frame.image) for frame in scene.compared] == [small]
    assert all(size_of(frame.image) != small for frame in scene.frames), "affinities are measured in full"


@pytest.mark.parametrize(("prompt", "view"), [(BOX, (64, 64)), (WIDE, (48, 64))])
def test_a_sure_painting_and_the_photo_beside_it_are_looked_at_once_more_in_full(prompt, view):
    shown, _, _ = calls(preset("balanced", **SMALL | {"paint_size": 32, "steps": 1}), prompt)
    small = (32, 32) if view == (64, 64) else (24, 32)
    assert shown[-4:] == [small, small, view, view]  # this painter leaves the background as it is


def test_a_context_that_is_small_anyway_is_compared_as_it_is():
    shown, _, result = calls(preset("balanced", **SMALL | {"paint_size": 64}), WIDE)
    assert set(shown) == {(48, 64)} and len(shown) == 3
    assert result.states[0].scene.compared == result.states[0].scene.frames


def test_tokens_are_not_computed_where_only_keys_are_looked_at():
    encoder = WithKeys()
    calls(preset("balanced", **SMALL | {"paint_size": 32}), encoder=encoder)
    assert encoder.asked == [(False, True)] * 2, "photo and view; paintings go through encode"


def test_fast_encodes_three_images_and_paints_once():
    shown, counts, _ = calls(preset("fast", size=64, encoder_size=64, photo_size=32))
    assert (len(shown), counts) == (3, [1])
    assert shown[0] == (24, 32), "the whole photo is looked at coarsely"


def test_fast_does_not_look_again_at_a_view_that_is_the_whole_photo():
    shown, counts, _ = calls(preset("fast", size=64, encoder_size=64, photo_size=32), WIDE)
    assert shown == [(48, 64)] * 2


def test_a_point_whose_view_is_the_whole_photo_is_looked_at_in_full_before_the_loop():
    whole = preset("fast", size=64, encoder_size=64, photo_size=32, view_context=9.0)
    shown, _, _ = calls(whole, point_prompt([(64, 48)], SIZE))
    assert shown == [(24, 32), (48, 64), (48, 64)]


def test_fast_paints_at_most_a_quarter_of_what_the_paper_does():
    paper, fast = preset("paper"), preset("fast")
    assert 4 * fast.steps * fast.paintings <= paper.steps * paper.paintings


def test_the_embedded_encoder_passes_once_per_image():
    passes = []
    models = embedded()
    models.encoder.features(PHOTO[None, :, :28, :28], keys=True)  # what keys say of places is asked once in its life
    forward = models.encoder._forward
    models.encoder._forward = lambda images, *rest: passes.append(len(images)) or forward(images, *rest)
    try:
        config = preset("balanced", size=128, encoder_size=56, finish="none")
        segment(PHOTO, BOX, models.painter, models.encoder, config)
    finally:
        del models.encoder._forward
    assert sum(passes) == len(config.contexts) + config.steps * config.paintings


# Fewer calls, where the parameters allow it

TEN = preset("paper", steps=10, paintings=4, **SMALL)


def test_the_paper_makes_all_its_steps_and_paintings():
    off = {"photo_size": 0, "paint_size": 0}
    assert {name: getattr(Config(), name) for name in off} == off
    assert calls(TEN)[1] == [4] * 10


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"photo_size": 16}, "photo_size must be 0 or at least 32"),
        ({"paint_size": 16}, "paint_size must be 0 or at least 32"),
    ],
)
def test_what_means_nothing_is_refused(changes, sentence):
    with pytest.raises(InputError, match=sentence):
        preset("paper", **changes)
