"""What users read about the nodes follows from the nodes: help pages and their six languages."""

import hashlib
import json
import re

import pytest
from harness import help_pages, panels
from harness.paths import ROOT
from PIL import Image

LANGUAGES = ("en", *help_pages.LANGUAGES)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)#]+)[^)]*\)")


@pytest.fixture(scope="module")
def nodes():
    return help_pages.schemas()


def leaves(branch, place=""):
    """Every text of a nodeDefs.json by its path."""
    if isinstance(branch, str):
        return {place: branch}
    found = {}
    for key, value in branch.items():
        found |= leaves(value, f"{place}.{key}")
    return found


def locale(language, file="nodeDefs"):
    return json.loads((ROOT / "locales" / language / f"{file}.json").read_text(encoding="utf-8"))


def test_every_help_page_belongs_to_a_node_and_every_node_has_one(nodes):
    assert {page.stem for page in help_pages.PAGES.glob("*.md")} == set(nodes)


def test_tables_say_what_the_schemas_say(nodes):
    pages = {node: (help_pages.PAGES / f"{node}.md").read_text(encoding="utf-8") for node in nodes}
    stale = [node for node, page in pages.items() if help_pages.with_tables(page, nodes[node]) != page]
    assert stale == [], "scripts/make_help brings them up to date"


def test_a_page_without_a_place_for_tables_is_refused(nodes):
    with pytest.raises(ValueError, match="no place for tables"):
        help_pages.with_tables("# PaintSeg Prompt", nodes["PaintSeg_PromptToMask"])


@pytest.mark.parametrize("page", sorted(help_pages.PAGES.glob("*.md")), ids=lambda page: page.stem)
def test_each_page_has_a_small_picture_and_no_dead_link(page):
    targets = [page.parent / target for target in LINK.findall(page.read_text(encoding="utf-8")) if ":" not in target]
    assert [target for target in targets if not target.is_file()] == []
    picture = page.parent / "pictures" / f"{page.stem}.jpg"
    assert picture in targets
    assert picture.stat().st_size <= panels.MOST_BYTES
    assert min(Image.open(picture).size) >= 200


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_keys_of_the_schemas_and_no_others(language, nodes):
    wanted, there = leaves(help_pages.english()), leaves(locale(language))
    assert sorted(wanted.keys() - there.keys()) == [], "missing: scripts/make_help tells which words lack a translation"
    assert sorted(there.keys() - wanted.keys()) == [], "stale: scripts/make_help writes them anew"


@pytest.mark.parametrize("language", help_pages.LANGUAGES)
def test_every_sentence_is_translated_as_it_is_today(language, nodes):
    definitions, missing, needless = help_pages.translated(language)
    assert missing == [], "these lack a translation in scripts/words"
    assert needless == [], "no node says these any more"
    assert definitions == locale(language), "scripts/make_help writes it anew"


def test_the_english_words_are_those_of_the_schemas(nodes):
    assert locale("en") == help_pages.english(), "scripts/make_help writes it anew"


@pytest.mark.parametrize("language", LANGUAGES)
def test_menus_are_named_in_every_language(language, nodes):
    steps = {part for info in nodes.values() for part in info["category"].split("/")}
    assert steps == set(help_pages.CATEGORIES)
    assert locale(language, "main") == help_pages.categories(language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_hold_nothing_that_the_browser_reads_as_code(language):
    # Tooltips are shown as they are; names and descriptions pass through a message compiler.
    texts = {place: text for place, text in leaves(locale(language)).items() if not place.endswith(".tooltip")}
    assert [place for place, text in texts.items() if set(text) & set(help_pages.SYNTAX)] == []


@pytest.mark.parametrize("language", help_pages.LANGUAGES)
def test_choices_files_and_numbers_survive_translation(language):
    """What a user must type or find looks the same in every language."""
    pattern = r"\[\{.*?\}\]|models/\w+|\bDINOv[23]\b|\bMI-GAN\b|\.ora\b|\bJSON\b|\bRGBA\b|\bCLIP\b|\b\d{3,}\b"
    kept = re.compile(pattern, re.ASCII)  # Korean joins its endings to them
    english, theirs = leaves(locale("en")), leaves(locale(language))
    for place, text in english.items():
        if place.endswith((".tooltip", ".description")):
            assert sorted(kept.findall(text)) == sorted(kept.findall(theirs[place])), place


def test_every_node_is_found_by_plain_words(nodes):
    words = {"mask", "segment", "remove object", "cut out", "inpaint", "matting", "background removal"}
    words |= {"remove background", "erase", "matte"}
    aliases = {alias for info in nodes.values() for alias in info["search_aliases"]}
    assert words - aliases == set()
    assert [node for node, info in nodes.items() if len(info["search_aliases"]) < 3] == []


def test_the_film_is_the_one_whose_origin_is_told():
    folder = ROOT / "web" / "docs" / "pictures"
    (line,) = [line for line in (folder / "README.md").read_text("utf-8").splitlines() if "clicks.webp" in line]
    assert hashlib.sha256((folder / "clicks.webp").read_bytes()).hexdigest() in line
