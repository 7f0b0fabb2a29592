"""The numbers behind the editor on PaintSeg Click: its value, its undo, its view and its outline, run by Node.js."""

import json
import shutil
import subprocess

import numpy as np
import pytest
from harness import typescript
from harness.paths import ROOT

from paintseg.errors import InputError
from paintseg.io.clicks import read_clicks

CLICK = ROOT / "web" / "js" / "click"
EDITOR = ROOT / "web" / "js" / "editor"
FULL = {
    "version": 1,
    "size": [200, 100],
    "photo": "ab" * 32,
    "points": [{"x": 20.5, "y": 10, "label": 1}, {"x": 50, "y": 60, "label": 0}],
    "strokes": [{"label": 1, "width": 6, "points": [[10, 20], [30, 25]]}],
    "box": [5, 6, 70, 80],
    "candidate": 1,
}


def run(program):
    """What a program with `value`, `History`, `View` and `contour` at hand hands to `tell`."""
    if not shutil.which(typescript.node()[0]):
        pytest.skip("no Node.js here: scripts/test installs it")
    heads = [
        f'import * as value from "{(CLICK / "value.js").as_uri()}"',
        f'import {{ History }} from "{(EDITOR / "history.js").as_uri()}"',
        f'import {{ View }} from "{(EDITOR / "view.js").as_uri()}"',
        f'import {{ contour }} from "{(CLICK / "contour.js").as_uri()}"',
        "const tell = (it) => console.log(JSON.stringify(it))",
    ]
    argv = [*typescript.node(), "--input-type=module", "--eval", "\n".join([*heads, program])]
    done = subprocess.run(argv, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_value_is_written_as_it_was_read_and_python_reads_the_same():
    (again,) = run(f"tell(JSON.parse(value.write(value.read({json.dumps(json.dumps(FULL))}))))")
    assert again == FULL
    clicks = read_clicks(json.dumps(again), (100, 200))
    assert clicks.points == ((20.5, 10.0),) and clicks.negative_points == ((50.0, 60.0),)
    assert clicks.box == (5, 6, 70, 80) and clicks.candidate == 1 and clicks.strokes[0].width == 6


@pytest.mark.parametrize("given", ['"points"', '{"points": 3}', '{"points": [{"x": 1}]}', '{"box": [1, 2, 3]}', "{",
                                   '{"points": [{"x": 1, "y": 2, "label": 2}]}', '{"strokes": [{"points": []}]}',
                                   '{"size": [0, 5]}', '{"candidate": 1.5}'])  # fmt: skip
def test_what_is_no_value_is_none_in_python_and_in_the_browser(given):
    assert run(f"tell(value.read({json.dumps(given)}))") == [None]
    with pytest.raises(InputError):
        read_clicks(given, (100, 200))


@pytest.mark.parametrize("given", ["", None, "{}", {}, {"points": []}])
def test_no_clicks_are_an_empty_text(given):
    assert run(f"tell(value.write(value.read({json.dumps(given)})))") == [""]
    assert not read_clicks(given, (100, 200)).on_object


def test_marks_on_the_same_photo_in_another_size_are_scaled_as_python_scales_them():
    told = json.dumps(json.dumps(FULL))
    (twice,) = run(f"tell(JSON.parse(value.write(value.resized(value.read({told}), [400, 200]))))")
    small, large = read_clicks(FULL, (200, 400)), read_clicks(twice, (200, 400))
    assert small == large and large.points == ((41.0, 20.0),) and large.box == (10, 12, 140, 160)
    assert run(f"tell(value.resized(value.read({told}), [300, 100]))") == [None]  # another shape
    with pytest.raises(InputError, match="no picture of this photo"):
        read_clicks(FULL, (100, 300))


def test_a_mark_is_found_near_a_place_and_the_point_before_the_line_below_it():
    found = run(
        f"""const clicks = value.read({json.dumps(json.dumps(FULL))})
        for (const place of [[21, 12], [5, 40], [70, 80], [20, 26], [150, 90]]) tell(value.markAt(clicks, place, 4))"""
    )
    corner = {"kind": "box", "sides": [2, 3]}
    edge = {"kind": "box", "sides": [0]}
    assert found == [{"kind": "point", "at": 0}, edge, corner, {"kind": "stroke", "at": 0}, None]


def test_a_drag_back_and_forth_makes_a_box_with_its_corners_in_order_and_none_without_area():
    made = run(
        """const one = value.nothing()
        tell(value.withBox(one, [50, 60], [10, 20]).box); tell(value.withBox(one, [5, 5], [5, 40]).box)
        tell(value.withSides(value.withBox(one, [10, 20], [50, 60]), [0], [70, 0]).box)"""
    )
    assert made == [[10, 20, 50, 60], None, [50, 20, 70, 60]]


def test_a_stroke_keeps_its_way_with_few_points():
    angles = np.linspace(0, np.pi, 400)
    way = np.stack([100 + 80 * np.cos(angles), 90 * np.sin(angles)], 1)
    (kept,) = run(f"tell(value.simplified({json.dumps(way.tolist())}, 0.8))")
    kept = np.array(kept)
    assert len(kept) < 30 and (kept[0] == way[0]).all() and (kept[-1] == way[-1]).all()
    ends = [(kept[at], kept[at + 1]) for at in range(len(kept) - 1)]

    def away(place):
        shares = [np.clip(np.dot(place - a, b - a) / np.dot(b - a, b - a), 0, 1) for a, b in ends]
        return min(np.linalg.norm(place - a - t * (b - a)) for t, (a, b) in zip(shares, ends, strict=True))

    assert max(map(away, way)) <= 0.8 + 1e-9


def test_a_change_of_the_marks_makes_the_choice_among_candidates_anew():
    made = run(
        f"""const clicks = value.read({json.dumps(json.dumps(FULL))})
        tell(value.withPoint(clicks, [1, 1], 1).candidate); tell(value.without(clicks, {{kind: "box", sides: []}}).box)
        tell(value.withCandidate(clicks, 2).candidate)"""
    )
    assert made == [0, None, 2]


def test_undo_follows_what_comfyui_undoes():
    told = run(
        """const history = new History("")
        for (const one of ["a", "b", "c"]) history.add(one)
        tell(history.undo()); history.follow("a"); tell([history.past, history.future])
        history.follow("b"); tell(history.redo()); history.follow("elsewhere"); tell([history.past, history.future])
        tell(history.undo() ?? null)"""
    )
    assert told == ["b", [[""], ["c", "b"]], "c", [[], []], None]


def test_a_place_stays_where_it_is_when_the_photo_is_enlarged_there_and_the_photo_fills_the_stage():
    told = run(
        """const view = new View(); view.resize([408, 308], [800, 600])
        const at = [300, 200], before = view.toPhoto(at)
        view.zoomBy(3, at); tell([before, view.toPhoto(at)])
        view.panBy(9000, 9000); tell(view.toPhoto([4, 4])); view.panBy(-9000, -9000); tell(view.toPhoto([404, 304]))
        view.zoomBy(0.01); tell([view.zoom, view.toStage([0, 0]), view.toStage([800, 600])])
        tell(view.toPhoto([-50, 9000]))"""
    )
    assert told[0][0] == pytest.approx(told[0][1])
    assert told[1] == pytest.approx([0.5, 0.5]) and told[2] == pytest.approx([799.5, 599.5])
    assert told[3] == [1, pytest.approx([4, 4]), pytest.approx([404, 304])]
    assert told[4] == [0.5, 599.5]  # beyond the photo: its nearest pixel


def test_the_outline_of_a_disc_lies_on_its_circle_and_closes():
    ys, xs = np.mgrid[:40, :50] + 0.5
    soft = np.clip(128 + 40 * (12 - np.hypot(xs - 24, ys - 19)), 0, 255).astype(np.uint8)
    (told,) = run(f"tell([...contour(Uint8Array.from({soft.ravel().tolist()}), 50, 40, 128)])")
    ends = np.array(told).reshape(-1, 2)
    assert np.abs(np.hypot(ends[:, 0] - 24, ends[:, 1] - 19) - 12).max() < 0.1
    _, counts = np.unique(ends.round(4), axis=0, return_counts=True)
    assert (counts == 2).all()  # each end is another segment's begin


def test_the_outline_of_a_mask_at_the_edge_is_closed_there():
    (told,) = run("tell([...contour(Uint8Array.from([255, 255, 255, 255]), 2, 2, 128)])")
    ends = np.array(told).reshape(-1, 2)
    _, counts = np.unique(ends.round(4), axis=0, return_counts=True)
    assert (counts == 2).all() and ends.min() < 0.5 and ends.max() > 1.5
