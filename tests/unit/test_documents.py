"""What the documents point to is there."""

import re
import runpy
import subprocess
from urllib.parse import unquote

import pytest
from harness.paths import PHOTO, ROOT
from PIL import Image

from paintseg.config import PRESETS, preset

LINKS = re.compile(r"!?\[[^\]]*\]\(([^)]+)\)|<img src=\"([^\"]+)\"")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("paintseg/**/README.md")])
SHOWN = sorted({*DOCUMENTS, *ROOT.glob("web/docs/*.md"), *ROOT.glob("workflows/**/README.md")})


def targets(document):
    return [unquote(one or other) for one, other in LINKS.findall(document.read_text(encoding="utf-8"))]


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
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = [unquote(name) for name in re.findall(r"<img src=\"workflows/([^\"]+)\.jpg\"", text)]
    assert len(shown) >= 10
    assert [name for name in shown if not (ROOT / "workflows" / f"{name}.json").is_file()] == []


def test_the_readme_names_every_node():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [page.stem for page in (ROOT / "web" / "docs").glob("*.md") if page.stem not in text] == []


def test_the_readmes_example_runs(tmp_path, monkeypatch):
    code = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)[1]
    Image.open(PHOTO).convert("RGB").resize((256, 256)).save(tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(PRESETS, "balanced", preset("balanced", size=128, encoder_size=112, photo_size=112))
    (tmp_path / "example.py").write_text(code, encoding="utf-8")
    assert tuple(runpy.run_path("example.py")["result"].mask.shape) == (256, 256)


def rooms():
    """The folders of the library in README's tree."""
    tree = (ROOT / "README.md").read_text(encoding="utf-8").split("## Development", 1)[1].split("```")[1]
    return set(re.findall(r"^  (\w+)/ ", tree, re.M))


def test_the_readme_has_a_line_for_every_room_of_the_library():
    assert {path.parent.name for path in (ROOT / "paintseg").glob("*/__init__.py")} - rooms() == set()


@pytest.mark.xfail(not (ROOT / "paintseg" / "amcp").is_dir(), reason="the rooms are being built", strict=True)
def test_every_room_that_the_readme_names_is_there():
    assert [name for name in rooms() if not (ROOT / "paintseg" / name / "__init__.py").is_file()] == []


def test_benchmarks_are_one_page_and_every_experiment_is_in_the_index():
    assert len((ROOT / "BENCHMARKS.md").read_text(encoding="utf-8").splitlines()) <= 120
    index = ROOT / "docs" / "experiments" / "README.md"
    files = {path.name for path in index.parent.glob("*.md")} - {index.name}
    assert set(targets(index)) == {*files, "../../BENCHMARKS.md"}


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "experiments").glob("[a-z]*.md")), ids=lambda page: page.stem)
def test_every_experiment_names_the_version_of_its_tables(page):
    """Between two headings with a table there is the day of the code that made it."""
    for part in re.split(r"^#+ ", page.read_text(encoding="utf-8"), flags=re.M)[1:]:
        if "|---|" in part:
            assert re.search(r"2026-\d\d-\d\d", part), part.splitlines()[0]
