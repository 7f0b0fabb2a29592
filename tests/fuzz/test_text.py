"""Text that people and other programs hand over: points, boxes, placements, parameters, manifests."""

import json
import math
from dataclasses import fields
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from paintseg.cli.parameters import parse_options
from paintseg.config import PRESETS, Config, preset
from paintseg.eval.datasets import read_manifest
from paintseg.io.inputs import pair_up, parse_boxes, read_points
from paintseg.io.listing import read_pieces
from paintseg.layers.compose import parse_placements
from paintseg.layers.openraster import printable

from .inputs import any_tensor, mostly, names, nearly, texts, values
from .parameters import PARAMETERS, written
from .tally import assert_sentence, attempt, fuzzed


@fuzzed
@given(texts())
def test_points(text):
    with attempt("read_points"):
        assert all(math.isfinite(x) and math.isfinite(y) for x, y in read_points(text, "", (100, 200))[0])


@fuzzed
@given(st.one_of(texts(), nearly, values, any_tensor))
def test_boxes(value):
    with attempt("parse_boxes"):
        found = parse_boxes(value)
        assert any(found)
        assert all(len(box) == 4 and all(map(math.isfinite, box)) for boxes in found for box in boxes)


good_placements = st.lists(
    st.fixed_dictionaries(
        {"layer": st.integers(0, 3)},
        optional={
            "dx": st.integers(-99, 99),
            "dy": st.integers(-99, 99),
            "scale": st.floats(0.1, 4),
            "opacity": st.floats(0, 1),
        },
    ),
    max_size=4,
).map(json.dumps)


@fuzzed
@given(st.one_of(texts(), texts(), good_placements))
def test_placements(text):
    with attempt("parse_placements"):
        assert all(placement.scale > 0 and 0 <= placement.opacity <= 1 for placement in parse_placements(text))


good_lines = st.sampled_from(sorted(PARAMETERS)).flatmap(
    lambda name: PARAMETERS[name].map(lambda value: f"{name}={written(value)}")
)
odd_lines = st.one_of(
    st.text(max_size=20),
    st.builds("{}={}".format, st.sampled_from(sorted(PARAMETERS)), st.one_of(st.text(max_size=9), values)),
)
names_of_presets = mostly(st.sampled_from(sorted(PRESETS)), st.sampled_from(["finest", ""]))


@fuzzed
@given(st.lists(mostly(good_lines, odd_lines, 8), max_size=4), names_of_presets)
def test_parameters(texts, name):
    with attempt("parse_options"):
        assert isinstance(preset(name, **parse_options(texts)), Config)


odd_changes = st.dictionaries(st.sampled_from(sorted(PARAMETERS)), values, max_size=2)


@fuzzed
@given(st.fixed_dictionaries({}, optional=PARAMETERS), mostly(st.just({}), odd_changes, 3))
def test_config(changes, odd):
    with attempt("Config"):
        config = Config(**{**changes, **odd})
        assert config.direction(3) in "IO" and config.pixels(5) >= 1


def test_every_parameter_is_drawn():
    assert set(PARAMETERS) == {field.name for field in fields(Config)}


@fuzzed
@given(st.lists(st.integers(), max_size=4), st.lists(st.integers(), max_size=4))
def test_pairs(first, second):
    with attempt("pair_up"):
        pairs = pair_up(first, second, ("images", "masks"))
        assert len(pairs) == max(len(first), len(second)) > 0


header = "dataset,stem,image,x0,y0,x1,y1,centroid_x,centroid_y,inner_x,inner_y"
numbers = mostly(st.floats(0, 99).map(str), st.one_of(names, st.floats().map(str)), 40)
good_rows = st.lists(numbers, min_size=8, max_size=8).map(lambda row: ",".join(["set", "one", "one.png", *row]))
odd_rows = st.one_of(st.text(max_size=30), st.lists(names, max_size=12).map(",".join))
rows = st.lists(mostly(good_rows, odd_rows), max_size=4)


@fuzzed
@given(mostly(st.just(header), st.text(max_size=30), 8), rows, mostly(st.just(b""), st.binary(max_size=4), 4))
def test_manifest(tmp_path_factory, head, body, junk):
    folder = tmp_path_factory.getbasetemp()
    (folder / "manifest.csv").write_bytes("\n".join([head, *body]).encode("utf-8", "surrogatepass") + junk)
    with attempt("read_manifest"):
        assert isinstance(read_manifest(folder), list)


NAMED = ["photo", "output", "box", "points", "negative_points", "scribble", "negative_scribble", "mask", "auto"]
pictures = st.sampled_from(["a.png", "b/c.jpg", "\u00fc.tif"])
four = st.lists(st.integers(0, 99), min_size=4, max_size=4)
good_entries = st.fixed_dictionaries(
    {"photo": pictures, "box": st.one_of(four, four.map(lambda box: " ".join(map(str, box))))},
    optional={"output": st.builds("{}.png".format, st.integers(0, 99)), "mask": pictures, "points": st.lists(four)},
)
odd_words = st.one_of(values, st.sampled_from(["..", "/", "~", "\0", "\ud800.png", "1 2 3 4", "1e999 0", "true"]))
odd_entries = st.one_of(values, st.dictionaries(st.sampled_from([*NAMED, "other"]), odd_words, max_size=4))
entries = st.lists(mostly(good_entries, odd_entries, 10), min_size=1, max_size=2)


@fuzzed
@given(entries, st.sampled_from(["lines", "list", "csv"]))
def test_lists_of_photos(tmp_path_factory, rows, kind):
    folder = tmp_path_factory.getbasetemp()
    if kind == "csv":
        rows = [
            ",".join(NAMED),
            *(",".join(str(row.get(name, "")) for name in NAMED) for row in rows if isinstance(row, dict)),
        ]
        text = "\n".join(rows)
    else:
        text = json.dumps(rows) if kind == "list" else "\n".join(map(json.dumps, rows))
    listing = folder / ("listing.csv" if kind == "csv" else "listing.json")
    listing.write_bytes(text.encode("utf-8", "surrogatepass"))
    with attempt("read_pieces"):
        found = read_pieces(listing, folder, folder / "masks")
        assert found and all(Path(piece.output).is_relative_to(folder / "masks") for piece in found)
        assert len({piece.output for piece in found}) == len(found)


@fuzzed
@given(st.text())
def test_layer_names(text):
    with attempt("printable"):
        from xml.etree import ElementTree

        made = ElementTree.tostring(ElementTree.Element("layer", name=printable(text)), encoding="UTF-8")
        ElementTree.fromstring(made)
        assert_sentence("a name")


def test_the_corpus_is_real_json():
    """The texts above reach the code behind the parser: a good share of them are JSON."""
    found = []

    @fuzzed
    @given(texts())
    def count(text):
        try:
            json.loads(text)
            found.append(True)
        except (ValueError, RecursionError):
            found.append(False)

    count()
    assert 0.2 < sum(found) / len(found) < 0.95
    assert Path(__file__).exists()
