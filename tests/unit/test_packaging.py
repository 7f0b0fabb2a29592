"""The pack as ComfyUI-Manager and the registry see it."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from harness.inprocess import load_pack

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pytest needs it there

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name for name in listed.decode().split("\0") if name]


def test_manager_and_registry_install_the_same():
    wanted = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and line[0] != "#"]
    assert wanted == PROJECT["project"]["dependencies"]


def test_nothing_that_comfyui_shares_is_pinned():
    assert not [need for need in PROJECT["project"]["dependencies"] if re.search("==|<|~=", need)]


def test_comfy_cli_finds_nothing_to_say():
    command = [sys.executable, "-m", "comfy_cli", "--skip-prompt", "node", "validate"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    assert result.returncode == 0
    said = result.stdout + result.stderr
    assert "passed" in said and "warning" not in said.lower()


def test_every_package_of_the_library_is_installed_by_pip():
    found = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in tracked("paintseg/**/__init__.py", "paintseg/__init__.py")
    }
    assert found == set(PROJECT["tool"]["setuptools"]["packages"])


@pytest.mark.parametrize("word", ["/wo" + "rk/", "py" + "pi.org", "python" + "hosted", "np" + "mjs.org"])
def test_no_file_names_a_machine_or_a_registry_host(word):
    texts = [
        path for path in tracked() if path.is_file() and path.suffix in {".py", ".md", ".toml", ".json", ".txt", ""}
    ]
    assert [path for path in texts if word in path.read_text(encoding="utf-8", errors="ignore")] == []


def test_the_library_never_imports_comfyui_or_itself_by_name():
    def named(path):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                yield from (name.name.split(".")[0] for name in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                yield node.module.split(".")[0]

    paths = tracked("paintseg/*.py", "paintseg/**/*.py")
    foreign = {"comfy", "comfy_api", "folder_paths", "nodes", "paintseg"}
    assert paths and [path for path in paths if foreign & set(named(path))] == []


def test_everything_the_workflows_load_is_shipped_and_placed():
    example = load_pack().nodes.example
    placed = {*example.LOADED, *example.PAINTED}
    texts = "".join(path.read_text("utf-8") for path in tracked("workflows/*.json"))
    assert set(re.findall(r"\bpaintseg_\w+\.\w+", texts)) == placed
    assert placed <= {path.name for path in tracked("workflows/assets/*")}


def test_what_is_shipped_beside_the_weights_is_small():
    heavy = [path.name for path in tracked("workflows/*", "subgraphs/*") if path.stat().st_size > 200_000]
    assert heavy == ["paintseg_astronaut.png"]
