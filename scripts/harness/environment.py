"""Build and check the Python environment in `.venv`: torch, ComfyUI's requirements and this pack's."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path

from . import comfyui
from .console import CommandFailed, Console, SetupError, run
from .paths import CACHE, ROOT, SETUP_LOG, VENV, VENV_PYTHON

# One matched set: ComfyUI does not start when the three come from different builds.
TORCH = ("torch==2.11.0", "torchvision==0.26.0", "torchaudio==2.11.0")
FIRST_INSTALL_GB = 9.0
LATER_INSTALL_GB = 1.0
STAMP = VENV / "paintseg-setup.json"
UNFINISHED = VENV / "paintseg-unfinished"

_NETWORK = re.compile(
    r"connect|timed? ?out|resolve host|name resolution|name or service|unreachable|dns error|proxy"
    r"|certificate|ssl|max retries|error sending request|failed to fetch|could not fetch"
    r"|no matching distribution",
    re.IGNORECASE,
)
_DISK = re.compile(r"no space left|disk full|not enough space|quota exceeded|os error 28", re.IGNORECASE)


def ensure(extras: Sequence[str], console: Console) -> None:
    """Make `.venv` and the pinned ComfyUI ready, with the named extras of pyproject.toml.

    Returns at once when nothing changed since the last time. An interrupted run is taken up where it stopped.
    Raises `SetupError` with one sentence when disk, network or Python's venv module is missing.
    """
    if comfyui.VERSION != comfyui.PINNED:
        if not VENV_PYTHON.exists():
            raise SetupError("Older ComfyUIs run on the newest one's packages: run scripts/setup --test first.")
        comfyui.fetch(VENV_PYTHON, console)
        return
    wanted = fingerprint(extras)
    if wanted in _stamps() and not UNFINISHED.exists() and VENV_PYTHON.exists() and comfyui.is_ready():
        return
    with _one_at_a_time(console):
        _check_disk()
        try:
            _make_venv(console)
            comfyui.fetch(VENV_PYTHON, console)
            _install(extras, console)
        except CommandFailed as failed:
            raise SetupError(explain(failed.output)) from failed
        STAMP.write_text(json.dumps(sorted({*_stamps(), *satisfied(extras)})), encoding="utf-8")


def fingerprint(extras: Sequence[str]) -> str:
    """A hash of everything an installed environment depends on."""
    parts = [comfyui.VERSION, *TORCH, *own_requirements(extras)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def satisfied(extras: Sequence[str]) -> set[str]:
    """The fingerprints of these extras and of all that are fewer: who has installed much need not install little."""
    fewer = (chosen for count in range(len(extras) + 1) for chosen in combinations(extras, count))
    return {fingerprint(chosen) for chosen in fewer}


def extra_requirements(name: str) -> list[str]:
    """The requirements of one extra of pyproject.toml (read without tomllib, which Python 3.10 has not)."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    section = text.split("[project.optional-dependencies]", 1)[1]
    found = re.search(rf"^{re.escape(name)}\s*=\s*\[(.*?)\]\s*$", section, re.MULTILINE | re.DOTALL)
    if found is None:
        raise SetupError(f"pyproject.toml has no extra named {name}.")
    return re.findall(r'"([^"]+)"', found.group(1))


def explain(output: str) -> str:
    """One sentence for what made an installer fail, from the end of what it printed."""
    if _DISK.search(output):
        return f"The disk is full: free {FIRST_INSTALL_GB:.0f} GB and run the command again ({SETUP_LOG})."
    if _NETWORK.search(output):
        return (
            "The package index could not be reached or lacks a package: check the network and pip's settings "
            f"(index, proxy, certificate), then run the command again ({SETUP_LOG})."
        )
    last = next((line.strip() for line in reversed(output.splitlines()) if line.strip()), "no message")
    return f"An installation step failed with: {last} (all of it: {SETUP_LOG})."


def install(what: Sequence[str | Path], console: Console, python: Path = VENV_PYTHON) -> None:
    """Install `what` for `python`, with the uv of `.venv` where it succeeds, else with `python`'s own pip.

    Raises `CommandFailed` when neither can.
    """
    if _has_uv() and _try_uv(what, console, python):
        return
    argv = [python, "-m", "pip", "install", "--progress-bar", "off", *what]
    run(argv, SETUP_LOG, show=lambda line: _show_pip(line, console))


def own_requirements(extras: Sequence[str]) -> list[str]:
    """The requirements of the pack and of the named extras of pyproject.toml."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    own = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return [*own, *(requirement for extra in extras for requirement in extra_requirements(extra))]


def _stamps() -> list[str]:
    try:
        return json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []


def _check_disk() -> None:
    has_torch = any(VENV.glob("**/site-packages/torch/__init__.py"))
    needed = LATER_INSTALL_GB if has_torch else FIRST_INSTALL_GB
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < needed:
        raise SetupError(
            f"Not enough disk space: {needed:.0f} GB are needed in {ROOT} and {free:.1f} GB are free; "
            "free some and run the command again."
        )


def _make_venv(console: Console) -> None:
    # A killed installer leaves packages that look installed and are not: then all are laid anew, from the
    # installer's cache.
    if not UNFINISHED.exists() and VENV_PYTHON.exists():
        asked = subprocess.run([VENV_PYTHON, "-c", "import pip"], capture_output=True, stdin=subprocess.DEVNULL)
        if asked.returncode == 0:
            return
    with console.step(f"Python {sys.version_info[0]}.{sys.version_info[1]} environment in .venv"):
        try:
            run([sys.executable, "-m", "venv", "--clear", VENV], SETUP_LOG)
        except CommandFailed as failed:
            if _DISK.search(failed.output):
                raise
            raise SetupError(
                "Python's venv module is missing or incomplete: install it (on Debian and Ubuntu: "
                "apt install python3-venv) and run the command again."
            ) from failed


def _install(extras: Sequence[str], console: Console) -> None:
    UNFINISHED.touch()
    what = [*TORCH, "-r", comfyui.FOLDER / "requirements.txt", *own_requirements(extras)]
    _uv(console)
    with console.step("PyTorch and what ComfyUI and this pack require"):
        install(what, console)
    UNFINISHED.unlink()
    with console.step("Checking that it imports"):
        run([VENV_PYTHON, "-c", "import torch, torchvision, torchaudio, aiohttp, PIL, timm"], SETUP_LOG)


def _has_uv() -> bool:
    return subprocess.run([VENV_PYTHON, "-m", "uv", "--version"], capture_output=True).returncode == 0


def _uv(console: Console) -> None:
    """Put uv into `.venv` if it is to be found: uv installs several times faster than pip."""
    if _has_uv():
        return
    try:
        with console.step("uv"):
            run([VENV_PYTHON, "-m", "pip", "install", "--progress-bar", "off", "uv"], SETUP_LOG)
    except CommandFailed as failed:
        if _NETWORK.search(failed.output):
            raise
        console.detail("there is no uv to install: going on with pip")


def _try_uv(arguments: Sequence[str | Path], console: Console, python: Path) -> bool:
    try:
        argv = [VENV_PYTHON, "-m", "uv", "pip", "install", "--python", python, *arguments]
        run(argv, SETUP_LOG, show=lambda line: _show_uv(line, console), env=_uv_settings())
    except CommandFailed as failed:
        if _DISK.search(failed.output):
            raise
        console.detail("uv did not succeed (it reads other settings than pip): going on with pip")
        return False
    return True


def _uv_settings() -> dict[str, str]:
    """What uv must be told because it does not read pip's configuration; settings made for uv itself win."""
    settings = {"UV_HTTP_TIMEOUT": "180"}
    if not (os.environ.get("UV_CACHE_DIR") or (Path.home() / ".cache" / "uv").is_dir()):
        settings["UV_CACHE_DIR"] = str(CACHE / "uv")  # beside .venv: hard links make it take no room twice
    asked = subprocess.run([VENV_PYTHON, "-m", "pip", "config", "list"], capture_output=True, text=True)
    lines = (line.partition("=") for line in asked.stdout.splitlines())
    pip = {key.split(".")[-1]: value.strip("'\"") for key, _, value in lines}
    for key, name in (("index-url", "UV_DEFAULT_INDEX"), ("proxy", "ALL_PROXY"), ("cert", "SSL_CERT_FILE")):
        if pip.get(key) and not os.environ.get(name):
            settings[name] = pip[key]
    if "UV_INDEX_URL" in os.environ:
        settings.pop("UV_DEFAULT_INDEX", None)
    return settings


def _show_uv(line: str, console: Console) -> None:
    line = line.strip()
    large = re.search(r"\(\d{3,}\.\dMiB\)", line)
    if large or not line.startswith(("+ ", "- ", "~ ", "Downloading", "Downloaded")):
        console.detail(line[:110])


def _show_pip(line: str, console: Console) -> None:
    if line.startswith(("Collecting", "Installing", "ERROR", "WARNING")):
        console.detail(line[:110])


@contextmanager
def _one_at_a_time(console: Console) -> Iterator[None]:
    """Hold this checkout's lock: a second set-up waits for it. The system frees it with the process."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "setup.lock").open("a+") as handle:
        waiting = False
        while not _try_lock(handle.fileno()):
            if not waiting:
                console.line("Another set-up is running in this checkout: waiting for it.")
                waiting = True
            time.sleep(1)
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
