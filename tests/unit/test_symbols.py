"""The ComfyUI under test has everything that the nodes use of it."""

import re
import subprocess
import sys

from harness import comfyui, symbols
from harness.paths import ROOT


def test_every_symbol_of_comfyui_that_the_nodes_use_is_there():
    command = [sys.executable, ROOT / "scripts" / "harness" / "symbols.py", comfyui.FOLDER]
    checked = subprocess.run(command, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
    assert "symbols are there" in checked.stdout


def test_the_oldest_comfyui_that_is_tried_is_the_one_that_pyproject_asks_for():
    asked = re.search(r'^requires-comfyui = ">=(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.M)
    tried = [comfyui.PINNED, *comfyui.OLDER]
    assert asked and asked[1] == min(tried, key=order)
    assert order(comfyui.TOO_OLD) < order(asked[1])
    minors = {version.rpartition(".")[0] for version in tried}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    *earlier, last = sorted(minors)
    assert f"{', '.join(earlier)} and {last} were tried" in readme


def order(version):
    return [int(part) for part in version.split(".")]


def test_symbols_are_found_in_the_sources_and_missed_when_they_are_not_there(tmp_path):
    (tmp_path / "node.py").write_text(
        "import comfy.utils\nimport os\nfrom comfy_api.latest import io\n"
        "io.Image.Input('x')\ncomfy.utils.ProgressBar(1)\nos.path.join('a')\n"
    )
    found = symbols.used(tmp_path)
    assert {"comfy.utils.ProgressBar", "comfy_api.latest.io.Image.Input"} <= set(found)
    assert not any(name.startswith("os") for name in found)
    assert symbols.missing({"json.loads": ["a.py"], "json.nothing": ["b.py"], "nowhere.x": ["c.py"]}) == [
        "json.nothing (b.py)",
        "nowhere.x (c.py)",
    ]
