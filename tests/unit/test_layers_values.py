"""The numbers behind the editor on PaintSeg Reassemble: its value, its order, its frames, run by Node.js."""

import json
import shutil
import subprocess

import pytest
import torch
from harness import typescript
from harness.paths import ROOT

from paintseg.errors import InputError
from paintseg.layers.compose import LARGEST_AREA, LARGEST_SIDE, Placement, parse_placements, reassemble

LAYERS = ROOT / "web" / "js" / "layers"
TWO = [{"fingerprint": "aa", "box": [10, 5, 20, 15]}, {"fingerprint": "bb", "box": [30, 20, 50, 30]}]
HEAD = f"""
import * as value from "{(LAYERS / "value.js").as_uri()}"
import * as geometry from "{(LAYERS / "geometry.js").as_uri()}"
const tell = (it) => console.log(JSON.stringify(it ?? null))
const layers = {json.dumps(TWO)}
const rest = {{ layer: 0, dx: 0, dy: 0, scale: 1, rotation: 0, flip: false, opacity: 1, shadow: 0 }}
const item = (list, layer, numbers = rest) =>
  value.items(list, numbers, layers).find((one) => one.placement.layer === layer)
const change = (list, layer, what, numbers = rest) =>
  value.changed(list, numbers, layers, item(list, layer, numbers), what)
"""


def run(program):
    """What a program hands to `tell`; `value`, `geometry`, two `layers` and numbers at `rest` are at hand."""
    if not shutil.which(typescript.node()[0]):
        pytest.skip("no Node.js here: scripts/test installs it")
    argv = [*typescript.node(), "--input-type=module", "--eval", HEAD + program]
    done = subprocess.run(argv, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_what_is_written_is_read_again_and_python_reads_the_same():
    (text,) = run("tell(value.write(change([], 1, { dx: -40, scale: 0.5, flip: true })))")
    assert parse_placements(text) == (Placement(1, dx=-40, scale=0.5, flip=True, fingerprint="bb"),)
    assert run(f"tell(value.read({json.dumps(text)}))") == [json.loads(text)]
    assert run('tell(value.write([])); tell(value.read("  "))') == ["", []]


@pytest.mark.parametrize("text", ["{", "3", '"dx"', '[{"layer": -1}]', '{"layer": 0.5}', '{"dx": "3"}', '{"dx": null}',
                                  '{"flip": 1}', '{"scale": 0}', '{"opacity": 2}', '{"left": 3}', "[[]]",
                                  '{"fingerprint": 3}'])  # fmt: skip
def test_what_is_no_placement_is_none_in_python_and_in_the_browser(text):
    assert run(f"tell(value.read({json.dumps(text)}))") == [None]
    with pytest.raises(InputError):
        parse_placements(text)


def test_only_what_was_moved_is_written_and_putting_it_back_writes_nothing():
    moved, back = run(
        "const moved = change([], 0, { dx: 3 }); tell(moved);tell(value.write(change(moved, 0, { ...value.REST })))"
    )
    assert moved == [{"layer": 0, "dx": 3, "fingerprint": "aa"}] and back == ""


def test_the_numbers_are_taken_over_by_the_first_drag_and_do_not_come_back_by_themselves():
    numbers = "{ ...rest, layer: 1, dx: 7, flip: true }"
    (both,) = run(f"tell(change([], 0, {{ dy: 2 }}, {numbers}))")
    assert both == [
        {"layer": 1, "dx": 7, "flip": True, "fingerprint": "bb"},
        {"layer": 0, "dy": 2, "fingerprint": "aa"},
    ]
    (alone,) = run(f"const numbers = {numbers}; tell(change([], 1, {{ dx: 9 }}, numbers))")
    assert alone == [{"layer": 1, "dx": 9, "flip": True, "fingerprint": "bb"}]
    (back,) = run(f"const numbers = {numbers}; tell(change([], 1, {{ ...value.REST }}, numbers))")
    assert back == [{"layer": 1, "fingerprint": "bb"}]  # an empty list would move it by the numbers again


def test_a_list_of_ones_own_keeps_its_form_and_shows_only_what_it_names():
    own = "[{ layer: 1, x: 5, y: 6 }, { layer: 1, dx: 1, shadow: 0.5 }]"
    shown, made = run(
        f"const own = {own}; tell(value.items(own, rest, layers).map(({{ key }}) => key));"
        "const [first] = value.items(own, rest, layers); tell(value.changed(own, rest, layers, first,"
        " geometry.moved(first.placement, 2.4, -1)))"
    )
    assert shown == ["1.0", "1.1"]
    assert made == [{"layer": 1, "x": 7.4, "y": 5}, {"layer": 1, "dx": 1, "shadow": 0.5}]


@pytest.mark.parametrize("forward", [True, False])
def test_a_layer_passes_the_next_one_in_python_too(forward):
    layer = 1 if forward else 0
    past = f"value.orderPast(value.items([], rest, layers), item([], {layer}), {str(forward).lower()})"
    (text,) = run(f"tell(value.write(change([], {layer}, {{ order: {past} }})))")
    (ahead,) = run(f"tell(value.items(value.read({json.dumps(text)}), rest, layers).map((one) => one.placement.layer))")
    assert ahead == [1, 0]
    stack = [torch.full((4, 4, 4), colour) for colour in (0.25, 1.0)]
    for one in stack:
        one[3] = 1
    chosen = parse_placements(text) + (Placement(1 - layer),)
    assert (reassemble(torch.zeros(3, 4, 4), stack, chosen) == 1.0).all()
    (none,) = run("tell(value.orderPast(value.items([], rest, layers), item([], 0), true))")
    assert none is None


def test_a_frame_is_where_python_puts_the_layer():
    layer = torch.zeros(4, 80, 100)
    layer[:, 20:40, 30:60] = 1
    said = {"layer": 0, "dx": 12, "dy": 9, "scale": 1.5, "rotation": 30, "flip": True}
    (places,) = run(f"tell(geometry.corners(geometry.frameOf({json.dumps(said)}, [30, 20, 60, 40])))")
    picture = reassemble(torch.zeros(3, 80, 100), [layer], parse_placements(json.dumps(said)))
    rows, columns = torch.nonzero(picture[0] > 0.5, as_tuple=True)
    across, down = zip(*places, strict=True)
    assert (columns.min(), columns.max() + 1) == pytest.approx((min(across), max(across)), abs=1.5)
    assert (rows.min(), rows.max() + 1) == pytest.approx((min(down), max(down)), abs=1.5)


def test_drags_move_scale_and_turn():
    moved, scaled, turned, snapped = run("""
        const box = [10, 10, 30, 20]
        const drag = (kind, from, to, snap = false) =>
          tell(geometry.dragged(kind, { layer: 0, dx: 1 }, box, from, to, snap))
        drag("move", [15, 15], [18.2, 11]); drag("scale", [31, 20], [41, 25]); drag("turn", [21, 5], [11, 15])
        drag("turn", [21, 5], [26, 5], true)
    """)
    assert moved == {"dx": 4, "dy": -4}
    assert scaled == {"scale": 2}
    assert turned == {"rotation": 90}  # counter-clockwise, from above to the left
    assert snapped == {"rotation": -30}


def test_no_drag_makes_a_layer_larger_than_python_allows_or_nothing():
    (large, small) = run(
        "tell(geometry.scaled({}, 1e9, [0, 0, 3000, 2000])); tell(geometry.scaled({}, 1e-9, [0, 0, 9, 9]))"
    )
    width, height = 3000 * large["scale"], 2000 * large["scale"]
    assert max(width, height) <= LARGEST_SIDE
    assert (width + height) ** 2 / 2 <= LARGEST_AREA
    assert small == {"scale": 0.01}
