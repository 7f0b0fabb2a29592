"""How often the models are asked: a step more than it must be, and a test here fails whatever the clock says."""

from dataclasses import replace

import pytest
import torch

import paintseg.crf
from paintseg.config import Config, preset
from paintseg.errors import InputError
from paintseg.morphology import bounding_box, grow_box
from paintseg.prompts import box_prompt, point_prompt
from paintseg.segment import segment

from .small_models import MeanColour, Paints, Surroundings, disc_photo, embedded

SIZE = (96, 128)
PHOTO, _ = disc_photo(SIZE)
BOX = box_prompt((40, 24, 88, 72), SIZE)  # the view around it is a part of the photo
WIDE = box_prompt((4, 4, 124, 92), SIZE)  # and around this one all of it
SMALL = {"size": 64, "encoder_size": 64, "crf_iterations": 1}


class CountsImages:
    """An encoder, and the sizes of the images it was shown."""

    def __init__(self, encoder):
        self.encoder, self.shown = encoder, []

    def __getattr__(self, name):
        return getattr(self.encoder, name)

    def encode(self, images):
        self.shown += [tuple(image.shape[1:]) for image in images]
        return self.encoder.encode(images)


class CountsPaintings:
    """A painter, and how many paintings each call asked for."""

    def __init__(self, painter):
        self.painter, self.counts = painter, []

    def __getattr__(self, name):
        return getattr(self.painter, name)

    def paint(self, image, hole, count, generator):
        self.counts.append(count)
        return self.painter.paint(image, hole, count, generator)


@pytest.fixture
def lattices(monkeypatch):
    """The number of points of every lattice built."""
    built = []

    class Counted(paintseg.crf.Lattice):
        def __init__(self, features):
            built.append(len(features))
            super().__init__(features)

    monkeypatch.setattr(paintseg.crf, "Lattice", Counted)
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


@pytest.mark.parametrize(("prompt", "contexts"), [(BOX, 2), (WIDE, 1)])
@pytest.mark.parametrize("name", ["balanced", "best"])
def test_ours_encode_the_photo_once_per_context_and_every_painting_once_in_the_view(name, prompt, contexts, lattices):
    config = preset(name, **SMALL)
    shown, counts, result = calls(config, prompt)
    assert counts == [config.paintings] * config.steps
    assert len(shown) == contexts + config.steps * config.paintings
    assert len(lattices) == 1  # the finish; no colour term
    assert len(result.states) == config.steps


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
    off = {"stop_change": 0, "stop_score": False, "skip_idle": False, "first_paintings": 0, "photo_size": 0,
           "paint_contexts": ()}
    assert {name: getattr(Config(), name) for name in off} == off
    assert len(calls(TEN)[1]) == 10


def test_the_loop_ends_when_an_I_and_an_O_step_together_changed_next_to_nothing():
    every, stopped = calls(TEN)[2].states, calls(replace(TEN, stop_change=0.02))[2].states
    masks = [every[0].scene.start, *(state.mask for state in every)]
    moved = [float((new ^ old).sum() / old.sum()) for old, new in zip(masks, masks[2:], strict=False)]
    assert 2 < len(stopped) < 10
    assert len(stopped) == 2 + next(number for number, share in enumerate(moved) if share < 0.02)
    assert torch.equal(stopped[-1].mask, masks[len(stopped)])


def test_the_loop_ends_when_a_term_of_eq_6_is_not_above_what_it_was():
    stopped = calls(replace(TEN, stop_score=True))[2]
    gains = [mark.gain for mark in stopped.states[-1].marks]
    assert 2 < len(gains) < 10
    assert gains[-1] <= gains[-3]
    assert all(one < other for one, other in zip(gains[:-3], gains[2:-1], strict=True))


def test_an_O_step_without_room_is_left_out_and_the_others_keep_their_numbers():
    tight = preset("paper", steps=3, paintings=1, valid_rate=1.0, **SMALL)
    the_photo = Paints(lambda image, hole, count: image.expand(count, -1, -1, -1))
    assert [state.step for state in calls(tight, painter=the_photo)[2].states] == [1, 2, 3]
    skipping = calls(replace(tight, skip_idle=True), painter=the_photo)[2]
    assert [(state.step, state.direction) for state in skipping.states] == [(1, "I"), (3, "I")]


def test_paintings_that_agree_need_no_more_of_them():
    thrifty = replace(TEN, first_paintings=2)
    shown, counts, result = calls(thrifty)
    assert counts == [2] * 10
    assert len(shown) == changes(boxes(result)) + 20
    assert torch.equal(result.mask, calls(TEN)[2].mask)  # this painter's paintings are all alike


def test_where_paintings_disagree_the_rest_are_made_and_none_is_encoded_twice():
    generator = torch.Generator().manual_seed(0)

    def noise(image, hole, count):
        return torch.rand(count, *image.shape, generator=generator)

    shown, counts, result = calls(replace(TEN, first_paintings=2, first_agreement=0.0), painter=Paints(noise))
    assert counts == [2] * 20
    assert all(len(state.painting) == len(state.potential.paint) == 4 for state in result.states)
    assert len(shown) == changes(boxes(result)) + 40


@pytest.mark.parametrize(("changes", "sentence"), [
    ({"first_paintings": 1}, "at least 2"),
    ({"photo_size": 16}, "photo_size must be 0 or at least 32"),
    ({"paint_contexts": ("photo",)}, "paint_contexts must be among the contexts box"),
    ({"stop_change": -0.1}, "stop_change must be 0 or more"),
    ({"stop_score": 1}, "stop_score must be True or False"),
])
def test_what_means_nothing_is_refused(changes, sentence):
    with pytest.raises(InputError, match=sentence):
        preset("paper", **changes)
