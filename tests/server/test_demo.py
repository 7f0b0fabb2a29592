"""The first command a newcomer types."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import psutil
import pytest
from harness.contact import iou
from harness.paths import HUMAN_MASK, OUTPUT, PHOTO, ROOT
from PIL import Image

DEMO = [sys.executable, str(ROOT / "scripts" / "demo")]
FILES = ("mask.png", "plate.png", "cutout.png", "contact.jpg")


@pytest.fixture(scope="module")
def demo():
    """What one whole run of scripts/demo printed."""
    for name in FILES:
        (OUTPUT / name).unlink(missing_ok=True)
    return subprocess.run(DEMO, capture_output=True, text=True, timeout=300)


@pytest.mark.slow
def test_demo_writes_its_four_files(demo):
    assert (demo.returncode, demo.stderr) == (0, "")
    assert [name for name in FILES if not (OUTPUT / name).exists()] == []


@pytest.mark.slow
def test_demo_mask_fits_the_human_mask(demo):
    assert iou(Image.open(OUTPUT / "mask.png"), Image.open(HUMAN_MASK)) >= 0.85


@pytest.mark.slow
def test_demo_pictures_have_the_size_of_the_photo(demo):
    sizes = {name: Image.open(OUTPUT / name).size for name in FILES[:3]}
    assert sizes == dict.fromkeys(FILES[:3], Image.open(PHOTO).size)


@pytest.mark.slow
def test_demo_cutout_is_transparent_outside_the_mask(demo):
    cutout = Image.open(OUTPUT / "cutout.png")
    assert cutout.mode == "RGBA"
    assert iou(cutout.getchannel("A"), Image.open(OUTPUT / "mask.png")) > 0.95


@pytest.mark.slow
def test_demo_stays_within_four_gigabytes(demo):
    peak = re.search(r"Memory: ([\d.]+) GB", demo.stdout)
    assert float(peak.group(1)) <= 4.0


@pytest.mark.slow
def test_demo_says_which_node_runs_and_how_far_it_is(demo):
    assert re.search(r"\d+ s  PaintSeg Segment, \d+ %", demo.stdout)


def test_demo_names_a_taken_port():
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        done = subprocess.run([*DEMO, "--port", str(port)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert f"Port {port} is in use" in done.stderr


def _hear_ctrl_c():
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # shells make their background jobs deaf to it


def _press_ctrl_c(process):
    os.killpg(process.pid, signal.SIGINT)  # a terminal tells the whole group


def _kill(process):
    process.terminate()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize(
    ("end", "ready"), [(_press_ctrl_c, True), (_kill, False)], ids=["ctrl-c", "killed at its start"]
)
def test_served_demo_ends_without_leaving_a_server(end, ready):
    serving = subprocess.Popen(
        [*DEMO, "--serve", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_hear_ctrl_c,
    )
    try:
        if ready:
            address = next(found.group() for line in serving.stdout if (found := re.search(r"http://\S+", line)))
            with urllib.request.urlopen(address) as page:
                assert page.status == 200
        servers = _servers_of(serving)
    finally:
        end(serving)
    assert serving.wait(30) in (0, 130)
    assert psutil.wait_procs(servers, timeout=10)[1] == []


def _servers_of(process):
    """The ComfyUI that a process has started, as soon as there is one."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        found = [one for one in psutil.Process(process.pid).children(recursive=True) if "main.py" in str(one.cmdline())]
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("no ComfyUI was started")
