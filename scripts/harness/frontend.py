"""ComfyUI's browser side in the newest release that is known here, beside the one that the pinned ComfyUI brings."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import zipfile
from pathlib import Path

from . import environment
from .console import CommandFailed, Console, SetupError, run
from .paths import CACHE, SETUP_LOG, VENV_PYTHON

NEWEST = "1.58.1"
SHA256 = "37912597537a731a8f421179618a736c24184c5bdbfa327f38b2fb7c291852d9"
PACKAGE = f"comfyui-frontend-package=={NEWEST}"

FOLDER = CACHE / f"frontend-{NEWEST}"
STATIC = FOLDER / "comfyui_frontend_package" / "static"


def find() -> Path | None:
    """What `main.py --front-end-root` takes; None where `ensure` has not fetched it yet."""
    return STATIC if (STATIC / "index.html").is_file() else None


def ensure(console: Console) -> Path:
    """The newest front end, from the package index. Raises `SetupError` with one sentence when the index lacks it."""
    if find():
        return STATIC
    CACHE.mkdir(parents=True, exist_ok=True)
    with console.step(f"ComfyUI's front end {NEWEST}"), tempfile.TemporaryDirectory(dir=CACHE, prefix="fetch-") as work:
        try:
            run([VENV_PYTHON, "-m", "pip", "download", "--no-deps", "--dest", work, PACKAGE], SETUP_LOG)
        except CommandFailed as failed:
            raise SetupError(environment.explain(failed.output)) from failed
        (wheel,) = Path(work).glob("*.whl")
        if hashlib.sha256(wheel.read_bytes()).hexdigest() != SHA256:
            raise SetupError(f"{wheel.name} from the package index is not the expected file (sha256 differs).")
        fresh = Path(work) / "fresh"
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(fresh)
        shutil.rmtree(FOLDER, ignore_errors=True)
        os.replace(fresh, FOLDER)
    return STATIC
