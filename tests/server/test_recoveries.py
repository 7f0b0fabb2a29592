"""What a running ComfyUI does when something goes wrong: the sentence is on its node, and the queue goes on."""

import os
import signal
import time
import zipfile

import numpy as np
import pytest
from harness.client import Client
from harness.paths import PHOTO
from harness.server import Server

SIDE = 160
BOXES = "[[108, 2, 150, 92]]"


def photo_of(graph, side=SIDE):
    whole = graph.add("LoadImage", image=PHOTO.name)
    size = {"width": side, "height": side}
    return [graph.add("ImageScale", image=[whole, 0], upscale_method="area", crop="disabled", **size), 0]


def loop_of(graph, boxes=BOXES, **inputs):
    """LoadImage, Prompt and Segment; the ids of the last two."""
    photo = photo_of(graph)
    prompt = graph.add("PaintSeg_PromptToMask", image=photo, kind="box", boxes=boxes)
    method = {"image": photo, "prompt": [prompt, 0], "preset": "fast", "seed": 5}
    return prompt, graph.add("PaintSeg_AMCPLoop", **method | inputs)


@pytest.fixture
def good(graph):
    """A prompt that succeeds and the node that shows its mask."""
    _, loop = loop_of(graph)
    return graph, graph.mask_preview(loop, 1)


BAD = {
    "box without a pixel": {"boxes": "[[30, 30, 10, 10]]"},
    "box outside": {"boxes": "[[900, 900, 950, 950]]"},
    "no JSON": {"boxes": "[{"},
    "boxes of another number": {"boxes": "[[[1, 1, 9, 9]], [[2, 2, 9, 9], [3, 3, 9, 9]]]"},
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_prompt_says_why_on_its_node_and_the_next_one_runs(name, client, graph, good):
    bad = type(graph)()
    prompt, _ = loop_of(bad, **BAD[name])
    first, second = client.queue(bad), client.queue(good[0])
    failed = client.finished(first, list(client.follow(first)))
    assert (failed.status, failed.error["node_id"]) == ("error", prompt)
    sentence = failed.error["exception_message"].strip()
    assert sentence and "\n" not in sentence
    assert client.finished(second, list(client.follow(second))).status == "success"


def test_a_photo_with_an_empty_mask_of_load_image_is_refused_on_its_node(client, graph):
    photo = photo_of(graph)
    empty = graph.add("LoadImage", image=PHOTO.name)
    node = graph.add("PaintSeg_RemoveObject", image=photo, mask=[empty, 1], seed=0, candidates=1, shadow=False)
    graph.add("PreviewImage", images=[node, 0])
    failed = client.run(graph)
    assert failed.error["node_id"] == node and "the mask is empty" in failed.error["exception_message"]


def test_two_prompts_at_once_give_what_each_gives_alone(client, graph, shown):
    found = []
    for together in (False, True):
        graphs = [type(graph)() for _ in range(2)]
        previews = [one.mask_preview(loop_of(one, seed=seed)[1], 1) for seed, one in enumerate(graphs)]
        client.free()
        if together:
            queued = [client.queue(one) for one in graphs]
            runs = [client.finished(one, list(client.follow(one))) for one in queued]
        else:
            runs = [client.run(one) for one in graphs]
        found.append([shown(run, preview)[0] for run, preview in zip(runs, previews, strict=True)])
    np.testing.assert_array_equal(*found)


def test_cancelled_at_any_moment_the_next_run_is_right(client, graph, good, shown):
    expected = shown(client.run(good[0]), good[1])
    for wait in (0.0, 0.3, 1.0):
        long = type(graph)()
        long.mask_preview(loop_of(long, steps=50, preset="balanced", seed=int(wait * 10))[1], 0)
        queued = client.queue(long)
        events = client.follow(queued)
        next(event for event in events if event.kind == "executing")
        time.sleep(wait)
        client.interrupt()
        assert list(events)[-1].kind == "execution_interrupted"
        client.free()
        np.testing.assert_array_equal(shown(client.run(good[0]), good[1]), expected)


@pytest.mark.parametrize("again", [False, pytest.param(True, marks=pytest.mark.long)])
def test_a_server_stopped_while_it_runs_leaves_no_half_file_and_starts_again(graph, tmp_path, again):
    photo = photo_of(graph)
    prompt = graph.add("PaintSeg_PromptToMask", image=photo, kind="box", boxes=BOXES)
    inputs = {"image": photo, "prompt": [prompt, 0], "preset": "balanced", "seed": 1}
    layers = graph.add("PaintSeg_Layers", **inputs, candidates=9, most=1, shadow=False)
    graph.add("PaintSeg_SaveLayers", layers=[layers, 0], filename_prefix="stopped", format="OpenRaster")
    for stop in (True, False)[: 1 + again]:
        with Server(tmp_path) as server, Client(server.url) as client:
            if stop:
                events = client.follow(client.queue(graph))
                next(event for event in events if event.kind == "progress")
            else:
                graph[layers]["inputs"] |= {"candidates": 1, "preset": "fast"}
                assert client.run(graph).status == "success"
        written = [path.name for path in (tmp_path / "output").iterdir()]
        assert written == ([] if stop else ["stopped_00001_.ora"])
        assert [path for path in tmp_path.rglob("*") if ".part" in path.suffix or ".unfinished-" in path.name] == []


@pytest.mark.long
def test_a_server_ended_while_it_writes_leaves_only_whole_files_under_their_names(graph, tmp_path):
    side = {"width": 2048, "height": 2048}
    noise = graph.add("ImageScale", image=photo_of(graph), upscale_method="bicubic", crop="disabled", **side)
    opaque = graph.add("SolidMask", value=0.0, **side)
    layer = [graph.add("JoinImageWithAlpha", image=[noise, 0], alpha=[opaque, 0]), 0]
    layers = graph.add("RepeatImageBatch", image=layer, amount=5)
    graph.add("PaintSeg_SaveLayers", layers=[layers, 0], filename_prefix="ended", format="OpenRaster")
    output = tmp_path / "output"
    for end in (getattr(signal, "SIGKILL", signal.SIGTERM), signal.SIGTERM):
        with Server(tmp_path) as server, Client(server.url) as client:
            client.queue(graph)
            until = time.monotonic() + 60
            while not (unfinished := list(output.glob(".ended*.unfinished-*"))) and time.monotonic() < until:
                time.sleep(0.002)
            os.kill(server.pid, end)
        assert unfinished and list(output.glob("[!.]*")) == []
        os.utime(unfinished[0], (0, 0))  # as if it had lain there for long: the next write sweeps it
    with Server(tmp_path) as server, Client(server.url) as client:
        assert client.run(graph).status == "success"
    (written,) = output.iterdir()
    assert zipfile.ZipFile(written).testzip() is None
