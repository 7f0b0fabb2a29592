"""The library on the oldest packages that pyproject.toml allows: install exactly those and run the tests that can."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from . import environment
from .console import CommandFailed, Console, SetupError, run
from .paths import CACHE, ROOT, SETUP_LOG, VENV_PYTHON

UNIT = ROOT / "tests" / "unit"
VENV = CACHE / "lowest" / "venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "paintseg-lowest.txt"
# The oldest NumPy that is allowed has wheels for these and for no newer ones.
MINORS = (11, 10)
TOOLS = ("pytest", "pytest-timeout", "hypothesis", "scikit-learn", "pydensecrf2", "pyora")
# What a test may import there: those, what they bring along, and the requirements themselves.
MODULES = {"pytest", "hypothesis", "sklearn", "paintseg", "torch", "torchvision", "numpy", "scipy", "kornia",
           "safetensors", "PIL", "timm", "tqdm"}  # fmt: skip
HARNESS = {"harness.paths", "harness.random_models"}  # of the harness, what needs no ComfyUI


def pins() -> list[str]:
    """The requirements of the library, each `>=` turned into `==`."""
    wanted = environment.own_requirements(["standalone"])
    return [requirement.replace(">=", "==") for requirement in wanted]


def tests(folder: Path = UNIT) -> list[Path]:
    """The test files that import nothing but the library, its requirements and the test tools."""
    return [path for path in sorted(folder.glob("test_*.py")) if not set(_foreign(path))]


def ensure(console: Console) -> Path:
    """Make the environment of `pins`, unless it is there. Returns its Python.

    Raises `SetupError` with one sentence when no Python is old enough or a package is not to be found.
    """
    test = environment.extra_requirements("test")
    what = [*pins(), *(one for one in test if re.match(r"[\w-]+", one)[0] in TOOLS)]
    if PYTHON.exists() and STAMP.exists() and STAMP.read_text(encoding="utf-8") == "\n".join(what):
        return PYTHON
    with console.step("Python environment of the oldest packages allowed"):
        run([_python(), "-m", "venv", "--clear", VENV], SETUP_LOG)
    with console.step("The oldest packages allowed"):
        try:
            environment.install(what, console, PYTHON)
        except CommandFailed as failed:
            raise SetupError(environment.explain(failed.output)) from failed
    STAMP.write_text("\n".join(what), encoding="utf-8")
    return PYTHON


def _foreign(path: Path) -> Iterator[str]:
    """Modules that a test file imports, and its helpers beside it, which are not there or need ComfyUI.

    Imports inside functions count too, but not those that are asked for with `importorskip`.
    """
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:
            helper = path.parent / f"{node.module}.py"
            if helper.exists():
                yield from _foreign(helper)
        elif isinstance(node, ast.ImportFrom) and node.module == "harness":
            names = [f"harness.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        yield from (name for name in names if not (name in HARNESS or _there(name.split(".")[0])))


def _there(module: str) -> bool:
    return module in MODULES or module in sys.stdlib_module_names


def _python() -> Path | str:
    """A Python that the oldest packages have wheels for."""
    asks = "import sys, venv, ensurepip; print(sys.version_info[1])"
    for candidate in (VENV_PYTHON, *(shutil.which(f"python3.{minor}") for minor in MINORS)):
        if candidate:
            asked = subprocess.run([candidate, "-c", asks], capture_output=True, text=True)
            if asked.stdout.strip() in map(str, MINORS):
                return candidate
    raise SetupError("The oldest packages allowed need Python 3.10 or 3.11 with venv: install one of them.")
