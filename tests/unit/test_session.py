"""A session: one photo and many prompts, on what was encoded once."""

import threading
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from harness.paths import PHOTO as ASTRONAUT

from paintseg.amcp.outcome import CLOSER_LOOK
from paintseg.config import preset
from paintseg.errors import InputError
from paintseg.io.reading import read_photo
from paintseg.prompts import Prompt, box_prompt, point_prompt
from paintseg.segmentation import Session, segment
from paintseg.views.looks import FeatureCache, Looks

from .small_models import MeanColour, Surroundings, disc_photo, embedded, example, iou
from .test_calls import CountsImages

SIZE = (96, 128)
PHOTO, DISC = disc_photo(SIZE)
SMALL = preset("balanced", size=64, encoder_size=64)
ON, OFF = (64.0, 48.0), (12.0, 12.0)


def session(image=PHOTO, config=SMALL, encoder=None, **more):
    return Session(image, encoder or CountsImages(MeanColour(4)), config, **more)


def test_an_answer_is_the_object_in_all_its_forms():
    answer = session().answer(point_prompt([ON], SIZE))
    assert answer.mask.shape == answer.soft.shape == SIZE and answer.mask.dtype == torch.bool
    assert iou(answer.mask, DISC) > 0.9
    assert torch.equal(answer.mask, answer.soft > 0.5)
    assert answer.soft.min() >= 0 and answer.soft.max() <= 1 and 0 < answer.score <= 1
    assert torch.equal(answer.candidates[answer.candidate], answer.mask)


@pytest.mark.parametrize(
    "prompt",
    [
        box_prompt((40, 24, 88, 72), SIZE),
        Prompt(SIZE, mask=F.pad(torch.ones(30, 30), (50, 48, 33, 33))),
        Prompt(SIZE, scribble=F.pad(torch.ones(4, 20), (54, 54, 46, 46)) > 0),
        point_prompt([ON], SIZE, [OFF]),
    ],
    ids=["box", "mask", "scribble", "points"],
)
def test_every_kind_of_prompt_is_answered(prompt):
    assert iou(session().answer(prompt).mask, DISC) > 0.85


def test_a_second_prompt_encodes_nothing_that_was_seen():
    one = session()
    one.answer(point_prompt([ON], SIZE))
    seen = len(one.encoder.shown)
    one.answer(point_prompt([ON, (70.0, 50.0)], SIZE, [OFF]))
    one.answer(point_prompt([ON], SIZE))
    assert seen and len(one.encoder.shown) == seen


def test_the_whole_method_after_an_answer_finds_the_photo_encoded():
    prompt, painter = point_prompt([ON], SIZE), Surroundings()
    alone, after = session(), session()
    alone.segment(prompt, painter)
    after.answer(prompt)
    asked = len(after.encoder.shown)
    after.segment(prompt, painter)
    assert len(after.encoder.shown) - asked == len(alone.encoder.shown) - 1


def test_what_was_answered_before_changes_no_result():
    prompt, painter = point_prompt([ON], SIZE), Surroundings()
    talked = session()
    talked.answer(box_prompt((4, 4, 30, 30), SIZE))
    talked.answer(point_prompt([OFF], SIZE))
    first, again = session().answer(prompt), talked.answer(prompt)
    assert torch.equal(first.soft, again.soft)
    found = talked.segment(prompt, painter)
    assert torch.equal(found.soft, segment(PHOTO, prompt, painter, MeanColour(4), SMALL).soft)


def test_sessions_on_the_same_pixels_share_a_cache_and_other_pixels_do_not():
    cache, encoder = FeatureCache(), CountsImages(MeanColour(4))
    session(encoder=encoder, cache=cache).answer(point_prompt([ON], SIZE))
    seen = len(encoder.shown)
    session(PHOTO.clone(), encoder=encoder, cache=cache).answer(point_prompt([ON], SIZE))
    assert len(encoder.shown) == seen
    session(PHOTO.flip(2), encoder=encoder, cache=cache).answer(point_prompt([ON], SIZE))
    assert len(encoder.shown) > seen


def test_another_encoder_shares_nothing():
    cache, other = FeatureCache(), CountsImages(MeanColour(4))
    session(cache=cache).answer(point_prompt([ON], SIZE))
    session(encoder=other, cache=cache).answer(point_prompt([ON], SIZE))
    assert other.shown


def test_a_cache_keeps_to_its_bytes_and_forgets_what_was_not_asked_for_the_longest():
    looks = [Looks(torch.rand(3, 32, 32), MeanColour(4)) for _ in range(3)]
    made = [one.at((0, 0, 32, 32), (32, 32), keyed=True) for one in looks]
    cache = FeatureCache(most=2 * made[0].nbytes)
    cache.put("first", made[0])
    cache.put("second", made[1])
    assert cache.get("first") is made[0]
    cache.put("third", made[2])
    assert cache.nbytes <= cache.most
    assert (cache.get("first"), cache.get("second"), cache.get("third")) == (made[0], None, made[2])
    cache.clear()
    assert cache.nbytes == 0 and cache.get("first") is None


def test_a_look_larger_than_the_cache_is_answered_for_all_the_same():
    tiny = session(cache=FeatureCache(most=10))
    assert iou(tiny.answer(point_prompt([ON], SIZE)).mask, DISC) > 0.9
    assert tiny._looks.cache.nbytes == 0


def test_a_check_between_the_stages_ends_the_work():
    class Enough(Exception):
        pass

    calls = []

    def check():
        calls.append(None)
        if len(calls) == 2:
            raise Enough

    one = session()
    with pytest.raises(Enough):
        one.answer(point_prompt([ON], SIZE), check=check)
    assert one.answer(point_prompt([ON], SIZE)).mask.any()


def test_several_threads_may_ask_at_once():
    one, prompts = session(), [point_prompt([(60.0 + n, 48.0)], SIZE) for n in range(4)]
    expected = [session().answer(prompt).soft for prompt in prompts]
    found = [None] * len(prompts)

    def ask(number):
        found[number] = one.answer(prompts[number]).soft

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(prompts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


@pytest.mark.parametrize(
    ("prompt", "sentence"),
    [
        (point_prompt([(5, 5)], (40, 40)), "the prompt is for an image of 40 x 40"),
        (box_prompt((10, 10, 20, 20), (96, 127)), "the prompt is for an image of 127 x 96"),
    ],
)
def test_a_prompt_for_another_photo_is_refused(prompt, sentence):
    with pytest.raises(InputError, match=sentence):
        session().answer(prompt)


def test_an_image_with_nan_is_refused_before_anything_is_asked():
    with pytest.raises(InputError, match="NaN"):
        session(torch.full((3, 8, 8), float("nan")))


def test_a_photo_of_one_colour_gives_the_prompt_back_with_a_note():
    answer = session(torch.full((3, *SIZE), 0.5)).answer(box_prompt((40, 24, 88, 72), SIZE))
    assert answer.note and answer.mask[30:66, 46:82].all()


def test_a_negative_point_takes_off_what_it_lies_on():
    two = torch.maximum(disc_photo(SIZE, (32, 48), 16)[0], disc_photo(SIZE, (96, 48), 16)[0])
    left, right = disc_photo(SIZE, (32, 48), 16)[1], disc_photo(SIZE, (96, 48), 16)[1]
    both = session(two).answer(box_prompt((8, 20, 120, 76), SIZE)).mask
    one = session(two).answer(Prompt(SIZE, box=(8, 20, 120, 76), negative_points=((96.5, 48.5),))).mask
    assert both[right].float().mean() > 0.8
    assert one[left].float().mean() > 0.8 and one[right].float().mean() < 0.2


def test_a_point_is_answered_by_up_to_three_readings_of_which_each_can_be_chosen():
    photo, _ = example()
    one = Session(photo, embedded().encoder)
    plain = one.answer(point_prompt([(416, 60)], (512, 512)))
    assert 1 < len(plain.candidates) <= 3
    for number in range(1, len(plain.candidates)):
        chosen = one.answer(point_prompt([(416, 60)], (512, 512)), candidate=number)
        assert chosen.candidate == number and chosen.prompt.mask is not None
        assert iou(chosen.mask, plain.mask) < 0.95
    beyond = one.answer(box_prompt((346, 0, 482, 298), (512, 512)), candidate=2)
    assert (beyond.candidate, len(beyond.candidates)) == (0, 1)


def test_a_reading_stays_chosen_when_more_is_clicked():
    photo, _ = example()
    one = Session(photo, embedded().encoder)
    chosen = one.answer(point_prompt([(416, 60)], (512, 512), [(480, 20)]), candidate=1)
    assert chosen.candidate == 1 and not chosen.mask[20, 480]


def test_one_click_on_the_example_is_the_object():
    photo, truth = example()
    answer = Session(photo, embedded().encoder).answer(point_prompt([(410, 120)], (512, 512)))
    assert iou(answer.mask, truth) > 0.88


def test_small_things_in_a_large_photo_are_seen_in_full():
    photo, disc = disc_photo((1200, 1600), (1000, 300), 60)
    large = Session(photo, MeanColour(4), preset("balanced", encoder_size=280))
    answer = large.answer(box_prompt((930, 230, 1070, 370), (1200, 1600)))
    assert iou(answer.mask, disc) > 0.97
    x0, y0, x1, y1 = answer.box
    assert max(x1 - x0, y1 - y0) < 600


def test_clicks_on_a_part_of_a_large_photo_share_their_window():
    photo, _ = disc_photo((1200, 1600), (1000, 300), 60)
    one = Session(photo, CountsImages(MeanColour(4)), preset("balanced", encoder_size=140))
    first = one.answer(point_prompt([(1000, 300)], (1200, 1600)))
    seen = len(one.encoder.shown)
    for x, y in ((1030, 280), (970, 320)):
        assert one.answer(point_prompt([(1000, 300), (x, y)], (1200, 1600))).box == first.box
    assert len(one.encoder.shown) == seen


def test_what_a_click_on_a_small_part_is_about_is_looked_at_once_and_in_the_photos_own_pixels():
    photo, _ = disc_photo((1200, 1600), (1000, 300), 60)
    photo[:, 296:305, 1055:1085] = photo[:, 300, 1000].view(3, 1, 1)  # a spike that nobody wants
    one = Session(photo, CountsImages(MeanColour(14)), preset("balanced", encoder_size=140))
    on = [(1000.0, 300.0)]
    first = one.answer(point_prompt(on, (1200, 1600)))
    assert first.mask[300, 1070]
    seen = len(one.encoder.shown)
    second = one.answer(point_prompt(on, (1200, 1600), [(1070.5, 300.5)]))
    assert not second.mask[300, 1070] and second.mask[300, 1000]
    (look,) = one.encoder.shown[seen:]
    assert max(look) == CLOSER_LOOK
    one.answer(point_prompt(on, (1200, 1600), [(1070.5, 300.5)]))
    assert len(one.encoder.shown) == seen + 1


def test_a_run_has_what_was_clicked_away_as_it_was_seen():
    """Corrected in the run's own view, half of a part that was clicked away came back."""
    models, photo = embedded(), read_photo(ASTRONAUT)
    shown = Session(photo, models.encoder, preset("fast"))
    prompt = Prompt(shown.size, points=((150, 430),), negative_points=((225, 110),), order=(True, False))
    first, last = (shown.answer(one) for one in (prompt.first_said(), prompt))
    changed = first.mask ^ last.mask
    assert changed.sum() > 2000
    run = shown.segment(replace(prompt, seen_answer=last.soft), models.painter).mask
    assert (run[changed] == last.mask[changed]).float().mean() > 0.85
