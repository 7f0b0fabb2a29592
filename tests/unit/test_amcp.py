"""The loop: eq. 3 and 4 on masks small enough to draw, its promises on any mask, and the embedded models in it."""

import itertools
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from paintseg.amcp import loop as amcp
from paintseg.amcp.contrast import color_term
from paintseg.amcp.scene import prepare
from paintseg.config import Config, preset
from paintseg.errors import InputError, PainterError
from paintseg.finish.crf import DenseCRF
from paintseg.ops.boxes import box_mask
from paintseg.ops.morphology import inner_ring, outer_ring
from paintseg.prompts import Prompt, box_prompt, mask_prompt, point_prompt

from .small_models import MeanColour, Paints, Surroundings, disc_photo, embedded, iou

SIZE = (96, 128)
PHOTO, DISC = disc_photo(SIZE)
BOX = box_prompt((40, 24, 88, 72), SIZE)
PLAIN = preset("paper", size=128, encoder_size=128, paintings=1)
RING1 = Config(size=512, inner_ring=1, outer_ring=1)
REAL = preset("fast", size=128, encoder_size=112, photo_size=0, steps=2, paintings=2)


def begin(prompt=BOX, config=PLAIN, photo=PHOTO, encoder=None, multiple=8, seed=0):
    return amcp.start(prepare(photo, prompt, encoder or MeanColour(), config, multiple), seed)


def run(state, painter, encoder=None):
    return list(amcp.run(state, painter, painter, encoder or MeanColour()))


def same(one, other):
    return all(
        torch.equal(getattr(one, name), getattr(other, name)) for name in ("mask", "evidence", "weight", "painting")
    ) and torch.equal(one.potential.total, other.potential.total)


def drawn(*rows):
    return torch.tensor([[cell == "#" for cell in row] for row in rows])[None, None]


# Eq. 4

SQUARE = drawn(".......", ".#####.", ".#####.", ".#####.", ".#####.", ".#####.", ".......")
NOTHING, EVERYTHING = torch.zeros_like(SQUARE), torch.ones_like(SQUARE)


def test_an_I_step_that_votes_for_nothing_cuts_the_inner_ring_and_no_more():
    cut = amcp.update(SQUARE, NOTHING, "I", EVERYTHING, RING1)
    assert torch.equal(cut, drawn(".......", ".......", "..###..", "..###..", "..###..", ".......", "......."))


def test_an_O_step_that_votes_for_everything_adds_the_outer_ring_and_no_more():
    grown = amcp.update(SQUARE, EVERYTHING, "O", EVERYTHING, RING1)
    assert torch.equal(grown, drawn(".#####.", *["#######"] * 5, ".#####."))


def test_without_the_constraint_the_vote_is_the_mask():
    free = replace(RING1, adversarial=False)
    assert torch.equal(amcp.update(SQUARE, EVERYTHING, "I", EVERYTHING, free), EVERYTHING)
    assert torch.equal(amcp.update(SQUARE, NOTHING, "O", EVERYTHING, free), NOTHING)


def test_without_rings_the_steps_still_only_cut_and_only_add():
    free = replace(RING1, inner_ring=0, outer_ring=0)
    vote = drawn("##.....", "##.....", *["......."] * 5)
    assert torch.equal(amcp.update(SQUARE, vote, "I", EVERYTHING, free), SQUARE & vote)
    assert torch.equal(amcp.update(SQUARE, vote, "O", EVERYTHING, free), SQUARE | vote)


masks = hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, min_side=3, max_side=16)).map(
    lambda plane: torch.from_numpy(plane)[None, None]
)


@settings(deadline=None)
@given(masks, st.data(), st.integers(0, 4))
def test_I_steps_only_cut_and_O_steps_only_add_each_in_its_ring(mask, data, width):
    vote = data.draw(hnp.arrays(bool, mask.shape).map(torch.from_numpy))
    config, shown = Config(inner_ring=width, outer_ring=width), torch.ones_like(mask)
    cut = amcp.update(mask, vote, "I", shown, config)
    grown = amcp.update(mask, vote, "O", shown, config)
    assert not (cut & ~mask).any() and not (mask & ~grown).any()
    if width and not mask.all():
        assert not (mask & ~cut & ~inner_ring(mask, width)).any()
        assert not (grown & ~mask & ~outer_ring(mask, width)).any()


def test_an_object_that_fills_the_image_may_be_cut_anywhere():
    assert torch.equal(amcp.update(EVERYTHING, SQUARE, "I", EVERYTHING, RING1), SQUARE)


def test_what_not_object_points_keep_clear_is_no_boundary_of_the_whole_image():
    clear = drawn("##.....", "##.....", *["......."] * 5)
    cut = amcp.update(EVERYTHING & ~clear, SQUARE, "I", EVERYTHING, RING1, clear)
    assert torch.equal(cut, SQUARE & ~clear)
    hole = drawn(*["......."] * 3, "...#...", *["......."] * 3)
    cut = amcp.update(SQUARE & ~hole, NOTHING, "I", EVERYTHING, RING1, hole)  # beside a real boundary it is one too
    assert torch.equal(cut, drawn(".......", ".......", "..#.#..", ".......", "..#.#..", ".......", "......."))


def test_the_padding_is_no_boundary_of_the_object():
    shown = drawn(*["#####.."] * 5, *["......."] * 2)
    corner = drawn(*["..###.."] * 5, *["......."] * 2)
    cut = amcp.update(corner, NOTHING, "I", shown, RING1)
    assert torch.equal(cut, drawn(*["...##.."] * 5, *["......."] * 2))
    assert torch.equal(amcp.update(shown, NOTHING, "I", shown, RING1), NOTHING)
    assert not (amcp.update(corner, EVERYTHING, "O", shown, RING1) & ~shown).any()


def test_cleaning_drops_specks_closes_holes_and_spares_thin_masks_and_the_edge():
    mask = torch.zeros(1, 1, 40, 40, dtype=torch.bool)
    mask[..., 10:30, 10:40] = True
    clean = mask.clone()
    mask[..., 20, 20] = False
    mask[..., 3:5, 3:5] = True
    assert torch.equal(amcp.clean(mask, (40, 40), Config()), clean)
    assert torch.equal(amcp.clean(clean, (35, 40), Config())[..., :35, :], clean[..., :35, :])
    thin = torch.zeros_like(mask)
    thin[..., 20, :] = True
    assert torch.equal(amcp.clean(thin, (40, 40), Config()), thin)


# One step


class Pixels:
    """Every pixel is its own feature."""

    name, stride, size = "pixels", 1, 128

    def encode(self, images):
        return images.float()


BARE = replace(PLAIN, l_color=0.0, l_prompt=0.0, inner_ring=0, outer_ring=0, kernel=1, valid_rate=2.0)
ASKED = box_prompt((40, 24, 88, 72), SIZE)
CORE, AROUND = box_mask((56, 40, 72, 56), SIZE), box_mask((48, 32, 80, 64), SIZE)


def three_levels(image, hole, count):
    """A painting that is far from a black photo in the core, nearer around it, and the same elsewhere."""
    difference = 0.45 * AROUND.float() + 0.45 * CORE.float()
    return difference.expand(count, 3, -1, -1).clone()


@pytest.mark.parametrize(("early", "kept"), [(3, CORE), (2, CORE)])
def test_the_highest_cluster_of_an_I_step_is_the_object(early, kept):
    config = replace(BARE, early_clusters=early)
    black = begin(ASKED, config, torch.zeros(3, *SIZE), Pixels())
    after = amcp.step(black, "I", Paints(three_levels), Pixels())
    assert torch.equal(after.mask[0, 0], kept)


def test_the_middle_cluster_is_left_out_in_O_steps_too():
    """Painting the background: alike next to the mask, somewhat off around that, quite off beyond."""
    state = begin(
        mask_prompt(CORE.float()), replace(BARE, box_rate=4.0, valid_rate=4.0), torch.zeros(3, *SIZE), Pixels()
    )
    middle = box_mask((44, 28, 84, 68), SIZE)

    def answer(image, hole, count):
        return ((~AROUND).float() * 0.3 + (~middle).float() * 0.6).expand(count, 3, -1, -1).clone()

    three = replace(state, scene=replace(state.scene, config=replace(state.scene.config, clusters=3)))
    assert torch.equal(amcp.step(three, "O", Paints(answer), Pixels()).mask[0, 0], AROUND)


@pytest.mark.parametrize(("paintings", "wide", "kept"), [(5, 3, AROUND), (5, 2, CORE), (4, 2, CORE), (3, 2, AROUND)])
def test_paintings_vote_and_the_majority_decides(paintings, wide, kept):
    """So many of the paintings say that the object is wide, the others that it is its core."""

    def answer(image, hole, count):
        return torch.stack([(AROUND if n < wide else CORE).float().expand(3, -1, -1) for n in range(count)])

    config = replace(BARE, early_clusters=2, paintings=paintings)
    after = amcp.step(begin(ASKED, config, torch.zeros(3, *SIZE), Pixels()), "I", Paints(answer), Pixels())
    assert torch.equal(after.mask[0, 0], kept)


def test_the_hole_is_the_object_or_all_around_it():
    painter = Paints(lambda image, hole, count: torch.rand(count, *image.shape))
    state = begin()
    amcp.step(state, "I", painter, MeanColour())
    amcp.step(state, "O", painter, MeanColour())
    inside, outside = painter.holes
    assert torch.equal(inside[0] > 0, BOX.start_region())
    assert torch.equal(inside + outside, torch.ones(1, *SIZE))


def test_the_hole_of_an_I_step_can_be_grown():
    state = begin(config=replace(PLAIN, hole_grow=8))  # 2 px at 128
    region = state.mask
    assert torch.equal(amcp.hole_around(region, "I", state.scene)[0, 0], box_mask((38, 22, 90, 74), SIZE))
    assert torch.equal(amcp.hole_around(~region, "O", state.scene), ~region)


def test_the_potential_is_meant_in_the_contrast_box():
    phi = amcp.step(begin(), "I", Surroundings(), MeanColour()).potential
    assert torch.equal(phi.scope[0, 0], box_mask((37, 21, 91, 75), SIZE))  # 1.1 times 48, to whole pixels


def test_a_boxs_bump_is_at_its_centre():
    phi = amcp.step(begin(), "I", Surroundings(), MeanColour()).potential
    rows, columns = (phi.prompt[0, 0] == phi.prompt.max()).nonzero().T
    assert {*rows.tolist()} == {47, 48} and {*columns.tolist()} == {63, 64}
    assert amcp.step(begin(mask_prompt(DISC)), "I", Surroundings(), MeanColour()).potential.prompt is None


def test_the_prompt_speaks_for_the_object_in_both_kinds_of_step():
    config = replace(PLAIN, l_paint=0.0, l_color=0.0)
    inpainted, outpainted = (
        amcp.step(begin(config=config), way, Surroundings(), MeanColour()).potential for way in ("I", "O")
    )
    assert inpainted.total[0, 0, 48, 64] == pytest.approx(0.2) and outpainted.total[0, 0, 48, 64] == pytest.approx(-0.2)
    assert torch.allclose(inpainted.total, -outpainted.total)


def test_the_colour_term_is_the_crf_of_the_repainted_region_in_the_contrast_box():
    state, box = begin(), (37, 21, 91, 75)
    term = color_term(state.mask, box, state.scene)
    region = state.mask[0, 0, 21:75, 37:91].float()
    softmax = F.softmax(torch.stack([1 - region, region]), dim=0)[1]
    expected = DenseCRF(state.scene.canvas[0, :, 21:75, 37:91]).infer(softmax)
    assert torch.allclose(term[0, 0, 21:75, 37:91], expected, atol=1e-5)
    assert not term[0, 0][~box_mask(box, SIZE)].any()


@pytest.mark.parametrize("direction", ["I", "O"])
def test_a_loose_box_comes_closer_to_a_plain_object_and_a_core_grows_to_it(direction):
    config = replace(PLAIN, early_clusters=2, size=128)
    prompt = BOX if direction == "I" else mask_prompt(box_mask((54, 38, 74, 58), SIZE).float())
    before = begin(prompt, replace(config, box_rate=2.0, valid_rate=3.0) if direction == "O" else config)
    after = amcp.step(before, direction, Surroundings(), MeanColour(4))
    assert iou(after.mask[0, 0], DISC) > iou(before.mask[0, 0], DISC)


# The loop


def test_steps_alternate_and_every_state_counts_its_steps():
    states = run(begin(), Surroundings())
    assert [state.step for state in states] == [1, 2, 3, 4, 5]
    assert "".join(state.direction for state in states) == "IOIOI"


def test_points_start_from_the_whole_image_and_become_smaller():
    start = begin(point_prompt([(64, 48)], SIZE))
    assert start.mask.all()
    after = amcp.step(
        start, "I", Paints(lambda image, hole, count: 0.2 * torch.ones(count, *image.shape)), MeanColour()
    )
    assert 0 < after.mask.sum() < start.mask.sum() / 2


@pytest.mark.parametrize("kind", ["point", "stroke"])
def test_a_not_object_point_does_not_confine_the_first_step_to_its_surroundings(kind):
    wall = Paints(lambda image, hole, count: 0.2 * torch.ones(count, *image.shape))
    off = torch.zeros(SIZE, dtype=torch.bool)
    off[10, 10:40] = True
    refused = {"negative_points": ((20, 10),)} if kind == "point" else {"negative_scribble": off}
    plain, apart = (
        amcp.step(begin(Prompt(SIZE, points=((64, 48),), **more)), "I", wall, MeanColour()) for more in ({}, refused)
    )
    assert plain.mask.sum() < 0.1 * plain.mask.numel()
    assert apart.mask.sum() < 0.1 * apart.mask.numel() and not apart.mask[0, 0, 5:16, 35:].any()


def test_nothing_is_measured_where_nothing_was_painted():
    config = preset("fast", size=80, encoder_size=112, photo_size=64, valid_rate=3.0, box_rate=4.0, view_context=3.0)
    photo = torch.rand(3, *SIZE, generator=torch.Generator().manual_seed(0))
    state = begin(box_prompt((56, 40, 72, 56), SIZE), config, photo, MeanColour(4))
    phi = amcp.step(state, "I", Paints(lambda image, hole, count: 1 - image.expand(count, -1, -1, -1)), MeanColour(4))
    near = torch.nn.functional.max_pool2d(amcp.hole_around(state.mask, "I", state.scene).float(), 33, 1, 16) > 0
    paint = phi.potential.paint
    assert len(state.scene.frames) == 2 and 0.2 < near.float().mean() < 0.8
    assert paint[near].max() > 0.1
    assert paint[~near].abs().max() < 1e-6


def test_a_loop_stopped_half_way_goes_on_as_if_it_had_not_been():
    models = embedded()
    first = begin(config=REAL, encoder=models.encoder, multiple=128)
    whole = run(first, models.painter, models.encoder)
    stopped = next(amcp.run(first, models.painter, models.painter, models.encoder))
    resumed = run(stopped, models.painter, models.encoder)
    assert same(stopped, whole[0])
    assert len(resumed) == 1 and same(resumed[0], whole[1])


def test_a_state_does_not_depend_on_the_steps_that_follow():
    few, many = (run(begin(config=replace(PLAIN, steps=steps)), Surroundings()) for steps in (2, 4))
    assert all(same(one, other) for one, other in zip(few, many, strict=False))


def test_the_same_seed_repeats_to_the_bit_and_another_does_not():
    models = embedded()
    once, again, other = (
        run(begin(config=REAL, encoder=models.encoder, multiple=128, seed=seed), models.painter, models.encoder)[-1]
        for seed in (3, 3, 4)
    )
    assert same(once, again)
    assert not torch.equal(once.painting, other.painting)


def test_the_number_of_threads_matters_to_the_rounding_only():
    models, before, found = embedded(), torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            state = begin(config=replace(REAL, steps=1), encoder=models.encoder, multiple=128)
            found.append(run(state, models.painter, models.encoder)[-1])
    finally:
        torch.set_num_threads(before)
    one, two = found
    assert torch.allclose(one.painting, two.painting, atol=1e-4)
    assert torch.allclose(one.evidence, two.evidence, atol=1e-3)
    assert iou(one.mask, two.mask) > 0.99


def test_every_step_has_randomness_of_its_own():
    seen = []

    class Notes(Surroundings):
        def paint(self, image, hole, count, generator):
            seen.append(torch.rand(3, generator=generator).tolist())
            return super().paint(image, hole, count, generator)

    for seed in (0, 0, 1):
        run(begin(seed=seed), Notes())
    assert seen[:5] == seen[5:10]
    assert not any(one == other for one, other in itertools.combinations([*seen[:5], *seen[10:]], 2))


def test_frames_do_not_influence_each_other():
    models = embedded()
    alone = run(begin(config=REAL, encoder=models.encoder, multiple=128), models.painter, models.encoder)[-1]
    torch.rand(7)
    run(begin(mask_prompt(DISC), REAL, 1 - PHOTO, models.encoder, 128), models.painter, models.encoder)
    assert same(
        run(begin(config=REAL, encoder=models.encoder, multiple=128), models.painter, models.encoder)[-1], alone
    )


def test_the_object_stays_where_it_may_be():
    states = run(begin(config=replace(PLAIN, valid_rate=1.0)), Surroundings())
    assert not any((state.mask & ~state.scene.allowed).any() for state in states)


# What painters and encoders get wrong


def paints_the_photo(image, hole, count):
    return image.expand(count, -1, -1, -1)


@pytest.mark.parametrize("prompt", [BOX, point_prompt([(64, 48)], SIZE), mask_prompt(DISC)], ids=lambda p: p.kind)
def test_a_painter_that_paints_the_photo_itself_leaves_the_mask_and_a_note(prompt):
    first = begin(prompt)
    states = run(first, Paints(paints_the_photo))
    assert all(torch.equal(state.mask, first.mask) for state in states)
    assert states[0].note == "step 1: the painting is the photo itself; the mask is kept"
    assert len(states) == 5


def test_when_nothing_of_the_object_is_left_the_last_mask_is_kept():
    def rim(image, hole, count):
        """Changes the hole's rim only, which the object does not reach."""
        return torch.where(BOX.start_region(), image, 1 - image).expand(count, -1, -1, -1)

    first = begin(config=replace(BARE, hole_grow=16), encoder=Pixels())
    after = amcp.step(first, "I", Paints(rim), Pixels())
    assert torch.equal(after.mask, first.mask)
    assert after.note == "step 1: nothing of the object was left; the last mask is kept"
    assert not after.weight.any()


def test_a_potential_without_levels_leaves_the_mask_and_a_note():
    class Blind(MeanColour):
        def encode(self, images):
            return super().encode(images) * 0

    first = begin(mask_prompt(DISC), BARE)
    after = amcp.step(first, "I", Surroundings(), Blind())
    assert torch.equal(after.mask, first.mask)
    assert after.note == "step 1: the potential is the same everywhere; the mask is kept"


def test_a_note_is_about_its_own_step():
    noted = amcp.step(begin(), "I", Paints(paints_the_photo), MeanColour())
    assert amcp.step(noted, "I", Surroundings(), MeanColour()).note == ""


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda image, hole, count: image[None] * float("nan"), "the painter returned NaN or infinite pixels"),
        (lambda image, hole, count: image[None] / 0, "the painter returned NaN or infinite pixels"),
        (
            lambda image, hole, count: image[None, :, :-8],
            r"the painter returned \(3, 88, 128\) for an image of \(3, 96, 128\)",
        ),
        (lambda image, hole, count: image[None, :1], r"the painter returned \(1, 96, 128\)"),
        (
            lambda image, hole, count: image.expand(2, -1, -1, -1),
            "the painter returned 2 paintings where 1 were asked for",
        ),
    ],
    ids=["NaN", "infinite", "size", "channels", "count"],
)
def test_what_is_no_painting_is_refused(answer, sentence):
    with pytest.raises(PainterError, match=sentence):
        amcp.step(begin(), "I", Paints(answer), MeanColour())


def test_what_a_painter_does_outside_the_hole_does_not_count():
    careless = Paints(lambda image, hole, count: torch.where(hole > 0.5, 0.2, 0.9).expand(count, 3, -1, -1))
    careful = Paints(lambda image, hole, count: torch.where(hole > 0.5, 0.2, image).expand(count, 3, -1, -1))
    assert same(*(amcp.step(begin(), "I", painter, MeanColour()) for painter in (careless, careful)))


def test_a_painter_is_not_asked_to_paint_nothing():
    painter = Paints(paints_the_photo)
    after = amcp.step(begin(point_prompt([(64, 48)], SIZE)), "O", painter, MeanColour())
    assert painter.holes == [] and after.mask.all()


def test_an_encoder_that_returns_nan_is_named():
    class Broken(MeanColour):
        def encode(self, images):
            return super().encode(images) * float("nan")

    with pytest.raises(InputError, match="the encoder mean colour returned NaN or infinite features"):
        amcp.step(begin(), "I", Surroundings(), Broken())


def test_an_encoder_that_returns_no_tensor_is_named():
    class Broken(MeanColour):
        def encode(self, images):
            return (super().encode(images),)

    with pytest.raises(InputError, match="the encoder mean colour returned a tuple where features should be"):
        amcp.step(begin(), "I", Surroundings(), Broken())


def test_no_gradients_are_kept():
    class Learns(MeanColour):
        def encode(self, images):
            return super().encode(images) * torch.ones(1, requires_grad=True)

    state = amcp.step(begin(encoder=Learns()), "I", Surroundings(), Learns())
    assert not state.potential.total.requires_grad and not state.evidence.requires_grad
