"""What scripts/test checks before it runs anything."""

import json
import os
import subprocess
import sys

import pytest
from harness import checks, typescript
from harness.inprocess import PACK
from harness.paths import ROOT


@pytest.mark.parametrize(("codes", "code"), [((0, 0), 0), ((1, 0), 1), ((0, 1), 1)])
def test_a_check_that_fails_fails_the_run(monkeypatch, capfd, codes, code):
    commands = [
        (name, [sys.executable, "-c", f"print('{name} said'); raise SystemExit({one})"], {})
        for name, one in zip(("first", "second"), codes, strict=True)
    ]
    monkeypatch.setattr(checks, "commands", lambda python: commands)
    assert checks.run() == code
    assert capfd.readouterr().out == "==> first\nfirst said\n==> second\nsecond said\n"


def test_every_script_without_a_suffix_is_checked():
    listed = subprocess.run(["git", "ls-files", "scripts"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [ROOT / name for name in listed.stdout.splitlines()]
    scripts = {path.name for path in files if not path.suffix and path.read_bytes().startswith(b"#!")}
    assert scripts == set(checks.SCRIPTS)


def test_types_are_checked_as_comfyui_imports_the_pack():
    """`nodes` imports `..paintseg`: by itself it would have no parent, and mypy would take all of that for Any."""
    pytest.importorskip("mypy")
    program = f"from {PACK}.nodes.loop import InputError\nreveal_type(InputError('x'))"
    _, _, variables = checks.commands()[-1]
    # Only this pack is followed: what torch says takes a quarter of a minute to read.
    argv = [sys.executable, "-m", "mypy", "--no-site-packages", "--ignore-missing-imports", "-c", program]
    said = subprocess.run(argv, cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True)
    assert f'Revealed type is "{PACK}.paintseg.errors.InputError"' in said.stdout, said.stdout + said.stderr


@pytest.mark.parametrize(
    ("program", "refused"),
    [
        ("fits({ x: 0, y: 0, width: 1, height: 1 }, [2, 2])", ""),
        ("fits({ x: 0, y: 0, width: 1 }, [2, 2])", "Property 'height' is missing"),
        ("fits([0, 0, 1, 1], [2, 2])", "is missing the following properties"),
    ],
)
def test_javascript_is_checked_by_the_types_in_its_comments(tmp_path, program, refused):
    if not typescript.TSC.is_file():
        pytest.skip("no TypeScript here: scripts/test fetches it")
    source = ROOT / "web" / "js" / "fitting.js"
    (tmp_path / "call.js").write_text(f'import {{ fits }} from "{source.as_posix()}"\n{program}\n')
    told = json.loads(typescript.PROJECT.read_text(encoding="utf-8"))
    (tmp_path / "jsconfig.json").write_text(json.dumps({**told, "include": ["call.js"]}))
    argv = [*typescript.node(), str(typescript.TSC), "--project", str(tmp_path / "jsconfig.json")]
    said = subprocess.run(argv, capture_output=True, text=True)
    assert (refused in said.stdout and said.returncode) if refused else said.returncode == 0, said.stdout
