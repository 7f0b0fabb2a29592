"""One thing at a time, and of each client only the newest."""

import threading
from concurrent.futures import wait

import pytest

from paintseg.tasks.turns import Superseded, Turns


@pytest.fixture
def held():
    """Turns whose worker is busy until the gate opens, and the gate."""
    turns, gate, begun = Turns(), threading.Event(), threading.Event()

    def block(check):
        begun.set()
        assert gate.wait(10)
        return "held"

    first = turns.take("somebody", block)
    assert begun.wait(10)
    yield turns, gate, first
    gate.set()


def test_what_comes_of_work_is_told(held):
    turns, gate, first = held
    later = turns.take("me", lambda check: 7)
    gate.set()
    assert (first.result(10), later.result(10)) == ("held", 7)


def test_a_newer_question_replaces_one_that_waits_at_once(held):
    turns, _, _ = held
    done = []
    old = turns.take("me", lambda check: done.append("old"))
    turns.take("me", lambda check: done.append("new"))
    with pytest.raises(Superseded):
        old.result(0.5)  # while the worker is still busy with somebody else's
    assert done == []


def test_and_one_under_way_between_its_stages():
    turns, under_way, go_on, stages = Turns(), threading.Event(), threading.Event(), []

    def slow(check):
        stages.append("first")
        under_way.set()
        assert go_on.wait(10)
        check()
        stages.append("second")

    old = turns.take("me", slow)
    assert under_way.wait(10)
    new = turns.take("me", lambda check: "new")
    go_on.set()
    with pytest.raises(Superseded):
        old.result(10)
    assert new.result(10) == "new" and stages == ["first"]


def test_clients_do_not_replace_each_other(held):
    turns, gate, _ = held
    asked = [turns.take(f"client {number}", lambda check, number=number: number) for number in range(20)]
    gate.set()
    assert [one.result(10) for one in asked] == list(range(20))


def test_two_things_never_run_at_once():
    turns, running, most = Turns(), [0], [0]

    def work(check):
        running[0] += 1
        most[0] = max(most[0], running[0])
        threading.Event().wait(0.005)
        running[0] -= 1

    wait([turns.take(str(number), work) for number in range(20)], 20)
    assert most == [1]


def test_what_work_raises_is_raised_and_the_next_is_done():
    turns = Turns()
    broken = turns.take("me", lambda check: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        broken.result(10)
    assert turns.take("me", lambda check: "fine").result(10) == "fine"
