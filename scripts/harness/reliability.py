"""The parts of `scripts/test` side by side, older ComfyUIs and packages, and their figures."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from . import comfyui, lowest
from .console import Console
from .paths import CACHE, OUTPUT, ROOT, VENV_PYTHON

FIGURES = OUTPUT / "test-artifacts" / "reliability.jsonl"
# Of the fuzzing with --all, a process each; the longest first.
SHARES = (
    ("test_nodes.py",),
    ("test_method.py",),
    ("test_pictures.py",),
    ("test_commands.py",),
    ("test_models.py",),
    ("test_text.py", "test_masks.py", "test_coverage_guided.py"),
)
# Of the units' files, half of their time: those before this name.
HALF = "test_g"
# Of the server's tests, half of their time, with a ComfyUI of its own.
WORKFLOWS = ("test_workflows.py", "test_model_workflows.py", "test_demo.py", "test_first_run.py")
# What the nodes' own tests need ComfyUI for; the rest of tests/unit is the library's.
ON_COMFYUI = (
    "test_symbols.py",
    "test_encoder_nodes.py",
    "test_inpaint_model.py",
    "test_diffusion_painter.py",
    "test_refusals.py",
    "test_security.py",
)
AT_ONCE = 3  # processes; on two cores, since a third of their time those that serve, browse or start others only wait
TELLING = 30  # seconds between lines on how far the tests are
# Inputs of every entry point, and of those that run the whole method, where fuzzing is asked for.
MANY = {"PAINTSEG_FUZZ_EXAMPLES": "2000", "PAINTSEG_SLOW_EXAMPLES": "2000"}
MOST = {**MANY, "PAINTSEG_FUZZ_EXAMPLES": "5000"}


def begin() -> None:
    """Forget the figures of the last run; what is started from here on adds its own."""
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.unlink(missing_ok=True)
    os.environ["PAINTSEG_FIGURES"] = str(FIGURES)


def pytest(everything: bool, python: Path = VENV_PYTHON) -> list[object]:
    """The command that tests are given to: the long ones too, and with many new inputs, or what every run tries."""
    which = ["--hypothesis-profile=thorough"] if everything else ["-m", "not long"]
    return [python, "-m", "pytest", "-c", "tests/pytest.ini", *which]


Job = tuple[str, list[str], dict[str, str]]  # its name, its tests and the variables of its environment


def everything_at_once(parts: list[str], everything: bool, passed_on: list[str]) -> int:
    """Run the tests of these parts, some at a time. Returns an exit code."""
    argv = [*pytest(everything), *passed_on]
    codes = _side_by_side([(name, [*argv, *tests], more) for name, tests, more in jobs(parts, everything)])
    nothing_chosen = 5 if passed_on else 0  # pytest's code for no tests, as after -k
    return next((code for code in codes if code not in (0, nothing_chosen)), 0)


def jobs(parts: list[str], everything: bool) -> list[Job]:
    """A process each, the longest first, so that all end at about the same time: the browser's, then the units and the
    server's in two halves each. Server and browser have a ComfyUI each. Fuzzing is a smoke of a few inputs beside other
    parts, and thousands by itself or with everything."""
    made: list[Job] = [("browser", ["tests/browser"], {})] if "browser" in parts else []
    if "unit" in parts:
        made += _halves("unit", ("units to f", "units from g"), lambda name: name < HALF)
    if "server" in parts:
        made += _halves("server", ("workflows", "server"), lambda name: name in WORKFLOWS)
    if "fuzz" not in parts:
        return made
    examples = MOST if everything else MANY if parts == ["fuzz"] else {}
    if not examples:
        return [*made, ("fuzz", ["tests/fuzz"], {})]
    variables = {name: count for name, count in examples.items() if name not in os.environ}
    shares = [[f"tests/fuzz/{one}" for one in files] for files in SHARES]
    return [*made, *((f"fuzz-{number}", files, variables) for number, files in enumerate(shares))]


def _halves(part: str, names: tuple[str, str], is_first: Callable[[str], bool]) -> list[Job]:
    """The test files of a part as two jobs."""
    files = sorted(path.name for path in (ROOT / "tests" / part).glob("test_*.py"))
    shares = ([f"tests/{part}/{name}" for name in files if is_first(name) is chosen] for chosen in (True, False))
    return [(name, share, {}) for name, share in zip(names, shares, strict=True)]


def _side_by_side(jobs: list[tuple[str, list[object], dict[str, str]]]) -> list[int]:
    """Run named commands, `AT_ONCE` at a time, with variables of their own, print what each has to say when it ends and
    meanwhile which test file it is at. Returns their exit codes, in the order of the jobs."""
    waiting, running, codes, begun = list(jobs), {}, {}, time.monotonic()
    said = begun
    try:
        while waiting or running:
            while waiting and len(running) < AT_ONCE:
                name, argv, variables = waiting.pop(0)
                log = _log_of(name)
                # A process each, and not a core each for every process's threads; where a test asks for more of them,
                # they sleep while they wait for each other, and no core turns round for nothing.
                environment = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", **variables}
                print(f"==> pytest, {name} ({len(waiting)} more to come)", flush=True)
                with log.open("wb") as output:
                    running[name] = subprocess.Popen(argv, cwd=ROOT, env=environment, stdout=output, stderr=output), log
            time.sleep(0.2)
            for name in [name for name, (process, _) in running.items() if process.poll() is not None]:
                process, log = running.pop(name)
                codes[name] = process.returncode
                print(f"==> pytest, {name}: ended after {_minutes(begun)}\n{_text(log)}", flush=True)
            if time.monotonic() - said > TELLING and running:
                said = time.monotonic()
                told = ", ".join(f"{name} {_how_far(_text(log))}" for name, (_, log) in running.items())
                print(f"{_minutes(begun)}  {told}", flush=True)
    finally:
        for process, _ in running.values():
            process.terminate()
            process.wait()
    return [codes[name] for name, _, _ in jobs]


def _log_of(name: str) -> Path:
    return FIGURES.with_name(f"{name.replace(' ', '-')}.log")


def _how_far(text: str) -> str:
    """The test file that pytest, having written this, is at, and the last percentage of it: "7% test_graphs.py"."""
    share = (re.findall(r"\[ *(\d+%)\]", text) or ["0%"])[-1]
    file = (re.findall(r"^(?:\S*/)?(test_\w+\.py) ", text, re.M) or ["collecting"])[-1]
    return f"{share} {file}"


def _minutes(since: float) -> str:
    """Minutes and seconds since then: "3:07"."""
    minutes, seconds = divmod(round(time.monotonic() - since), 60)
    return f"{minutes}:{seconds:02}"


def _text(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")


def other_versions(older: bool, lowest_packages: bool, passed_on: list[str]) -> int:
    """Run what needs ComfyUI against its older versions, and the library's tests on the oldest packages that
    pyproject.toml allows, some at a time. Returns an exit code."""
    worst, jobs, subjects = 0, [], []
    if lowest_packages:
        argv = pytest(False, lowest.ensure(Console()))
        jobs.append(("lowest packages", [*argv, *lowest.tests(), *passed_on], {}))
        subjects.append(("lowest", {"packages": " ".join(lowest.pins())}))
    if older:
        worst = _too_old()
        tests = ["tests/server", *(f"tests/unit/{name}" for name in ON_COMFYUI)]
        for version in comfyui.OLDER:
            if _fetch(version):
                worst = 1
                _note({"version": {"comfyui": version, "result": "could not be fetched"}})
                continue
            jobs.append((f"ComfyUI {version}", [*pytest(False), *tests, *passed_on], {"PAINTSEG_COMFYUI": version}))
            subjects.append(("version", {"comfyui": version}))
    codes = _side_by_side(jobs)
    for (name, *_), (kind, what) in zip(jobs, subjects, strict=True):
        last = (_text(_log_of(name)).strip().splitlines() or [""])[-1]
        _note({kind: {**what, "result": last.strip("= ")}})
    return next((code for code in codes if code), worst)


def _fetch(version: str) -> int:
    """Have a version of ComfyUI beside the others. Returns an exit code."""
    environment = {**os.environ, "PAINTSEG_COMFYUI": version}
    return subprocess.call([VENV_PYTHON, str(ROOT / "scripts" / "setup")], cwd=ROOT, env=environment)


def _too_old() -> int:
    """Whether the ComfyUI before the oldest that is supported lacks what the nodes use: 0 when it does."""
    version = comfyui.TOO_OLD
    look = [VENV_PYTHON, str(ROOT / "scripts" / "harness" / "symbols.py"), str(CACHE / f"ComfyUI-{version}")]
    print(f"==> symbols that ComfyUI {version} lacks", flush=True)
    if _fetch(version):
        return 1
    looked = subprocess.run(look, stdout=subprocess.PIPE, text=True)
    print(looked.stdout, flush=True)
    lacking = looked.stdout.split("\n")[:-1] if looked.returncode == 1 else []
    _note({"too old": {"comfyui": version, "lacks": "; ".join(lacking) or "nothing, and it should"}})
    return int(not lacking)


def report() -> None:
    """Print the figures of this run."""
    if not FIGURES.exists():
        return
    total = {"entry_points": 0, "tried": 0, "refused": 0, "crashed": 0}
    print("==> reliability", flush=True)
    for line in FIGURES.read_text(encoding="utf-8").splitlines():
        for kind, figures in json.loads(line).items():
            if kind == "fuzz":
                total = {name: total[name] + figures[name] for name in total}
            else:
                print(f"{kind}: " + ", ".join(f"{name} {value}" for name, value in figures.items()))
    print("fuzz: " + ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in total.items()), flush=True)


def _note(figures: dict[str, object]) -> None:
    with Path(os.environ.get("PAINTSEG_FIGURES", FIGURES)).open("a", encoding="utf-8") as file:
        file.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    begin()
    code = everything_at_once(["fuzz"], "--all" in sys.argv, [])
    report()
    sys.exit(code)
