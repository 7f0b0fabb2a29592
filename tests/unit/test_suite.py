"""How scripts/test deals the tests out to its processes, and what it tells meanwhile."""

import os
import sys

import pytest
from harness import reliability
from harness.paths import ROOT

ALL = ["unit", "server", "browser", "fuzz"]


def test_compiled_files_are_kept_for_every_process_that_a_test_starts():
    assert not sys.dont_write_bytecode and "PYTHONDONTWRITEBYTECODE" not in os.environ


@pytest.mark.parametrize("everything", [False, True])
def test_every_test_belongs_to_one_job(everything):
    given = [ROOT / place for _, tests, _ in reliability.jobs(ALL, everything) for place in tests]
    files = [file for place in given for file in ([place] if place.is_file() else place.glob("test_*.py"))]
    assert sorted(files) == sorted((ROOT / "tests").rglob("test_*.py"))


@pytest.mark.parametrize(
    ("parts", "everything", "inputs"), [(ALL, False, None), (["fuzz"], False, "2000"), (ALL, True, "5000")]
)
def test_fuzzing_is_a_smoke_unless_it_is_asked_for(parts, everything, inputs, monkeypatch):
    monkeypatch.delenv("PAINTSEG_FUZZ_EXAMPLES", raising=False)
    made = reliability.jobs(parts, everything)
    told = {more.get("PAINTSEG_FUZZ_EXAMPLES") for name, _, more in made if "fuzz" in name}
    assert told == {inputs}


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("", "0% collecting"),
        ("collected 9 items\n\nunit/test_amcp.py ....", "0% test_amcp.py"),
        ("unit/test_amcp.py .... [  7%]\nserver/test_pack.py ..s", "7% test_pack.py"),
        ("unit/test_amcp.py .... [  7%]\n.... [ 14%]\n", "14% test_amcp.py"),
    ],
)
def test_the_file_that_runs_is_told(written, told):
    assert reliability._how_far(written) == told
