"""Find a Chromium for the browser tests, or install Debian's."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from .console import CommandFailed, Console, SetupError, run
from .paths import SETUP_LOG

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)
# The last five keep it from looking up its maker's hosts at every start.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find() -> str | None:
    """The path of a Chromium: CHROME in the environment, one on PATH, or one where installers put it."""
    named = os.environ.get("CHROME")
    candidates = (named, *map(shutil.which, NAMES), *(place for place in PLACES if Path(place).exists()))
    return next((candidate for candidate in candidates if candidate), None)


def ensure(console: Console) -> str:
    """A Chromium, installed from Debian's packages when there is none and we may."""
    found = find()
    if found:
        return found
    may_install = shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0
    if may_install:
        with console.step("Chromium for the browser tests"):
            try:
                run(["apt-get", "update"], SETUP_LOG)
                quiet = {"DEBIAN_FRONTEND": "noninteractive"}
                run(["apt-get", "install", "-y", "--no-install-recommends", "chromium"], SETUP_LOG, env=quiet)
            except CommandFailed:
                console.detail("apt-get could not install it")
        found = find()
    if not found:
        raise SetupError(
            "The browser tests need Chromium or Chrome: install one (Debian: apt install chromium), name it "
            "in the environment variable CHROME, or leave them out with scripts/test --unit --server."
        )
    return found
