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
# Checks that only tell what they find. All of them decide: a new one may be named here until the code is clean.
TOLD_ONLY: tuple[str, ...] = ()
PLACE = OUTPUT / "checks"  # reports, and what mypy reads and keeps


def run(python: Path = VENV_PYTHON) -> int:
    """Run all checks and print what they find. Returns 0 when none that decides has failed, else 1."""
    worst = 0
    for name, argv, variables in commands(python):
        print(f"==> {name}", flush=True)
        decides = name not in TOLD_ONLY
        output = None if decides else subprocess.PIPE
        done = subprocess.run(argv, cwd=ROOT, env={**os.environ, **variables}, stdout=output, stderr=output, text=True)
        if done.returncode and decides:
            worst = 1
        elif done.returncode:
            report = PLACE / f"{name.split()[0]}.txt"
            report.write_text(done.stdout + done.stderr, encoding="utf-8")
            print(f"    {_last_line(report)} It does not count yet; all of it: {report.relative_to(ROOT)}", flush=True)
    return worst


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


def _last_line(report: Path) -> str:
    return (report.read_text(encoding="utf-8").strip().splitlines() or ["nothing was said"])[-1].rstrip(".") + "."


if __name__ == "__main__":
    typescript.ensure(Console())
    sys.exit(run(Path(sys.executable)))
