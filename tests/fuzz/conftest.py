"""Counts what was tried, sees to it that a good part was accepted, and prints it all at the end."""

import json
import os

import pytest

from .tally import EXAMPLES, TALLY, assert_reached, counted


def pytest_report_header():
    return f"fuzz: {EXAMPLES} examples per entry point (PAINTSEG_FUZZ_EXAMPLES)"


@pytest.fixture(autouse=True)
def _one_thread():
    """Threads of a small tensor cost more than they give."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """A test of which nearly all inputs are refused fails: it tries the refusals and not the entry point."""
    before = counted()
    yield
    assert_reached(before)


def pytest_terminal_summary(terminalreporter):
    if not TALLY:
        return
    rows = sorted(TALLY.items())
    terminalreporter.section("fuzz: inputs tried, refused with a sentence, crashed, share accepted")
    for name, count in rows:
        share = count.accepted / max(1, count.tried)
        terminalreporter.write_line(f"{name:<32}{count.tried:>9}{count.refused:>9}{count.crashed:>5}{share:>6.0%}")
    total = [sum(getattr(count, what) for _, count in rows) for what in ("tried", "refused", "crashed")]
    terminalreporter.write_line(f"{f'{len(rows)} entry points':<32}{total[0]:>9}{total[1]:>9}{total[2]:>5}")
    if report := os.environ.get("PAINTSEG_FIGURES"):
        with open(report, "a", encoding="utf-8") as file:
            figures = {"entry_points": len(rows), "tried": total[0], "refused": total[1], "crashed": total[2]}
            file.write(json.dumps({"fuzz": figures}) + "\n")
