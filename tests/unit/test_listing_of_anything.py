"""A list of prompts that holds anything: it is read, or refused with one sentence, and nothing else happens."""

import csv
import io
import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from paintseg.errors import InputError
from paintseg.io.listing import read_pieces

FIELDS = ("photo", "output", "box", "points", "negative_points", "scribble", "negative_scribble", "mask", "auto")
NAMES = st.sampled_from([*FIELDS, *FIELDS, "other"])
TEXTS = st.text(max_size=12) | st.sampled_from(
    ["a.png", "x/b.jpg", "..", ".", "/", "~", "\0", "\ud800.png", "1 2 3 4", "1e999 0", "nan nan", "true"]
)
VALUES = st.recursive(
    TEXTS | st.none() | st.booleans() | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=6,
)
ROWS = VALUES | st.dictionaries(NAMES, VALUES, max_size=5).map(lambda row: {"photo": "a.png"} | row)
ANYTHING = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def read_or_refused(folder, name, text):
    (folder / name).write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        found = read_pieces(folder / name, folder, folder / "out")
    except InputError as refusal:
        assert str(refusal) and "\n" not in str(refusal)
    else:
        assert all(piece.output.startswith(str(folder / "out")) and piece.output.endswith(".png") for piece in found)


@ANYTHING
@given(st.lists(ROWS, max_size=3))
@example([{"photo": "a.png", "output": 3}])
@example([{"photo": "a.png", "mask": 3}])
@example([{"photo": ".", "auto": True}])
def test_rows_of_any_json_are_read_or_refused(tmp_path, rows):
    read_or_refused(tmp_path, "p.json", json.dumps(rows))
    read_or_refused(tmp_path, "p.jsonl", "\n".join(map(json.dumps, rows)))


@ANYTHING
@given(st.lists(NAMES, max_size=6), st.lists(st.lists(TEXTS, max_size=8), max_size=3))
@example(["photo", "auto"], [["a.png", "1", "more"]])
def test_rows_of_any_csv_are_read_or_refused(tmp_path, header, rows):
    text = io.StringIO()
    writer = csv.writer(text, escapechar="\\")
    writer.writerows([header, *rows])
    read_or_refused(tmp_path, "p.csv", text.getvalue())


@ANYTHING
@given(st.text(max_size=60))
@pytest.mark.parametrize("name", ["p.json", "p.csv"])
def test_any_text_is_read_or_refused(tmp_path, name, text):
    read_or_refused(tmp_path, name, text)
