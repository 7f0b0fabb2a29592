"""A run agrees with the answer that was clicked on: part by part, by arithmetic on drawn masks."""

import pytest
import torch

from paintseg.finish.seen import as_seen
from paintseg.prompts import Prompt

SIZE = (400, 400)
HEAD, BODY, HAND = (
    (slice(20, 80), slice(150, 250)),
    (slice(80, 300), slice(100, 300)),
    (slice(150, 200), slice(320, 380)),
)


def drawn(*parts, value=0.9):
    soft = torch.full(SIZE, 0.1)
    for part in parts:
        soft[part] = value
    return soft


def test_a_part_that_was_clicked_away_and_came_back_is_taken_away():
    seen = as_seen(drawn(BODY, HEAD), drawn(BODY))
    assert torch.equal(seen > 0.5, drawn(BODY) > 0.5)


def test_a_part_that_was_clicked_on_and_is_missing_is_put_back():
    seen = as_seen(drawn(BODY), drawn(BODY, HEAD))
    assert torch.equal(seen > 0.5, drawn(BODY, HEAD) > 0.5)


def test_an_edge_is_the_runs_own():
    """Up to 4 px deep here, as the loop may know it better: on every side, and between two parts."""
    own = drawn((slice(83, 297), slice(103, 297)), (slice(76, 80), HEAD[1]))
    assert as_seen(own, drawn(BODY)) is own


def test_only_the_part_that_disagrees_is_changed():
    own = drawn(BODY, HEAD, (slice(198, 200), HAND[1]))
    seen = as_seen(own, drawn(BODY))
    assert torch.equal(seen > 0.5, drawn(BODY, (slice(198, 200), HAND[1])) > 0.5)


def test_no_sliver_is_left_where_the_two_edges_differ():
    """The run's head is a pixel larger on every side; a ring of it would stay."""
    larger = (slice(19, 80), slice(149, 251))
    assert torch.equal(as_seen(drawn(BODY, larger), drawn(BODY)) > 0.5, drawn(BODY) > 0.5)


def test_a_part_is_as_sure_as_it_was_seen():
    assert (as_seen(drawn(BODY), drawn(BODY, HEAD, value=0.7))[HEAD] == 0.7).all()


def test_the_photos_border_is_no_edge_of_a_part():
    """Cut at the border, a strip of 3 px is a strip; it does not go on beyond."""
    own = drawn(BODY, (slice(0, 3), slice(0, 400)))
    assert as_seen(own, drawn(BODY)) is own


@pytest.mark.parametrize(
    ("prompt", "does"),
    [
        (Prompt(SIZE, points=((9, 9),)), False),
        (Prompt(SIZE, points=((9, 9), (20, 20))), True),
        (Prompt(SIZE, points=((9, 9),), negative_points=((20, 20),)), True),
        (Prompt(SIZE, box=(2, 2, 90, 90)), False),
        (Prompt(SIZE, box=(2, 2, 90, 90), points=((20, 20),)), True),
        (Prompt(SIZE, mask=torch.ones(SIZE)), False),
    ],
)
def test_only_further_clicks_correct(prompt, does):
    assert prompt.is_corrected is does
