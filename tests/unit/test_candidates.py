"""What a point may mean, on photos whose answers are known, and the label-free score that ranks it."""

import json
from dataclasses import replace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paintseg.amcp import loop as amcp
from paintseg.amcp.score import Score, score
from paintseg.config import preset
from paintseg.errors import InputError
from paintseg.eval.candidates import main, measure
from paintseg.eval.datasets import read_manifest
from paintseg.eval.metrics import marks
from paintseg.io.formats import to_image
from paintseg.models import Models
from paintseg.prompts import Prompt, box_prompt, mask_prompt, point_prompt, scribble_prompt
from paintseg.segmentation import Result, segment
from paintseg.tasks.candidates import MOST, Candidate, candidates, ranked, readings

from .small_models import MeanColour, Paints, Surroundings, disc_photo, iou

SIZE = (96, 128)
TINY = preset("fast", size=128, encoder_size=128, photo_size=0, steps=1)
PLAIN = preset("paper", size=128, encoder_size=128, paintings=1, steps=2)
PHOTO, DISC = disc_photo(SIZE, radius=26)


def dartboard():
    """A red bull on an orange disc on a blue wall; the bull and the disc with it."""
    photo, bull = PHOTO.clone(), disc_photo(SIZE, radius=11)[1]
    photo[:, bull] = torch.tensor([0.8, 0.1, 0.1])[:, None] + 0.02 * torch.randn(
        3, int(bull.sum()), generator=torch.Generator().manual_seed(1)
    )
    return photo.clamp(0, 1), bull


def found(photo, prompt, config=TINY, painter=None, **more):
    return candidates(photo, prompt, painter or Surroundings(), MeanColour(4), config, **more)


# Which candidates


@pytest.fixture(scope="module")
def board():
    return found(dartboard()[0], point_prompt([(64, 48)], SIZE))


def test_part_and_whole_are_among_the_candidates(board):
    bull = dartboard()[1]
    assert max(iou(one.result.mask, bull) for one in board) > 0.8
    assert max(iou(one.result.mask, DISC) for one in board) > 0.8


def test_one_candidate_is_what_segment_finds(board):
    alone = segment(dartboard()[0], point_prompt([(64, 48)], SIZE), Surroundings(), MeanColour(4), TINY)
    (plain,) = [one for one in board if one.plain]
    assert torch.equal(plain.result.soft, alone.soft)


def test_there_are_at_most_three_and_none_twice(board):
    assert len(board) <= MOST == 3
    masks = [one.result.mask for one in board]
    assert all(iou(first, second) < 0.9 for at, first in enumerate(masks) for second in masks[:at])


def test_the_same_seed_gives_the_same_candidates(board):
    again = found(dartboard()[0], point_prompt([(64, 48)], SIZE))
    assert [one.score for one in again] == [one.score for one in board]
    assert all(torch.equal(one.result.soft, other.result.soft) for one, other in zip(again, board, strict=True))


def test_a_stroke_over_part_and_whole_leaves_only_the_whole():
    stroke = torch.zeros(SIZE)
    stroke[46:50, 42:86] = 1
    best = found(dartboard()[0], scribble_prompt(stroke))[0]
    assert iou(best.result.mask, DISC) > 0.8


def test_readings_are_coarse_masks_that_keep_the_points():
    prompt = point_prompt([(64, 48)], SIZE, [(5, 5)])
    for other in readings(dartboard()[0], prompt, MeanColour(4), TINY):
        assert other.kind == "mask" and (other.points, other.negative_points) == (prompt.points, prompt.negative_points)
        assert other.mask[48, 64] > 0.5


def test_progress_tells_of_every_step_of_every_candidate():
    seen = []
    several = found(dartboard()[0], point_prompt([(64, 48)], SIZE), progress=seen.append)
    assert len(seen) >= sum(len(one.result.states) for one in several)


@pytest.mark.parametrize("config", [TINY, PLAIN], ids=["ours", "paper"])
def test_a_blank_wall_has_a_candidate(config):
    wall = torch.full((3, *SIZE), 0.5)
    assert found(wall, point_prompt([(20, 30)], SIZE), config)[0].result.mask.any()


@pytest.mark.parametrize("prompt", [box_prompt((30, 20, 90, 80), SIZE), mask_prompt(DISC)], ids=["box", "mask"])
def test_prompts_that_tell_the_size_are_refused(prompt):
    with pytest.raises(InputError, match=f"a {prompt.kind} says how large the object is"):
        found(PHOTO, prompt)


def test_a_prompt_for_another_photo_is_refused():
    with pytest.raises(InputError, match="the prompt is for an image of 9 x 9"):
        found(PHOTO, point_prompt([(4, 4)], (9, 9)))


@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(4, 40), st.integers(4, 40), st.data())
def test_any_photo_and_point_gives_candidates_best_first(height, width, data):
    photo = torch.rand(3, height, width, generator=torch.Generator().manual_seed(height * 41 + width))
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    off = data.draw(st.none() | st.tuples(st.integers(0, width - 1), st.integers(0, height - 1)))
    if off is not None and max(abs(off[0] - x), abs(off[1] - y)) < 3:
        off = None
    prompt = Prompt((height, width), points=((x, y),), negative_points=() if off is None else (off,))
    try:
        several = found(photo, prompt, replace(TINY, size=64, encoder_size=64))
    except InputError as problem:
        assert "negative points leave nothing" in str(problem)
        return
    assert 1 <= len(several) <= MOST and sum(one.plain for one in several) == 1
    others = [one.score.total for one in several if not one.plain]
    assert others == sorted(others, reverse=True)
    for one in several:
        assert one.result.mask.shape == (height, width) and one.result.mask.any()
        assert off is None or not one.result.mask[off[1], off[0]]


# Measuring


@pytest.fixture
def photos(tmp_path):
    """A folder of one set with one photo: the dartboard, its disc being the object."""
    for folder, picture in (("images", dartboard()[0]), ("masks", DISC.float())):
        (tmp_path / "made" / folder).mkdir(parents=True)
        to_image(picture).save(tmp_path / "made" / folder / "board.png")
    names = "dataset,stem,image,x0,y0,x1,y1,centroid_x,centroid_y,inner_x,inner_y,scribbles"
    row = "made,board,board.png,38,22,90,74,64,48,60,50,no"
    (tmp_path / "manifest.csv").write_text(f"{names}\n{row}\n", encoding="utf-8")
    return tmp_path


def test_candidates_are_measured_by_the_human_mask(photos):
    (instance,) = read_manifest(photos)
    models = Models(Surroundings(), MeanColour(4))
    marked = measure(instance, models, TINY)
    assert list(marked) == ["plain", "first", "best of"]
    assert marked["best of"].iou > 0.8 and marked["best of"].iou >= max(marked["plain"].iou, marked["first"].iou)
    prompt = point_prompt([instance.centroid], instance.mask().shape)
    alone = segment(instance.image(), prompt, models.painter, models.encoder, TINY)
    assert marked["plain"] == marks(alone.mask.numpy(), instance.mask())


def test_the_command_measures_candidates_and_refuses_bad_numbers(photos, tmp_path, capsys):
    sides = ("size=128", "encoder_size=112", "photo_size=112")
    small = [word for side in sides for word in ("--set", side)]
    target = tmp_path / "out.json"
    assert main([str(photos), "--only", "made", "--preset", "fast", "--json", str(target), *small]) == 0
    (row,) = json.loads(target.read_text(encoding="utf-8"))["rows"]
    assert row["stem"] == "board" and f"{100 * row['iou']['first']:.1f}" in capsys.readouterr().out
    assert main([str(photos), "--only", "made", "--stride", "0"]) == 2


# The score, eq. 6


def result_of(mask, photo=PHOTO, config=TINY):
    """A result of the loop with another mask."""
    made = segment(photo, box_prompt((30, 14, 98, 82), SIZE), Surroundings(), MeanColour(4), config)
    return Result(mask, mask.float(), made.states)


def judged(mask, painter=None, outpainter=None, photo=PHOTO):
    painter = painter or Surroundings()
    return score(mask, result_of(mask, photo).states[-1], painter, outpainter or painter, MeanColour(4))


def test_the_object_scores_higher_than_too_little_and_too_much():
    best = judged(DISC).total
    for radius in (12, 18, 36, 44):
        assert judged(disc_photo(SIZE, radius=radius)[1]).total < best


def test_too_much_fails_inside_and_too_little_fails_outside():
    right, small, large = (judged(disc_photo(SIZE, radius=radius)[1]) for radius in (26, 14, 40))
    assert large.inside < 0.5 * right.inside
    assert small.outside < 0.5 * right.outside
    assert right.total == right.inside + right.outside


def test_what_painters_would_paint_as_it_is_scores_nothing():
    faithful = Paints(lambda image, hole, count: image.expand(count, -1, -1, -1))
    assert judged(DISC, faithful).total == pytest.approx(0, abs=1e-4)  # the frame's resampling


def test_by_hand_of_one_painting_each():
    """Squared distance of mean colours: what is painted is black, so that it is the photo's own square."""
    black = Paints(lambda image, hole, count: torch.where(hole > 0.5, 0.0, image).expand(count, -1, -1, -1))
    config = preset("paper", size=128, encoder_size=128, paintings=1, steps=1, contexts=("view",), l_color=0.0)
    made = segment(PHOTO, box_prompt((30, 14, 98, 82), SIZE), Surroundings(), MeanColour(1), config)
    got = score(DISC, made.states[-1], black, black, MeanColour(1))
    square, ring = PHOTO.square().sum(0), 8  # 32 px at 512
    inner = DISC & ~amcp.dilate(~DISC[None, None], ring)[0, 0]
    outer = amcp.dilate(DISC[None, None], ring)[0, 0] & ~DISC
    assert got.inside == pytest.approx(float(square[DISC & ~inner].mean()), rel=2e-3)
    assert got.outside == pytest.approx(float(square[outer].mean()), rel=2e-3)


def candidate(inside, outside, plain):
    return Candidate(result_of(DISC), Score(inside, outside), plain)


def test_the_higher_score_comes_first_and_near_ties_go_to_the_plain_reading():
    plain, other, best = candidate(0.5, 0.5, True), candidate(0.51, 0.52, False), candidate(0.7, 0.6, False)
    assert ranked([plain, other]) == [plain, other]
    assert ranked([plain, other, best]) == [best, plain, other]
