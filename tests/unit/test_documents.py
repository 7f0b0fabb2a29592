"""What the documents point to is there."""

import os
import re
import subprocess
import sys

import pytest
from harness.paths import PHOTO, ROOT
from PIL import Image

LINKS = re.compile(r"!?\[[^\]]*\]\(([^)]+)\)|<img src=\"([^\"]+)\"")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("paintseg/**/README.md")])
SHOWN = sorted({*DOCUMENTS, *ROOT.glob("web/docs/*.md"), *ROOT.glob("workflows/**/README.md")})


def targets(document):
    return [one or other for one, other in LINKS.findall(document.read_text(encoding="utf-8"))]


def anchors(document):
    """The names GitHub gives to a document's headings."""
    titles = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.fixture(scope="module")
def shipped():
    """What an install from the registry has: all that git knows but what .comfyignore, of gitignore's form, names."""

    def listed(*options):
        names = subprocess.run(["git", "ls-files", "-z", *options], cwd=ROOT, capture_output=True, check=True).stdout
        return {ROOT / name for name in names.decode().split("\0") if name}

    files = listed() - listed("-i", "-c", "--exclude-from=.comfyignore")
    return files | {folder for path in files for folder in path.parents}


@pytest.mark.parametrize("document", SHOWN, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_link_is_dead_where_the_registry_installed_it(document, shipped):
    assert document in shipped
    places = {target.partition("#")[0] for target in targets(document) if not target.startswith("http")}
    assert [place for place in places if (document.parent / place).resolve() not in shipped] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_link_is_dead(document):
    dead = []
    for target in targets(document):
        place, _, anchor = target.partition("#")
        if place.startswith("http"):
            continue
        there = document.parent / place if place else document
        if not there.exists() or (anchor and anchor not in anchors(there)):
            dead.append(target)
    assert dead == []


def test_the_readme_shows_workflows_that_are_there():
    shown = re.findall(r"<img src=\"workflows/(\w+)\.jpg\"", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(shown) >= 10
    assert [name for name in shown if not (ROOT / "workflows" / f"{name}.json").is_file()] == []


def test_the_readme_names_every_node():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [page.stem for page in (ROOT / "web" / "docs").glob("*.md") if page.stem not in text] == []


@pytest.mark.slow
def test_the_readmes_example_runs(tmp_path):
    code = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)[1]
    Image.open(PHOTO).convert("RGB").resize((256, 256)).save(tmp_path / "photo.jpg")
    (tmp_path / "example.py").write_text(code + "\nprint(tuple(result.mask.shape))\n", encoding="utf-8")
    elsewhere = {**os.environ, "PYTHONPATH": str(ROOT)}
    said = subprocess.run([sys.executable, "example.py"], cwd=tmp_path, env=elsewhere, capture_output=True, text=True)
    assert said.stdout.strip() == "(256, 256)", said.stderr
