"""Phrases that nobody who is new understands are in no text of the project (CONTRIBUTING.md)."""

import json
import re
import subprocess

import pytest
from harness.paths import ROOT

GAP = r"[\s#*>/]+"  # between two words: also the end of a line, and what starts the next line of a comment or a list
BANNED = {
    phrase: re.compile(rf"(?<![\w-]){pattern.replace(' ', GAP)}(?![\w-])", re.IGNORECASE)
    for phrase, pattern in {
        "be had": r"(?:be|been) had",
        "come along": r"(?:come|comes|came|coming) along",
        "held to": r"(?:held|holds? (?:it|them)) to",
        "to the bit": r"to the bit",
        "not-object": r"not-object",
    }.items()
}
# What git knows of each kind.
KINDS = {
    "documents": ("*.md", "*.cff", "*.toml", "*.yml", "*.yaml"),
    "python": ("__init__.py", "paintseg/*.py", "nodes/*.py", "scripts/*.py", *(
        f"scripts/{name}" for name in ("setup", "demo", "test", "make_*")
    )),
    "browser": ("web/*.js", "web/*.css"),
    "locales": ("locales/*.json", "scripts/words/*.json"),
    "workflows": ("workflows/*.json", "subgraphs/*.json"),
}  # fmt: skip


def tracked(*patterns):
    listed = subprocess.run(["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name for name in listed.decode().split("\0") if name]


def texts(path):
    """The texts of a file: all of it, or every word of a JSON file, keys too."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".json":
        return [text]
    found, waiting = [], [json.loads(text)]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, str):
            found.append(one)
    return found


def said(text):
    """What is banned in a text: the line, from 1, and the phrase."""
    hits = [(hit.start(), phrase) for phrase, pattern in BANNED.items() for hit in pattern.finditer(text)]
    return [(text.count("\n", 0, place) + 1, phrase) for place, phrase in sorted(hits)]


@pytest.mark.parametrize("kind", KINDS)
def test_no_text_has_a_banned_phrase(kind):
    found = [
        f"{path.relative_to(ROOT).as_posix()}:{line}: {phrase}"
        for path in tracked(*KINDS[kind])
        for text in texts(path)
        for line, phrase in said(text)
    ]
    assert found == [], "\n".join(["", *found])


@pytest.mark.parametrize("kind", ["documents", "python", "locales", "workflows"])
def test_there_are_texts_of_that_kind(kind):
    assert len(tracked(*KINDS[kind])) >= 10


@pytest.mark.parametrize(
    "text, line, phrase",
    [
        ("What can be had here.", 1, "be had"),
        ("It could not have been had.", 1, "be had"),
        ("Models that come\n    # along with it", 1, "come along"),
        ("A\nmodel that comes along", 2, "come along"),
        ("Painters are held to the protocol", 1, "held to"),
        ("a test holds it to 0.005", 1, "held to"),
        ("The same\n- to the\n  bit", 2, "to the bit"),
        ('"""A not-object point."""', 1, "not-object"),
    ],
)
def test_a_phrase_is_found_with_its_line(text, line, phrase):
    assert said(text) == [(line, phrase)]


@pytest.mark.parametrize(
    "text", ["coming along-side", "held together", "down to the bits", "behad", "what is not the object", "be hard"]
)
def test_other_words_are_let_through(text):
    assert said(text) == []
