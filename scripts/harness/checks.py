"""What is checked without running anything: lint, format and types, of the JavaScript too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from . import typescript
from .console import Console
from .inprocess import PACK
from .paths import OUTPUT, ROOT, VENV_PYTHON
from .server import link_checkout

# Without the suffix that ruff looks for.
SCRIPTS = ("setup", "demo", "test", "make_help", "make_help_pictures", "make_schemas", "make_workflows", "gpu_check")
PLACE = OUTPUT / "checks"  # what mypy reads and keeps


def run(python: Path = VENV_PYTHON) -> int:
    """Run all checks side by side and print what they find, in their order. Returns 0 when none has failed, else 1."""
    together = {"cwd": ROOT, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    running = [
        (name, subprocess.Popen(argv, env={**os.environ, **more}, **together)) for name, argv, more in commands(python)
    ]
    for name, process in running:
        print(f"==> {name}\n{process.communicate()[0]}", end="", flush=True)
    return int(any(process.returncode for _, process in running))


def commands(python: Path = VENV_PYTHON) -> list[tuple[str, list[str], dict[str, str]]]:
    """Every check: its name, its command and the variables of its environment."""
    paths = [".", *(f"scripts/{name}" for name in SCRIPTS)]
    ruff, mypy = [str(python), "-m", "ruff"], [str(python), "-m", "mypy"]
    return [
        ("ruff check", [*ruff, "check", *paths], {}),
        ("ruff format --check", [*ruff, "format", "--check", *paths], {}),
        ("tsc", typescript.command(), {}),
        ("mypy", [*mypy, "-p", f"{PACK}.paintseg", "-p", f"{PACK}.nodes"], {"MYPYPATH": types_path()}),
    ]


def types_path() -> str:
    """A folder that holds this checkout under an importable name: `nodes` imports `..paintseg`, as in ComfyUI."""
    PLACE.mkdir(parents=True, exist_ok=True)
    link_checkout(PLACE / PACK)
    return str(PLACE)


if __name__ == "__main__":
    typescript.ensure(Console())
    sys.exit(run(Path(sys.executable)))
