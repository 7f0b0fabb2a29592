"""What is wired to a node decides what it does: no painting for nobody, no file asked for in vain. With the
nodes of counting_nodes.py: a painter that counts, a loader of another pack's kind, a node that puts others into the
prompt."""

from pathlib import Path

import pytest
from harness.paths import PHOTO


@pytest.fixture
def small(graph):
    """The bundled photo at a quarter of its size, and a box on it; their outputs."""
    whole = graph.add("LoadImage", image=PHOTO.name)
    photo = graph.add("ImageScale", image=[whole, 0], upscale_method="area", width=128, height=128, crop="disabled")
    prompt = graph.add(
        "PaintSeg_PromptToMask", image=[photo, 0], kind="box", box={"x": 86, "y": 0, "width": 34, "height": 74}
    )
    return photo, prompt


@pytest.fixture
def calls(client, tmp_path):
    """Runs a graph; how often the counting painter was called in it."""
    place = tmp_path / "calls"

    def run(graph):
        before = len(place.read_text()) if place.exists() else 0
        done = client.run(graph)
        assert done.status == "success", done.error["exception_message"]
        run.last = done
        return (len(place.read_text()) if place.exists() else 0) - before

    run.place = str(place)
    return run


def test_a_plate_is_painted_only_where_it_is_wired(graph, small, calls):
    painter = graph.add("CountingPainter", place=calls.place)
    loop = graph.method("PaintSeg_AMCPLoop", *small, painter=[painter, 0], seed=1)
    alone = calls(graph)  # the node by itself, which shows its mask
    graph.mask_preview(loop, 0)
    graph.mask_preview(loop, 1)
    assert alone > 0 and calls(graph) == 0  # masks are there already
    graph.add("PreviewImage", images=[loop, 3])
    assert calls(graph) == alone  # the cut-out needs no painter
    graph.add("PreviewImage", images=[loop, 2])
    assert calls(graph) == alone + 4  # as Remove Object: one to find the shadow by, and three to choose from
    bars = [event.data for event in calls.last.events if event.kind == "progress" and event.data["node"] == loop]
    steps = graph[loop]["inputs"].get("steps", 1)
    assert {bar["max"] for bar in bars} == {steps + 1} and bars[-1]["value"] == steps + 1
    assert calls(graph) == 0


def test_a_segment_inside_another_node_paints_its_plate(graph, small, calls, client, shown):
    painter = graph.add("CountingPainter", place=calls.place)
    photo, prompt = small
    outer = graph.add("PlateOfAnother", image=[photo, 0], prompt=[prompt, 0], painter=[painter, 0])
    seen = graph.add("PreviewImage", images=[outer, 0])
    assert calls(graph) > 1
    assert calls.last.outputs[seen]["images"]


def test_a_wired_model_needs_no_file(graph, small, client):
    loader = graph.add("AnyInpaintModel")
    painter = graph.add("PaintSeg_InpaintModelPainter", model_name="not on this machine.pt", inpaint_model=[loader, 0])
    loop = graph.method("PaintSeg_AMCPLoop", *small, painter=[painter, 0])
    graph.mask_preview(loop, 0)
    run = client.run(graph)
    assert run.status == "success", run.error


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "not on this machine.pt",
            ("there is no not on this machine.pt in", "wire a model"),
        ),
        ("(the wired model)", ("no inpainting model is wired", "choose a file of")),
    ],
)
def test_without_a_wire_the_missing_file_is_named_before_anything_runs(name, words, graph, small, client):
    painter = graph.add("PaintSeg_InpaintModelPainter", model_name=name)
    graph.mask_preview(graph.method("PaintSeg_AMCPLoop", *small, painter=[painter, 0]), 0)
    # The prompt's own preview can run without it, so ComfyUI takes the rest of the graph.
    answer = client.post_json("/prompt", {"prompt": graph, "client_id": client.id})
    list(client.follow(answer["prompt_id"]))
    (problem,) = answer["node_errors"][painter]["errors"]
    assert problem["extra_info"]["input_name"] == "model_name"
    assert all(word in problem["details"] for word in words) and str(Path("models", "inpaint")) in problem["details"]
