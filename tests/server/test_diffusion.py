"""Checkpoints with Stable Diffusion 1.5's own names, width and formats and random weights, loaded by ComfyUI's own
loaders in the real server; they have a tenth of its blocks (harness/random_models.py)."""

import numpy as np
import pytest
from harness import random_models
from harness.client import Client
from harness.inprocess import load_pack
from PIL import Image

from .conftest import SMALL_BOX

pytestmark = pytest.mark.slow

PAINTER = {
    "sampling": "model",
    "sampling.steps": 2,
    "sampling.cfg": 3.0,
    "sampling.sampler_name": "euler",
    "sampling.scheduler": "normal",
    "sampling.denoise": 1.0,
    "noise_mask": "auto",
    "size": 64,
}


@pytest.fixture(scope="module")
def checkpoints(server):
    """Names in models/checkpoints by channels."""
    load_pack()  # the layouts are those of ComfyUI's own classes
    names = {9: "random-sd15-inpainting.safetensors", 4: "random-sd15.safetensors"}
    for channels, name in names.items():
        random_models.link(random_models.sd15_checkpoint(channels), server.base / "models" / "checkpoints" / name)
    yield names
    Client(server.url).free()


@pytest.fixture
def diffusion(graph, checkpoints):
    """Adds a checkpoint and a painter of it; the painter's output."""

    def add(channels=9, **changes):
        loader = graph.add("CheckpointLoaderSimple", ckpt_name=checkpoints[channels])
        wired = {"vae": [loader, 2], "sampling.model": [loader, 0], "sampling.clip": [loader, 1]}
        return [graph.add("PaintSeg_DiffusionPainter", **{**PAINTER, **wired, **changes}), 0]

    return add


@pytest.fixture
def loop(client, graph, shown, small_photo):
    """What PaintSeg Segment, two steps long, finds in a photo, painted over: the plate, and the hole that was painted.
    With three candidates both plates are compared: so many has the loop's own."""

    def run(painter, candidates=1):
        photo, prompt = graph.prompt(SMALL_BOX, small_photo[0])
        node = graph.method("PaintSeg_AMCPLoop", photo, prompt, painter=painter, steps=2)
        again = graph.add(
            "PaintSeg_RemoveObject",
            image=[photo, 0],
            mask=[node, 0],
            painter=painter,
            seed=7,
            candidates=candidates,
            shadow=True,
        )
        hole = graph.add("MaskToImage", mask=[again, 1])
        own = [node, 2] if candidates == 3 else [again, 0]
        previews = [graph.add("PreviewImage", images=one) for one in (own, [again, 0], [hole, 0])]
        done = client.run(graph)
        plate, same, hole = (shown(done, preview)[0] for preview in previews)
        np.testing.assert_array_equal(plate, same)
        return plate[..., :3], hole[..., 0] > 127

    return run


def paints_the_hole_alone(small_photo, plate, hole):
    photo = np.asarray(Image.open(small_photo[1]))
    np.testing.assert_array_equal(plate[~hole], photo[~hole])
    assert 0.005 < hole.mean() < 0.5 and (plate != photo).any(axis=-1)[hole].mean() > 0.5


@pytest.mark.parametrize(("channels", "candidates"), [pytest.param(4, 3, marks=pytest.mark.long), (9, 1)])
def test_checkpoint_paints_the_hole_and_no_pixel_beside_it(diffusion, loop, small_photo, channels, candidates):
    paints_the_hole_alone(small_photo, *loop(diffusion(channels), candidates))


def test_guider_graph_paints_what_the_model_paints(graph, diffusion, loop, small_photo):
    by_name, _ = loop(diffusion())
    loader = next(key for key, node in graph.items() if node["class_type"] == "CheckpointLoaderSimple")
    nothing = [graph.add("CLIPTextEncode", text="", clip=[loader, 1]), 0]
    guider = graph.add("CFGGuider", model=[loader, 0], positive=nothing, negative=nothing, cfg=3.0)
    sampler = graph.add("KSamplerSelect", sampler_name="euler")
    sigmas = graph.add("BasicScheduler", model=[loader, 0], scheduler="normal", steps=2, denoise=1.0)
    wired = {"sampling.guider": [guider, 0], "sampling.sampler": [sampler, 0], "sampling.sigmas": [sigmas, 0]}
    by_guider = graph.add(
        "PaintSeg_DiffusionPainter", vae=[loader, 2], sampling="guider", noise_mask="auto", size=64, **wired
    )
    plate, hole = loop([by_guider, 0])
    np.testing.assert_array_equal(plate, by_name)
    paints_the_hole_alone(small_photo, plate, hole)


def queue_with_previews(client, graph):
    asked = {"prompt": graph, "client_id": client.id, "extra_data": {"preview_method": "latent2rgb"}}
    return client.post_json("/prompt", asked)["prompt_id"]


def test_one_bar_runs_over_the_whole_loop_with_previews_of_the_sampling(client, graph, diffusion, small_photo):
    fast = graph.add("PaintSeg_FastPainter")
    asked = graph.prompt(SMALL_BOX, small_photo[0])
    loop = graph.method("PaintSeg_AMCPLoop", *asked, painter=diffusion(), outpainter=[fast, 0], steps=2)
    graph.mask_preview(loop, 0)
    queued = queue_with_previews(client, graph)
    run = client.finished(queued, list(client.follow(queued)))
    bars = [event.data for event in run.events if event.kind == "progress" and event.data["node"] == loop]
    assert run.status == "success", run.error
    assert {bar["max"] for bar in bars} == {2}
    assert [bar["value"] for bar in bars] == [0.5, 1.0, 1, 2, 2]  # the last shows the result
    assert len([event for event in run.events if event.kind == "preview"]) >= 4


def test_cancel_stops_inside_a_step_of_the_sampler(client, graph, diffusion, small_photo):
    asked = graph.prompt(SMALL_BOX, small_photo[0])
    loop = graph.method("PaintSeg_AMCPLoop", *asked, painter=diffusion(**{"sampling.steps": 50}))
    graph.mask_preview(loop, 0)
    queued = client.queue(graph)
    events = client.follow(queued)
    steps = (event for event in events if event.kind == "progress" and event.data["node"] == loop)
    next(steps)
    next(steps)
    client.interrupt()
    rest = list(events)
    assert rest[-1].kind == "execution_interrupted"
    assert all(event.data["value"] < 1 for event in rest if event.kind == "progress")  # the step was not finished
