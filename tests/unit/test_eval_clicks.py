"""Conversations by clicks: the protocol on masks worked out by hand, the figures, and what is kept of them."""

import csv
import dataclasses
import json
from itertools import pairwise, product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from paintseg.errors import InputError
from paintseg.eval.__main__ import main
from paintseg.eval.clicks import Figures, clicks_needed, converse, next_click
from paintseg.eval.metrics import IGNORED, intersection_over_union
from paintseg.eval.records import Records, Row

from .eval_photos import made_up_photos

LABELS = st.sampled_from([0, IGNORED, 255])


def truth_of(drawing):
    """A human mask from rows of text: # object, ? not counted, anything else background."""
    values = {"#": 255, "?": IGNORED}
    return np.array([[values.get(letter, 0) for letter in row] for row in drawing.split()], np.uint8)


def mask_of(drawing):
    return truth_of(drawing) == 255


NOTHING = np.zeros((5, 7), bool)
FIELD = truth_of(".......  .#####.  .#####.  .#####.  .......")


def test_the_first_click_is_the_innermost_pixel_and_no_pixel_is_clicked_twice():
    # rows 1 to 3, columns 1 to 5: depth 2 in the middle row between columns 2 and 4, 1 all around
    assert next_click(NOTHING, FIELD) == (2, 2, True)
    assert next_click(NOTHING, FIELD, [(2, 2)]) == (2, 3, True)
    assert next_click(NOTHING, FIELD, [(2, 2), (2, 3), (2, 4)]) == (1, 1, True)


def test_the_photo_s_border_is_an_edge():
    # were it none, column 0 would be three deep and the first choice
    truth = truth_of("###...  ###...  ###...  ###...  ###...")
    assert next_click(np.zeros_like(truth, bool), truth) == (1, 1, True)


def test_the_next_click_is_on_the_deeper_of_what_is_missed_and_what_is_wrong():
    truth = truth_of(".....##  .....##  .......  .......  .......")
    deep_wrong = mask_of("###....  ###....  ###....  .......  .......")
    shallow_wrong = mask_of("###....  .......  .......  .......  .......")
    assert next_click(deep_wrong, truth) == (1, 1, False)
    # both are one deep: the reference clicks off the object
    assert next_click(shallow_wrong, truth) == (0, 0, False)
    bigger = truth_of("....###  ....###  ....###  .......  .......")
    assert next_click(shallow_wrong, bigger) == (1, 5, True)
    # twice the pixels, but a pixel thin
    thin = mask_of("#......  #......  #......  #......  #######")
    assert next_click(thin, bigger) == (1, 5, True)


def test_what_is_not_counted_is_an_edge_and_no_error():
    truth = truth_of("#######  ###?###  ###?###  ###?###  #######")
    # without the column that is not counted (2, 2) were three deep; now none is deeper than two
    assert next_click(NOTHING, truth) == (1, 1, True)
    assert next_click(mask_of("#######  #######  #######  #######  #######"), truth) is None
    assert next_click(truth == 255, truth) is None


def test_there_is_nothing_to_click_on_when_every_wrong_pixel_was_clicked():
    truth = truth_of("##.....  .......")
    empty = np.zeros_like(truth, bool)
    assert next_click(empty, truth, [(0, 0)]) == (0, 1, True)
    assert next_click(empty, truth, [(0, 0), (0, 1)]) is None


def depth_by_hand(error, row, column):
    """Distance from a pixel to the nearest that is no error, the photo being surrounded by such."""
    height, width = error.shape
    others = [
        (y, x)
        for y, x in product(range(-1, height + 1), range(-1, width + 1))
        if not (0 <= y < height and 0 <= x < width and error[y, x])
    ]
    return min(np.hypot(y - row, x - column) for y, x in others)


@settings(deadline=None)
@given(
    arrays(bool, (5, 6)),
    arrays(np.uint8, (5, 6), elements=LABELS),
    st.sets(st.tuples(st.integers(0, 4), st.integers(0, 5)), max_size=4),
)
def test_every_click_is_as_deep_as_pixel_by_pixel_counting_says(mask, truth, clicked):
    missed, wrong = (truth == 255) & ~mask, mask & (truth == 0)
    free = [place for place in product(range(5), range(6)) if place not in clicked]
    deepest = [
        max([depth_by_hand(error, *place) for place in free if error[place]], default=0) for error in (missed, wrong)
    ]
    found = next_click(mask, truth, clicked)
    if max(deepest) == 0:
        assert found is None
        return
    row, column, positive = found
    assert positive == (deepest[0] > deepest[1])
    assert (row, column) in free and (missed if positive else wrong)[row, column]
    assert depth_by_hand(missed if positive else wrong, row, column) == max(deepest)


class Scripted:
    """Gives the answers it was told, whatever it is asked, and remembers the questions."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def __call__(self, image, prompt):
        self.asked.append(prompt)
        answer = self.answers[len(self.asked) - 1]
        if isinstance(answer, str):
            raise InputError(answer)
        return answer


PHOTO = torch.zeros(3, 5, 7)
LEFT = mask_of(".......  .##....  .##....  .##....  .......")
BEYOND = mask_of("....###  .######  .######  .######  ....###")
RIGHT = FIELD == 255


def test_a_conversation_goes_from_error_to_error_until_all_is_right():
    method = Scripted(LEFT, BEYOND, RIGHT)
    turns = list(converse(PHOTO, FIELD, method))
    # LEFT misses columns 3 to 5, deepest at (2, 4); BEYOND is wrong in column 6 and at the rows' ends, one deep
    # everywhere, and the first such pixel from the top is (0, 4)
    assert [(turn.row, turn.column, turn.positive) for turn in turns] == [(2, 2, True), (2, 4, True), (0, 4, False)]
    assert [turn.marks.iou for turn in turns] == [round(6 / 15, 6), round(15 / 24, 6), 1.0]
    asked = method.asked[2]
    assert asked.clicks() == (((2.5, 2.5), True), ((4.5, 2.5), True), ((4.5, 0.5), False))
    assert asked.points == ((2.5, 2.5), (4.5, 2.5)) and asked.negative_points == ((4.5, 0.5),)


@pytest.mark.parametrize(("most", "stop", "made"), [(1, 100, 1), (2, 100, 2), (20, 62, 2), (20, 63, 3)])
def test_a_conversation_ends_at_so_many_clicks_or_at_an_iou(most, stop, made):
    assert len(list(converse(PHOTO, FIELD, Scripted(LEFT, BEYOND, RIGHT), most, stop))) == made


def test_a_refusal_is_an_empty_answer_and_says_why():
    method = Scripted(LEFT, "no object is left", RIGHT)
    turns = list(converse(PHOTO, FIELD, method))
    assert [turn.note for turn in turns] == ["", "no object is left", ""]
    assert turns[1].marks.iou == 0 and not turns[1].mask.any()
    # all is missed again, and its innermost two pixels were clicked
    assert (turns[2].row, turns[2].column) == (2, 3)


TALKS = ((0.70, 0.86, 0.83, 0.91), (0.95,), (0.60, 0.30, 0.5, 0.48))


def test_figures_by_hand():
    figures = Figures(TALKS, most=4)
    assert figures.noc(80) == pytest.approx((2 + 1 + 4) / 3) and figures.noc(90) == pytest.approx((4 + 1 + 4) / 3)
    assert figures.never(80) == pytest.approx(1 / 3) and figures.never(95) == pytest.approx(2 / 3)
    assert figures.further == 6
    # 86 to 83 and 60 to 30 fell by more than 2 points; 50 to 48 by 2, not more
    assert figures.fell(2) == pytest.approx(2 / 6) and figures.fell(20) == pytest.approx(1 / 6)
    means = figures.after
    assert list(means) == [1, 2, 3, 4]
    assert list(means.values()) == pytest.approx(
        [0.75, (0.86 + 0.95 + 0.3) / 3, (0.83 + 0.95 + 0.5) / 3, (0.91 + 0.95 + 0.48) / 3]
    )
    assert list(Figures(TALKS, 20).after) == [1, 2, 3, 5, 10, 20] and list(Figures(TALKS, 3).after) == [1, 2, 3]
    assert Figures(((0.5,),), 20).fell(2) == 0


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.integers(1, 100))
def test_clicks_needed_is_where_the_level_is_first_reached(ious, level):
    number = clicks_needed(ious, level / 100)
    assert (number is None) == (max(ious) < level / 100)
    assert number is None or (ious[number - 1] >= level / 100 and all(iou < level / 100 for iou in ious[: number - 1]))


def a_row(click, clicks, iou=0.5, stem="a"):
    return Row("k", "m", "clicks", 1, "", "", 0.0, 0, "s", stem, iou, 0.25, 3, 1.5, "", click, clicks, "+ 1.5 2.5")


def test_conversations_are_read_back_whole_or_not_at_all(tmp_path):
    path = tmp_path / "rows.csv"
    records = Records(path)
    first, second = ([a_row(number, 3, stem=stem) for number in (1, 2, 3)] for stem in "ab")
    records.add(first)
    records.add(second)
    assert Records(path).rows.get(first[0].place) == tuple(first)
    lines = path.read_text().splitlines(keepends=True)
    for left in range(1, len(lines) + 1):
        path.write_text("".join(lines[:left]))
        again = Records(path)
        assert (again.rows.get(first[0].place) is None) == (left < 4)
        assert (again.rows.get(second[0].place) is None) == (left < 7)
    path.write_text("".join(lines[:6]) + lines[6][:20])  # killed while it wrote the last click
    again = Records(path)
    assert again.rows.get(second[0].place) is None
    again.add(second)
    assert Records(path).rows.get(second[0].place) == tuple(second)


def test_a_conversation_measured_anew_stands_for_the_old_one(tmp_path):
    path = tmp_path / "rows.csv"
    Records(path).add([a_row(number, 3) for number in (1, 2, 3)])
    new = [dataclasses.replace(a_row(number, 2), iou=0.9) for number in (1, 2)]
    Records(path).add(new)
    assert Records(path).rows.get(new[0].place) == tuple(new)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return made_up_photos(tmp_path_factory.mktemp("photos"), count=2)


TINY = [
    "--prompt",
    "clicks",
    "--clicks",
    "3",
    "--set",
    "size=64",
    "--set",
    "encoder_size=56",
    "--set",
    "photo_size=56",
    "--preset",
    "fast",
    "--threads",
    "1",
    "-q",
    "--csv",
    "rows.csv",
    "--json",
    "out.json",
]


def read_rows(name):
    with open(name, newline="") as opened:
        return list(csv.DictReader(opened))


def test_the_command_keeps_every_click_and_goes_on_from_them(photos, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([str(photos), *TINY]) == 0
    said, rows = capsys.readouterr().out, read_rows("rows.csv")
    for number in (0, 1):
        talk = [row for row in rows if row["stem"] == f"photo{number}"]
        assert [row["click"] for row in talk] == [str(one) for one in range(1, len(talk) + 1)]
        assert {row["clicks"] for row in talk} == {str(len(talk))} and len(talk) <= 3
        size = 100 + 8 * number
        assert talk[0]["clicked"] == f"+ {size / 2 - 0.5:g} {size / 2 - 0.5:g}"  # an oval's innermost pixel
    found = json.loads((tmp_path / "out.json").read_text())
    ious = [float(row["iou"]) for row in rows if row["dataset"] == "round"]
    assert found[0]["mean_iou_after"]["1"] == ious[0] and found[0]["mean_iou"] == ious[-1]
    assert found[0]["further_clicks"] == len(ious) - 1 and found[0]["settings"]["clicks"] == 3
    assert found[0]["fell"]["2"] == pytest.approx(
        sum(before - now > 0.02 for before, now in pairwise(ious)) / max(1, len(ious) - 1), abs=1e-5
    )
    for column in ("after 1", "NoC85", "NoC90", "never 90", "fell 2", "s/click", "boundary IoU", "pieces"):
        assert column in said.splitlines()[0]

    monkeypatch.setattr("paintseg.eval.run.measure", None)  # nothing is measured again
    assert main([str(photos), *TINY]) == 0
    assert capsys.readouterr().out == said and read_rows("rows.csv") == rows


@pytest.mark.parametrize("method", ["opencv-grabcut", "random-walker"])
def test_peers_take_clicks_and_several_processes_say_the_same(photos, method, tmp_path, monkeypatch):
    pytest.importorskip("cv2" if method == "opencv-grabcut" else "skimage")
    monkeypatch.chdir(tmp_path)
    words = [str(photos), "--prompt", "clicks", "--clicks", "4", "--method", method, "-q", "--threads", "1"]
    assert main([*words, "--csv", "one.csv"]) == 0
    assert main([*words, "--csv", "two.csv", "--jobs", "2", "--gallery", "sheet.jpg"]) == 0
    one, two = read_rows("one.csv"), read_rows("two.csv")
    for row in (*one, *two):
        del row["seconds"]
    assert one == two and (tmp_path / "sheet.jpg").exists()
    # discs of a pixel are too little for GrabCut's five colours a side; what was clicked is in it, though
    assert max(float(row["iou"]) for row in one) > (0.8 if method == "random-walker" else 0.0)
    assert all(float(row["iou"]) <= 1 and row["note"] == "" for row in one)


def test_the_marks_in_the_file_are_those_of_the_masks(photos):
    from paintseg.eval.datasets import read_manifest
    from paintseg.eval.run import measure, predict
    from paintseg.eval.task import Task

    small = (("size", 64), ("encoder_size", 56), ("photo_size", 56))
    task = Task(prompt="clicks", clicks=2, preset="fast", changes=small)
    instance = read_manifest(photos)[0]
    rows = measure("key", task, instance, "cpu")
    prompt, mask = predict(task, instance, instance.image(), "cpu")
    assert len(prompt.points) + len(prompt.negative_points) == len(rows)
    assert rows[-1].iou == round(intersection_over_union(mask, instance.mask()), 6)
