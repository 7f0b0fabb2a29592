"""Make `paintseg` importable without letting this checkout's `nodes/` shadow ComfyUI's `nodes.py`."""

import gc
import os
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

# Every ComfyUI, demo and command line that a test starts imports torch: twenty seconds longer where Python keeps no
# compiled files. A user who wants none beside the sources gets them in .cache.
if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
    sys.dont_write_bytecode = False
    sys.pycache_prefix = os.environ.setdefault("PYTHONPYCACHEPREFIX", str(ROOT / ".cache" / "bytecode"))

# Quick: the same few inputs in every run, so that a change which breaks nothing fails nothing. scripts/test --all takes
# the thorough one (pytest --hypothesis-profile=thorough), which draws new ones and many.
settings.register_profile("quick", derandomize=True, database=None, max_examples=30, deadline=None)
settings.register_profile("thorough", database=None, max_examples=200, deadline=None)
settings.load_profile("quick")


MANY_MODULES = 200
seen = 0


def pytest_runtest_setup():
    """What large libraries brought stays until the end: the collector, which took a sixth of the units' time to look
    through it again and again, is told so."""
    global seen
    if len(sys.modules) > seen + MANY_MODULES:
        seen = len(sys.modules)
        gc.collect()
        gc.freeze()


@pytest.fixture(scope="session")
def beside():
    """What every test's ComfyUI has beside this pack: the switch to small views, and nodes as other packs have them."""
    return [ROOT / "tests" / "server" / name for name in ("small_presets.py", "counting_nodes.py")]


@pytest.fixture(scope="session")
def server(tmp_path_factory, request, beside):
    """One real ComfyUI for the whole session."""
    from harness.server import Server

    with Server(tmp_path_factory.mktemp("comfy"), beside=beside) as running:
        yield running
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    tested = sorted({item.path.parent.name for item in request.session.items})
    shutil.copy(running.log, ARTEFACTS / f"comfyui-{'-'.join(tested)}.log")


@pytest.fixture(scope="session")
def schemas(server):
    """The schemas of all of the server's nodes, asked for once: ComfyUI takes a second to write them down."""
    from harness.client import Client

    return Client(server.url).object_info()


@pytest.fixture(scope="session")
def shrunk(server):
    """Switches the server's presets to small views and back; what they are is remembered."""
    from harness.client import Client

    now, control = [False], Client(server.url)

    def switch(small):
        if now[0] != small:
            control.post_json("/tests/presets", {"small": small})
            control.free()  # a graph that comes again is another one now
            now[0] = small

    return switch


@pytest.fixture
def client(server, shrunk, request):
    """A connected client of the session's server, whose presets have small views unless the test's module says
    `OWN_VIEWS = True`."""
    from harness.client import Client

    shrunk(not getattr(request.module, "OWN_VIEWS", False))
    with Client(server.url) as connected:
        yield connected
