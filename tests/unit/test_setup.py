"""What the commands do before anything is installed, and how they say what is missing."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time

import pytest
from harness import comfyui, environment
from harness.console import CommandFailed, Console, SetupError, run
from harness.paths import HUMAN_MASK, PHOTO, ROOT
from harness.photo import outline_mask
from harness.server import Server
from PIL import Image, ImageChops

tomllib = pytest.importorskip("tomllib", reason="Python 3.10 has no tomllib to compare with")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.mark.parametrize("extra", PROJECT["optional-dependencies"])
def test_extras_are_read_as_a_toml_parser_reads_them(extra):
    assert environment.extra_requirements(extra) == PROJECT["optional-dependencies"][extra]


def test_manager_and_registry_install_the_same_requirements():
    assert (ROOT / "requirements.txt").read_text(encoding="utf-8").split() == PROJECT["dependencies"]


def test_fingerprint_changes_with_the_extras_and_not_otherwise():
    assert environment.fingerprint([]) == environment.fingerprint([])
    assert environment.fingerprint([]) != environment.fingerprint(["test"])


def test_unreachable_index_is_named_as_such(tmp_path):
    argv = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--retries",
        "0",
        "--isolated",
        "--dest",
        tmp_path,
        "timm",
    ]
    with pytest.raises(CommandFailed) as failed:
        run([*argv, "--index-url", "http://127.0.0.1:9/simple"], tmp_path / "log")
    assert "package index could not be reached" in environment.explain(failed.value.output)


def test_full_disk_is_named_as_such():
    assert "disk is full" in environment.explain("OSError: [Errno 28] No space left on device\n")


def test_unknown_failure_keeps_the_installers_last_words():
    assert "the moon is wrong" in environment.explain("first\nthe moon is wrong\n\n")


def test_missing_disk_space_stops_before_anything_is_installed(monkeypatch):
    monkeypatch.setattr(environment, "FIRST_INSTALL_GB", 1e9)
    monkeypatch.setattr(environment, "LATER_INSTALL_GB", 1e9)
    with pytest.raises(SetupError, match="Not enough disk space: 1000000000 GB are needed"):
        environment._check_disk()


def test_taken_port_is_named_as_such(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        with pytest.raises(SetupError, match=f"Port {port} is in use"), Server(tmp_path, port=port):
            pass


def test_comfyui_that_cannot_start_shows_its_last_words(tmp_path, monkeypatch):
    (tmp_path / "main.py").write_text("raise SystemExit('no torch today')")
    monkeypatch.setattr(comfyui, "FOLDER", tmp_path)
    with pytest.raises(SetupError, match="no torch today"), Server(tmp_path / "base"):
        pass


def test_quiet_steps_tick(capsys):
    with Console(quiet_for=0.5).step("Waiting"):
        time.sleep(1.8)
    assert re.search(r"==> Waiting\n +\.\.\. 1 s\n", capsys.readouterr().out)


def test_second_setup_waits_for_the_first(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(environment, "CACHE", tmp_path)
    held, release = threading.Event(), threading.Event()

    def first():
        with environment._one_at_a_time(Console()):
            held.set()
            release.wait(10)

    holder = threading.Thread(target=first)
    holder.start()
    held.wait(10)
    threading.Timer(0.5, release.set).start()
    with environment._one_at_a_time(Console()):
        assert "Another set-up is running" in capsys.readouterr().out
    holder.join()


def test_who_has_installed_more_extras_need_not_install_fewer():
    done = environment.satisfied(["test", "ray", "fuzz"])
    assert {environment.fingerprint(extras) for extras in ([], ["test"], ["test", "fuzz"])} < done
    assert environment.fingerprint(["peers"]) not in done


def test_setup_is_quick_when_nothing_changed():
    def seconds(*words):
        """Of the processor, for a Python of its own: those by the clock are also other programs'."""
        before = os.times()
        done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True)
        after = os.times()
        assert (done.returncode, done.stderr) == (0, "")
        return after.children_user + after.children_system - before.children_user - before.children_system

    # On any processor: looking whether something changed loads nothing large and calls no pip.
    assert seconds("scripts/setup", "--test") < seconds("-c", "import torch")


def test_human_mask_is_the_outline_filled():
    outline = PHOTO.with_name("paintseg_astronaut_outline.json")
    size = Image.open(PHOTO).size
    difference = ImageChops.difference(outline_mask(outline), Image.open(HUMAN_MASK).convert("L"))
    assert json.loads(outline.read_text(encoding="utf-8"))["size"] == list(size)
    assert difference.size == size
    assert difference.getbbox() is None
