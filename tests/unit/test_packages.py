"""Packages older than pyproject.toml allows are named with both versions and the command that mends it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from paintseg.errors import InputError
from paintseg.io.packages import bounds, installed, need, too_old

ROOT = Path(__file__).resolve().parents[2]
REQUIRED = {
    name.lower(): bound
    for name, bound in re.findall(
        r'"([\w-]+)(?:\[\w+\])?>=([\d.]+)', (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    )
}


@pytest.fixture
def old(tmp_path, monkeypatch):
    """Makes a package look as if that version of it were installed, to this process and to others."""

    def make(name, version):
        folder = tmp_path / "old" / f"{name.replace('-', '_')}-{version}.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        monkeypatch.syspath_prepend(str(folder.parent))
        return {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder.parent), str(ROOT), str(ROOT / "tests")])}

    return make


def test_the_bounds_are_those_of_pyproject():
    assert bounds() == {name: bound for name, bound in REQUIRED.items() if name != "pytest"}
    assert {"timm", "torch", "numpy", "scipy", "kornia", "safetensors", "pillow", "diffusers", "ray"} <= bounds().keys()


def test_what_is_installed_here_is_new_enough():
    assert too_old() == [] and installed("timm") and installed("no-such-package") is None


@pytest.mark.parametrize("name", sorted(REQUIRED.keys() - {"pytest"}))
def test_an_old_package_is_named_with_its_version_the_bound_and_the_command(old, name):
    old(name, "0.0.9+cpu")
    sentence = (
        f"{name} 0.0.9+cpu is installed and {REQUIRED[name]} or newer is needed; another node pack may have "
        f'put it there. Update it with: {sys.executable} -m pip install --upgrade "{name}>={REQUIRED[name]}"'
    )
    with pytest.raises(InputError) as refused:
        need(name)
    assert str(refused.value) == sentence and too_old() == [sentence]


@pytest.mark.parametrize("version", ["1.0.20", "1.0.20.post1", "1.0.100", "1.1", "2", "1.0.20+local", "unknown"])
def test_a_version_that_is_new_enough_is_none_of_our_business(old, version):
    old("timm", version)
    need("timm")
    assert too_old() == []


def test_a_package_that_is_missing_is_named_with_the_command():
    with pytest.raises(InputError, match="no-such-package is not installed; install it with: .* -m pip install"):
        need("no-such-package")


def test_the_command_says_it_of_timm_instead_of_an_unknown_model(old, tmp_path):
    environment = old("timm", "0.6.13")
    photo = ROOT / "workflows" / "assets" / "paintseg_astronaut.png"
    words = [sys.executable, "-m", "paintseg", "segment", photo, "--box", "346,0,482,298", "-o", "mask.png", "-q"]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("paintseg: timm 0.6.13 is installed and 1.0.20 or newer is needed") and ">=1.0.20" in last


def test_a_failure_that_an_old_package_explains_is_explained_by_it(old, capsys):
    from paintseg.cli.console import guarded

    def fail():
        raise AttributeError("module 'torch' has no attribute 'uint16'")

    with pytest.raises(AttributeError):
        guarded(fail)
    old("torch", "2.1.0")
    assert guarded(fail) == 2
    said = capsys.readouterr().err
    assert "torch 2.1.0 is installed and 2.4 or newer is needed" in said and "no attribute 'uint16'" in said


def test_a_pack_that_cannot_be_loaded_says_it_to_comfyui(old, tmp_path):
    script = tmp_path / "load.py"
    script.write_text(
        "import importlib.util, sys\n"
        f"spec = importlib.util.spec_from_file_location('pack', {str(ROOT / '__init__.py')!r},\n"
        f"                                              submodule_search_locations=[{str(ROOT)!r}])\n"
        "sys.modules['pack'] = pack = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(pack)\n"
    )
    words = [sys.executable, str(script)]
    alone = {**os.environ, "PYTHONPATH": str(tmp_path)}
    assert "No module named 'comfy_api'" in subprocess.run(words, env=alone, capture_output=True, text=True).stderr
    last = subprocess.run(words, env=old("torch", "2.1.0"), capture_output=True, text=True).stderr.splitlines()[-1]
    assert last.startswith("ImportError: torch 2.1.0 is installed and 2.4 or newer is needed")
