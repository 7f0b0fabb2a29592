"""The method as people wire it, through ComfyUI's HTTP interface."""

import io

import numpy as np
import pytest
from harness.client import Refused
from harness.contact import iou
from harness.paths import HUMAN_MASK, PHOTO
from PIL import Image

STEPS = 3  # inward, outward and inward


def test_box_on_a_photo_becomes_a_mask(client, graph, shown):
    loop = graph.method("PaintSeg_AMCPLoop", *graph.prompt())
    preview = graph.mask_preview(loop, 0)
    (mask,) = shown(client.run(graph), preview)
    assert iou(Image.fromarray(mask), Image.open(HUMAN_MASK)) >= 0.8


def test_chained_steps_give_exactly_the_loops_mask(client, graph, shown):
    photo, prompt = graph.prompt()
    loop = graph.mask_preview(graph.method("PaintSeg_AMCPLoop", photo, prompt, steps=STEPS), 0)
    state = graph.method("PaintSeg_AMCPStart", photo, prompt, steps=STEPS)
    for _ in range(STEPS):
        state = graph.add("PaintSeg_AMCPStep", state=[state, 0], direction="auto")
    chain = graph.mask_preview(state, 1)
    run = client.run(graph)
    np.testing.assert_array_equal(shown(run, chain), shown(run, loop))


def test_same_seed_gives_the_same_bytes(client, graph, shown):
    photo, prompt = graph.prompt()
    soft = graph.mask_preview(graph.method("PaintSeg_AMCPLoop", photo, prompt), 1)
    first = shown(client.run(graph), soft)
    client.free()  # so that nothing comes from ComfyUI's cache
    np.testing.assert_array_equal(shown(client.run(graph), soft), first)


def test_cut_out_is_transparent_and_plate_differs_only_near_the_object(client, graph, shown):
    loop = graph.method("PaintSeg_AMCPLoop", *graph.prompt())
    plate, layer = (graph.add("PreviewImage", images=[loop, slot]) for slot in (2, 3))
    run = client.run(graph)
    (plate,), (layer,) = shown(run, plate), shown(run, layer)
    photo = np.asarray(Image.open(PHOTO).convert("RGB")).astype(int)
    changed = np.abs(plate[..., :3] - photo).max(axis=-1) > 2
    assert layer.shape == (*photo.shape[:2], 4)
    assert not changed[:, :300].any()
    assert changed[50:250, 390:440].mean() > 0.9


def test_progress_and_previews_arrive(client, graph):
    loop = graph.method("PaintSeg_AMCPLoop", *graph.prompt(), steps=2, seed=11)
    graph.mask_preview(loop, 0)
    run = client.run(graph)
    bars = [event.data for event in run.events if event.kind == "progress"]
    counted = [bar["value"] for bar in bars if bar["node"] == loop]
    pictures = [event.image for event in run.events if event.kind == "preview"]
    assert counted == sorted(counted)
    assert counted[-1] == 2
    assert len(pictures) >= 2
    assert min(Image.open(io.BytesIO(picture)).size[0] for picture in pictures) >= 64


def test_interrupt_stops_within_one_painter_call_and_the_queue_goes_on(client, graph):
    photo, prompt = graph.prompt()
    loop = graph.method("PaintSeg_AMCPLoop", photo, prompt, preset="balanced", steps=30, seed=12)
    graph.mask_preview(loop, 0)
    queued = client.queue(graph)
    events = client.follow(queued)
    steps = (event for event in events if event.kind == "progress" and event.data["node"] == loop)
    next(steps)
    client.interrupt()
    rest = list(events)
    assert rest[-1].kind == "execution_interrupted"
    # Counted, not timed: the step under way may still end, on however slow a processor.
    assert len([event for event in rest if event.kind == "progress" and event.data["node"] == loop]) <= 1
    assert client.run({key: graph[key] for key in (photo, prompt)}).status == "success"


def test_box_outside_the_photo_is_refused_in_one_sentence_on_its_node(client, graph):
    photo, prompt = graph.prompt(box={"x": 2000, "y": 2000, "width": 50, "height": 50})
    graph.mask_preview(graph.method("PaintSeg_AMCPLoop", photo, prompt), 0)
    run = client.run(graph)
    assert (run.status, run.error["node_id"]) == ("error", prompt)
    assert "box" in run.error["exception_message"]
    assert run.error["exception_message"].strip().count("\n") == 0


def test_missing_prompt_is_refused_before_anything_runs(client, graph):
    photo = graph.add("LoadImage", image=PHOTO.name)
    loop = graph.add("PaintSeg_AMCPLoop", image=[photo, 0], preset="fast", seed=0)
    graph.mask_preview(loop, 0)
    with pytest.raises(Refused) as refused:
        client.queue(graph)
    (problem,) = refused.value.body["node_errors"][loop]["errors"]
    assert (problem["type"], problem["extra_info"]["input_name"]) == ("required_input_missing", "prompt")
