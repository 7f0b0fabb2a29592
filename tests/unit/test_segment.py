"""The whole method: the example photo with the embedded models, moved and mirrored photos, odd and huge ones."""

import time
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from paintseg.amcp import loop as amcp
from paintseg.amcp.outcome import without_pieces
from paintseg.config import preset
from paintseg.errors import InputError, PainterError
from paintseg.prompts import Prompt, box_prompt, mask_prompt, point_prompt, scribble_prompt
from paintseg.segmentation import begin, finish, segment

from .small_models import MeanColour, Paints, Surroundings, disc_photo, embedded, example, iou

SIZE = (96, 128)
PHOTO, DISC = disc_photo(SIZE)
BOX = box_prompt((40, 24, 88, 72), SIZE)
PLAIN = preset("paper", size=128, encoder_size=128, paintings=1, steps=2)
OURS = preset("fast", size=128, encoder_size=128, photo_size=0, steps=2)
FAST = preset("fast")
TINY = preset("fast", size=128, encoder_size=112, photo_size=0, steps=1)
ASTRONAUT_BOX = box_prompt((346, 0, 482, 298), (512, 512))


def plainly(photo, prompt, config=PLAIN, **more):
    return segment(photo, prompt, Surroundings(), MeanColour(4), config, **more)


def really(photo, prompt, config=FAST, **more):
    models = embedded()
    return segment(photo, prompt, models.painter, models.encoder, config, **more)


@pytest.fixture(scope="module")
def boxed():
    """What a box around the model on the example photo gives."""
    return really(example()[0], ASTRONAUT_BOX)


# The example photo


SMALL_BOX, SMALL_POINT = box_prompt((108, 0, 151, 93), (160, 160)), point_prompt([(128, 41)], (160, 160))


@pytest.mark.parametrize(
    ("name", "prompt"),
    [
        pytest.param("fast", SMALL_BOX, id="fast-box"),
        pytest.param("balanced", SMALL_POINT, id="balanced-point"),
        pytest.param("fast", SMALL_POINT, id="fast-point", marks=pytest.mark.long),
        pytest.param("balanced", SMALL_BOX, id="balanced-box", marks=pytest.mark.long),
    ],
)
def test_a_seed_gives_the_same_result_again_and_with_other_threads_up_to_rounding(name, prompt):
    photo = torch.nn.functional.interpolate(example()[0][None], prompt.size, mode="area")[0]
    config = preset(name, size=128, encoder_size=140, photo_size=140)
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 1, 2):
            torch.set_num_threads(threads)
            found.append(really(photo, prompt, config, seed=7))
    finally:
        torch.set_num_threads(before)
    once, again, other = found
    assert torch.equal(once.soft, again.soft)
    assert torch.allclose(once.soft, other.soft, atol=1e-3) and iou(once.mask, other.mask) > 0.999


def test_a_box_on_the_example_photo(boxed):
    assert iou(boxed.mask, example()[1]) >= 0.85
    assert boxed.note == ""


def test_a_point_on_the_example_photo():
    photo, truth = example()
    assert iou(really(photo, point_prompt([(405, 150)], (512, 512))).mask, truth) >= 0.85


def test_a_mirrored_photo_gives_nearly_the_mirrored_mask(boxed):
    """Nearly: neither network is the same for a mirror image."""
    mirrored = really(example()[0].flip(2), box_prompt((512 - 482, 0, 512 - 346, 298), (512, 512)))
    assert iou(mirrored.mask.flip(1), boxed.mask) > 0.9


def test_a_photo_in_a_wider_frame_gives_the_same_mask_moved_along():
    """Bit by bit, when only the view is looked at and lies inside the photo either way."""
    config = replace(FAST, contexts=("view",), settle_reach=0.0, size=128, encoder_size=224, steps=1)
    wide = torch.full((3, 640, 640), 0.5)
    wide[:, 50:562, 30:542] = example()[0]
    further = wide.roll((17, -41), (1, 2))
    one, other = (
        really(photo, box_prompt((376 + right, 80 + down, 480 + right, 340 + down), (640, 640)), config).mask
        for photo, right, down in ((wide, 0, 0), (further, -41, 17))
    )
    assert one.any() and torch.equal(one.roll((17, -41), (0, 1)), other)


# Photos whose answer is known


@pytest.mark.parametrize("config", [PLAIN, OURS], ids=["paper", "ours"])
@pytest.mark.parametrize(
    "prompt",
    [
        BOX,
        point_prompt([(64, 48)], SIZE),
        scribble_prompt(torch.zeros(SIZE).index_fill(0, torch.arange(47, 50), 1.0) * DISC),
        mask_prompt(DISC.roll(6, 1)),
    ],
    ids=lambda prompt: prompt.kind,
)
def test_a_disc_on_a_wall_is_found(config, prompt):
    if config is PLAIN and prompt.kind in ("point", "scribble"):
        painter = Paints(lambda image, hole, count: _wall(image, hole).expand(count, -1, -1, -1))
    else:
        painter = Surroundings()
    found = segment(PHOTO, prompt, painter, MeanColour(4), config)
    assert iou(found.mask, DISC) > (0.95 if config is OURS else 0.75)


def _wall(image, hole):
    """What a painter that knew the wall would fill in; a whole image gives Surroundings nothing to go by."""
    return torch.where(hole > 0.5, torch.tensor([0.2, 0.3, 0.7])[:, None, None], image)


@pytest.mark.parametrize(("right", "down"), [(8, 0), (-16, 8), (24, -16)])
def test_a_moved_photo_gives_the_mask_moved_along(right, down):
    """By multiples of the encoder's cells, and of the whole view: bit by bit away from the photo's edge."""
    photo, prompt = PHOTO.roll((down, right), (1, 2)), box_prompt((40 + right, 24 + down, 88 + right, 72 + down), SIZE)
    config = replace(PLAIN, contexts=("view",), l_color=0.0)
    assert torch.equal(
        plainly(photo, prompt, config).mask, plainly(PHOTO, BOX, config).mask.roll((down, right), (0, 1))
    )


def test_a_mirrored_photo_gives_the_mirrored_mask():
    config = replace(PLAIN, contexts=("view",), l_color=0.0)
    mirrored = plainly(PHOTO.flip(2), BOX, config)
    assert iou(mirrored.mask.flip(1), plainly(PHOTO, BOX, config).mask) > 0.995


def test_not_object_points_are_kept_out():
    prompt = BOX.with_points(negative=[(72, 52)])
    assert plainly(PHOTO, BOX, OURS).mask[52, 72]
    assert not plainly(PHOTO, prompt, OURS).mask[52, 72]


def test_a_piece_under_a_not_object_point_goes_unless_an_object_point_holds_it():
    soft = torch.zeros(SIZE)
    soft[10:20, 10:20], soft[10:20, 40:50] = 0.9, 0.8

    def left(prompt):
        return without_pieces(soft, prompt.anchors(), prompt.negative_anchors(), 2)

    refused = Prompt(SIZE, box=(5, 5, 60, 30), negative_points=((45, 15),))
    assert torch.equal(left(refused) > 0.5, soft > 0.85)
    assert torch.equal(left(refused.with_points([(41, 11)])), soft)
    assert torch.equal(left(BOX), soft)
    both = refused.with_points(negative=[(15, 15)])
    assert torch.equal(left(both), soft)  # nothing would be left


# Results


def test_the_mask_is_the_upper_half_of_the_probability():
    found = plainly(PHOTO, BOX, OURS)
    assert found.mask.shape == found.soft.shape == SIZE
    assert found.soft.min() >= 0 and found.soft.max() <= 1
    assert torch.equal(found.mask, found.soft > 0.5)
    assert len(found.states) == 2


def test_without_a_finish_the_result_is_the_loops_mask():
    found = plainly(PHOTO, BOX, PLAIN)
    assert torch.equal(found.mask, found.states[-1].mask[0, 0])


def test_a_state_can_be_finished_at_any_time():
    for config in (PLAIN, OURS):
        first = begin(PHOTO, BOX, Surroundings(), MeanColour(4), config)
        assert iou(finish(first) > 0.5, BOX.start_region()) > 0.9
        states = list(amcp.run(first, Surroundings(), Surroundings(), MeanColour(4)))
        assert torch.equal(finish(states[-1]), plainly(PHOTO, BOX, config).soft)


def test_every_step_is_reported_and_can_be_the_last():
    seen = []

    def report(state):
        seen.append(state.step)
        if len(seen) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        plainly(PHOTO, BOX, progress=report)
    assert seen == [1]
    plainly(PHOTO, BOX, progress=lambda state: seen.append(state.step))
    assert seen == [1, 1, 2]


def test_the_canvas_suits_both_painters():
    class Wide(Surroundings):
        multiple = 48

    state = begin(PHOTO, BOX, Wide(), MeanColour(4), OURS, outpainter=type("Tall", (Wide,), {"multiple": 32})())
    assert [side % 96 for side in state.scene.canvas.shape[2:]] == [0, 0]


def test_the_outpainter_paints_the_background():
    inpainter, outpainter = (
        Paints(lambda image, hole, count: _wall(image, hole).expand(count, -1, -1, -1)) for _ in range(2)
    )
    segment(PHOTO, BOX, inpainter, MeanColour(4), PLAIN, outpainter=outpainter)
    assert inpainter.holes[0][0, 48, 64] and not outpainter.holes[0][0, 48, 64]


def test_what_the_loop_had_to_say_is_told():
    found = segment(PHOTO, BOX, Paints(lambda image, hole, count: image.expand(count, -1, -1, -1)), MeanColour(), PLAIN)
    assert found.note.splitlines() == [
        f"step {step}: the painting is the photo itself; the mask is kept" for step in (1, 2)
    ]
    assert torch.equal(found.mask, BOX.start_region())


# Odd photos


@pytest.mark.parametrize("size", [(1, 1), (1, 10000), (10000, 1), (2, 3), (33, 517)])
def test_odd_photos_with_the_embedded_models(size):
    photo = torch.rand(3, *size, generator=torch.Generator().manual_seed(0))
    found = really(photo, box_prompt((0, 0, max(1, size[1] // 2), size[0]), size), TINY)
    assert found.mask.shape == size and found.soft.isfinite().all()


@given(st.integers(1, 40), st.integers(1, 40), st.data())
def test_any_photo_and_prompt_gives_a_mask_of_its_size(height, width, data):
    size = (height, width)
    photo = torch.rand(3, *size, generator=torch.Generator().manual_seed(height * 41 + width))
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    box = (x, y, data.draw(st.integers(x + 1, width)), data.draw(st.integers(y + 1, height)))
    spot = torch.zeros(size)
    spot[y : box[3], x : box[2]] = 1
    prompt = data.draw(
        st.sampled_from([point_prompt([(x, y)], size), box_prompt(box, size), mask_prompt(spot), scribble_prompt(spot)])
    )
    config = data.draw(
        st.sampled_from([replace(PLAIN, size=64, encoder_size=64), replace(TINY, size=64, encoder_size=64)])
    )
    found = plainly(photo, prompt, config)
    assert found.mask.shape == size and found.soft.isfinite().all()


@pytest.mark.parametrize("config", [PLAIN, OURS], ids=["paper", "ours"])
@pytest.mark.parametrize("prompt", [BOX, point_prompt([(64, 48)], SIZE)], ids=lambda prompt: prompt.kind)
def test_a_blank_wall_has_a_result(config, prompt):
    found = plainly(torch.full((3, *SIZE), 0.5), prompt, config)
    assert found.mask.shape == SIZE and found.mask.any()


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_photos_of_another_precision_are_taken(dtype):
    assert iou(plainly(PHOTO.to(dtype), BOX).mask, plainly(PHOTO, BOX).mask) > 0.98


def test_a_huge_photo_takes_about_the_time_of_a_small_one():
    photo = example()[0]
    huge = torch.nn.functional.interpolate(photo[None], (4096, 4096), mode="bilinear")[0]
    huge[:, 1000:1512, 2000:2512] = photo
    took = []
    for picture, prompt in (
        (photo, ASTRONAUT_BOX),
        (huge, box_prompt((2346, 1000, 2482, 1298), (4096, 4096))),
    ):
        begun = time.process_time()
        found = really(picture, prompt)
        took.append(time.process_time() - begun)
    assert iou(found.mask[1000:1512, 2000:2512], example()[1]) >= 0.85
    # In shares of the small one's time, which any processor keeps: 64 times the pixels, each looked at a few times.
    # One step of the method on all of them would take tens of times as long.
    assert took[1] < 4 * took[0]


@pytest.mark.parametrize(
    ("photo", "sentence"),
    [
        (PHOTO[:1], r"the image must be 3 x H x W, not \(1, 96, 128\); give a grey one three times"),
        (PHOTO[0], r"the image must be 3 x H x W, not \(96, 128\)"),
        (torch.rand(4, *SIZE), r"the image must be 3 x H x W, not \(4, 96, 128\)"),
        (torch.rand(3, 0, 128), r"the image must be 3 x H x W, not \(3, 0, 128\)"),
        ((PHOTO * 255).byte(), r"the image must hold floating point values in \[0, 1\], not torch.uint8"),
        (PHOTO * 255, r"the image must hold values in \[0, 1\], not from .* to 2.."),
        (PHOTO * float("nan"), "the image holds NaN or infinite pixels"),
        (PHOTO / 0, "the image holds NaN or infinite pixels"),
        (PHOTO[:, :50], "the prompt is for an image of 128 x 96, the image is 128 x 50"),
    ],
    ids=["grey", "plane", "alpha", "empty", "bytes", "to 255", "NaN", "infinite", "other size"],
)
def test_what_is_no_photo_is_refused(photo, sentence):
    with pytest.raises(InputError, match=sentence):
        plainly(photo, BOX)


def test_an_object_of_less_than_a_pixel_of_the_view_is_refused():
    with pytest.raises(InputError, match="the prompt covers less than one pixel of the view; draw it larger"):
        plainly(torch.rand(3, 2000, 2000), box_prompt((5, 5, 8, 8), (2000, 2000)), replace(PLAIN, size=64))


def test_not_object_points_all_over_the_object_are_refused():
    prompt = Prompt(
        SIZE, box=BOX.box, negative_points=tuple((x, y) for x in range(36, 94, 2) for y in range(20, 78, 2))
    )
    with pytest.raises(InputError, match="the negative points leave nothing of the object"):
        plainly(PHOTO, prompt)


def test_a_painter_that_fails_ends_the_run():
    with pytest.raises(PainterError, match="NaN"):
        segment(PHOTO, BOX, Paints(lambda image, hole, count: image[None] * float("nan")), MeanColour(), PLAIN)
