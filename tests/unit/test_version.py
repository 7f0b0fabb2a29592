"""The version stands in pyproject.toml alone, and every way of installing the pack finds it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from harness.paths import ROOT

import paintseg
from paintseg.version import UNKNOWN, version

STATED = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.M)[1]
ASK = "import paintseg, pathlib; print(paintseg.__version__, pathlib.Path(paintseg.__file__).parent.parent)"


def said_by(place: Path) -> str:
    """__version__ of the copy of the library in `place`, imported by a Python of its own."""
    # -I: nothing of this folder or of PYTHONPATH may answer instead.
    program = f"import sys; sys.path.insert(0, {str(place)!r}); {ASK}"
    done = subprocess.run([sys.executable, "-I", "-c", program], cwd=place, capture_output=True, text=True, check=True)
    found, where = done.stdout.split(maxsplit=1)
    assert Path(where.strip()).resolve() == place.resolve()
    return found


@pytest.fixture
def copy(tmp_path):
    """The library where neither pyproject.toml nor metadata is."""
    heavy = shutil.ignore_patterns("*.safetensors", "__pycache__")
    shutil.copytree(ROOT / "paintseg", tmp_path / "paintseg", ignore=heavy)
    return tmp_path


def test_a_checkout_says_what_pyproject_says():
    assert paintseg.__version__ == STATED


def test_the_version_is_told_without_importing_the_library():
    argv = [sys.executable, "-I", "-S", "paintseg/version.py"]
    assert subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True).stdout == f"{STATED}\n"


def test_no_other_file_states_the_version():
    for name in ("__init__.py", "version.py"):
        assert STATED not in (ROOT / "paintseg" / name).read_text(encoding="utf-8")


def test_a_custom_node_pack_says_what_its_own_pyproject_says(copy):
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (copy / "pyproject.toml").write_text(text.replace(f'version = "{STATED}"', 'version = "7.8.9"'), encoding="utf-8")
    assert version(copy / "paintseg") == "7.8.9"


def test_an_installed_package_says_what_its_metadata_say(copy):
    info = copy / "paintseg-4.5.6.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: paintseg\nVersion: 4.5.6\n", encoding="utf-8")
    assert said_by(copy) == "4.5.6"


def test_another_projects_pyproject_is_not_believed(copy):
    (copy / "pyproject.toml").write_text('[project]\nname = "somebody"\nversion = "9.9.9"\n', encoding="utf-8")
    assert version(copy / "paintseg") != "9.9.9"


@pytest.mark.parametrize("text", [b"\xff\xfe\x00", b"", b"[project", b'[tool.x]\nname = "paintseg"\nversion = "1"\n'])
def test_a_file_that_says_nothing_costs_no_import(copy, text):
    (copy / "pyproject.toml").write_bytes(text)
    assert said_by(copy) == UNKNOWN


def test_the_citation_names_the_same_version():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"^version: (.+)$", citation, re.M)[1] == STATED
