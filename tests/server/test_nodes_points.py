"""Points that mean too much or too many things, and a first frame's mask, through ComfyUI's HTTP interface."""

import json

import numpy as np
import pytest
from harness.paths import HUMAN_MASK, PHOTO
from PIL import Image

HUMAN = np.asarray(Image.open(HUMAN_MASK).convert("L")) > 127
LEFT, RIGHT = {"x": 90, "y": 165}, {"x": 208, "y": 165}


@pytest.fixture
def masks(client, graph, shown):
    """Runs the graph; the batch of masks that an output of a node holds, as bool N x H x W, or the error."""

    def read(node, slot):
        preview = graph.mask_preview(node, slot)
        run = client.run(graph)
        if run.status == "error":
            return run.error["exception_message"].strip()
        return np.stack([picture[..., 0] for picture in shown(run, preview)]) > 127

    return read


@pytest.fixture
def twins(client, graph, tmp_path):
    """The bundled photo's shuttle twice, touching, on a plain wall: the loaded photo's id and a mask each.

    The wall is little wider than the two. At the small sizes of these tests they are as many patches deep as they would
    be at a preset's own; of thinner twins a click takes a piece.
    """
    rows, columns = (np.flatnonzero(HUMAN.any(axis)) for axis in (1, 0))
    part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    thing, cover = np.asarray(Image.open(PHOTO).convert("RGB"))[part], HUMAN[part]
    wall = np.linspace(128, 178, 300)[None, :, None] * np.array([1, 0.96, 0.84])
    photo, found = np.broadcast_to(wall, (320, 300, 3)).astype(np.uint8).copy(), []
    for left in (150 - cover.shape[1], 150):
        mask = np.zeros((320, 300), bool)
        mask[20 : 20 + cover.shape[0], left : left + cover.shape[1]] = cover
        photo[mask] = thing[cover]
        found.append(mask)
    Image.fromarray(photo).save(tmp_path / "twins.png")
    return graph.add("LoadImage", image=client.upload(tmp_path / "twins.png")), *found


def share(mask, truth):
    return (mask & truth).sum() / truth.sum()


def at(graph, photo, points, negative=()):
    wired = {"points": json.dumps(points), "negative_points": json.dumps(list(negative))}
    none = {"kind.x": -1, "kind.y": -1}
    return graph.add("PaintSeg_PromptToMask", image=[photo, 0], kind="point", **none, **wired)


def test_a_negative_point_removes_the_twin(graph, masks, twins):
    photo, left, right = twins
    both = graph.method("PaintSeg_AMCPLoop", photo, at(graph, photo, [LEFT]))
    one = graph.method("PaintSeg_AMCPLoop", photo, at(graph, photo, [LEFT], [RIGHT]))
    (mask,) = masks(both, 0)
    assert share(mask, left) > 0.9 and share(mask, right) > 0.9
    (mask,) = masks(one, 0)
    assert share(mask, left) > 0.9 and share(mask, right) < 0.05


def test_candidates_of_a_point_come_as_a_batch_with_their_scores(client, graph, shown):
    photo = graph.add("LoadImage", image=PHOTO.name)
    node = graph.method("PaintSeg_Candidates", photo, at(graph, photo, [{"x": 416, "y": 60}]))
    wanted = [graph.mask_preview(node, 0), graph.mask_preview(node, 2)]
    text = graph.add("PreviewAny", source=[node, 3])
    run = client.run(graph)
    several, best = (np.stack(shown(run, preview))[..., 0] > 127 for preview in wanted)
    assert 1 <= len(several) <= 3
    np.testing.assert_array_equal(best[0], several[0])
    assert max((mask & HUMAN).sum() / (mask | HUMAN).sum() for mask in several) > 0.8
    (lines,) = run.outputs[text]["text"]
    scores = [float(line.partition(",")[0]) for line in lines.splitlines()]
    assert len(scores) == len(several)


def test_candidates_of_a_box_are_refused(graph, masks):
    sentence = masks(graph.method("PaintSeg_Candidates", *graph.prompt()), 0)
    assert sentence == "candidates are for points and scribbles; a box says how large the object is"


def test_a_first_mask_is_kept_when_asked(client, graph, masks, tmp_path):
    drawn = Image.new("RGBA", (512, 512), (90, 90, 90, 255))
    drawn.putalpha(Image.fromarray(np.where(HUMAN, 0, 255).astype(np.uint8)))
    drawn.save(tmp_path / "first.png")
    mask = graph.add("LoadImage", image=client.upload(tmp_path / "first.png"))
    photo = graph.add("LoadImage", image=PHOTO.name)
    frames = graph.add("RepeatImageBatch", image=[photo, 0], amount=2)
    prompt = graph.add("PaintSeg_PromptToMask", image=[photo, 0], kind="mask", **{"kind.mask": [mask, 1]})
    first, second = masks(graph.method("PaintSeg_Video", frames, prompt, mode="follow", keep_first=True), 0)
    np.testing.assert_array_equal(first, HUMAN)
    assert share(second, HUMAN) > 0.8
    apart = graph.method("PaintSeg_Video", frames, prompt, mode="independent", keep_first=True)
    assert "switch keep_first off" in masks(apart, 0)
