"""The editor's answers leave the processor to graphs: before they begin, and between their stages."""

import pytest
from harness.inprocess import load_pack
from harness.paths import PHOTO

from paintseg.tasks.live import Picture, Question

QUESTION = Question(Picture(PHOTO.name, "", "input"), "me", {"points": [{"x": 9, "y": 9}]}, "mask", 64)


class Graphs:
    """A queue in which graphs run while `running` says so, look by look."""

    def __init__(self, running):
        self.running, self.looks = iter(running), 0

    def __call__(self, server):
        self.looks += 1
        return next(self.running, False)


@pytest.fixture
def route(monkeypatch):
    route = load_pack().nodes.route
    monkeypatch.setattr(route.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(route._CONVERSATIONS, "get", lambda key, make: None)
    return route


def answer(route, monkeypatch, running, until=float("inf")):
    """Looks at the queue before the answer began, and in all, with three stages."""
    graphs, begun = Graphs(running), []

    def respond(conversation, question, painter, check):
        begun.append(graphs.looks)
        for _ in range(3):
            check()

    monkeypatch.setattr(route, "is_busy", graphs)
    monkeypatch.setattr(route, "respond", respond)
    route._work(None, QUESTION, PHOTO, lambda: None, until)
    return begun[0], graphs.looks


def test_it_begins_when_no_graph_runs(route, monkeypatch):
    assert answer(route, monkeypatch, []) == (1, 4)
    assert answer(route, monkeypatch, [True, True]) == (3, 6)


def test_it_waits_between_stages_for_a_graph_that_began_later(route, monkeypatch):
    assert answer(route, monkeypatch, [False, True, True, True]) == (1, 7)


def test_it_waits_no_longer_than_a_front_end_does(route, monkeypatch):
    with pytest.raises(route.Refused, match="a graph is running on the processor"):
        answer(route, monkeypatch, [False] + [True] * 9, until=0.0)
