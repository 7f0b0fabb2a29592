"""Text that people and other programs hand over: points, boxes, placements, parameters, manifests, arguments."""

import io
import json
import math
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import fields
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from paintseg.__main__ import main
from paintseg.config import PRESETS, Config, preset
from paintseg.errors import InputError
from paintseg.eval.datasets import read_manifest
from paintseg.layers import parse_placements
from paintseg.layers.openraster import printable
from paintseg.options import parse_options
from paintseg.parsing import pair_up, parse_boxes, parse_points

from .inputs import any_tensor, names, nearly, texts, values
from .tally import assert_sentence, attempt, fuzzed

PARAMETERS = [field.name for field in fields(Config)]


@fuzzed
@given(texts())
def test_points(text):
    with attempt("parse_points"):
        assert all(math.isfinite(x) and math.isfinite(y) for x, y in parse_points(text))


@fuzzed
@given(st.one_of(texts(), nearly, values, any_tensor))
def test_boxes(value):
    with attempt("parse_boxes"):
        found = parse_boxes(value)
        assert any(found)
        assert all(len(box) == 4 and all(map(math.isfinite, box)) for boxes in found for box in boxes)


@fuzzed
@given(texts())
def test_placements(text):
    with attempt("parse_placements"):
        assert all(placement.scale > 0 and 0 <= placement.opacity <= 1 for placement in parse_placements(text))


lines = st.one_of(
    st.text(max_size=20), st.builds("{}={}".format, st.sampled_from(PARAMETERS), st.one_of(st.text(max_size=9), values))
)


@fuzzed
@given(st.lists(lines, max_size=3), st.sampled_from([*PRESETS, "finest", ""]))
def test_parameters(texts, name):
    with attempt("parse_options"):
        assert isinstance(preset(name, **parse_options(texts)), Config)


@fuzzed
@given(st.dictionaries(st.sampled_from(PARAMETERS), values, max_size=4))
def test_config(changes):
    with attempt("Config"):
        config = Config(**changes)
        assert config.direction(3) in "IO" and config.pixels(5) >= 1


@fuzzed
@given(st.lists(st.integers(), max_size=4), st.lists(st.integers(), max_size=4))
def test_pairs(first, second):
    with attempt("pair_up"):
        pairs = pair_up(first, second, ("images", "masks"))
        assert len(pairs) == max(len(first), len(second)) > 0


header = "dataset,stem,image,x0,y0,x1,y1,centroid_x,centroid_y,inner_x,inner_y"
rows = st.lists(st.one_of(st.text(max_size=30), st.lists(names, max_size=12).map(",".join)), max_size=4)


@fuzzed
@given(st.one_of(st.just(header), st.text(max_size=30)), rows, st.binary(max_size=4))
def test_manifest(tmp_path_factory, head, body, junk):
    folder = tmp_path_factory.getbasetemp()
    (folder / "manifest.csv").write_bytes("\n".join([head, *body]).encode("utf-8", "surrogatepass") + junk)
    with attempt("read_manifest"):
        assert isinstance(read_manifest(folder), list)


flags = [
    "--box",
    "--point",
    "--negative",
    "--scribble",
    "--mask",
    "--auto",
    "-o",
    "--soft",
    "--preset",
    "--set",
    "--size",
    "--seed",
    "--threads",
    "--device",
    "-q",
    "--exact",
    "--grow",
    "--candidates",
    "--most",
    "--repeat",
    "--photo",
]
words = st.one_of(st.sampled_from([*flags, "1,2,30,40", "5,5", "fast", "steps=1", "photo.png"]), st.text(max_size=8))


@fuzzed
@given(st.sampled_from(["segment", "remove", "layers", "bench", "fly", ""]), st.lists(words, max_size=6))
def test_arguments_without_a_photo(command, arguments):
    """Whatever is asked for, what cannot be done is said in a line, with code 2."""
    arguments = [word for word in arguments if word not in ("-h", "--help")]
    if command == "bench":
        arguments += ["--photo", "none.png"]
    said, printed = io.StringIO(), io.StringIO()
    with attempt("python -m paintseg"), redirect_stderr(said), redirect_stdout(printed):
        code = main([command, "no-such-photo.png", *arguments])
        if code:
            raise InputError(said.getvalue().strip())
        assert printed.getvalue().startswith("usage")  # only an abbreviation of --help can succeed


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
