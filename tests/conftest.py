"""Make `paintseg` importable without letting this checkout's `nodes/` shadow ComfyUI's `nodes.py`."""

import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]
ARTEFACTS = ROOT / "output" / "test-artifacts"
for place in (ROOT, ROOT / "scripts"):
    if str(place) not in sys.path:
        sys.path.append(str(place))  # at the end: ComfyUI's own modules must win

# The same inputs in every run, so that a change which breaks nothing fails nothing; scripts/test --all draws new ones
# (pytest --hypothesis-profile=default).
settings.register_profile("repeatable", derandomize=True, database=None)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """One real ComfyUI for the whole session, with this pack and no other."""
    from harness.server import Server

    with Server(tmp_path_factory.mktemp("comfy")) as running:
        yield running
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    shutil.copy(running.log, ARTEFACTS)


@pytest.fixture
def client(server):
    """A connected client of the session's server."""
    from harness.client import Client

    with Client(server.url) as connected:
        yield connected
