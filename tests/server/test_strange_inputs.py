"""Files, photos and batches that nobody planned, in a real ComfyUI: a sentence on the node, or the right result."""

from pathlib import Path

import numpy as np
import pytest
from harness.paths import PHOTO

SIDE = 96
SMALLEST = "DINO ViT-S/16", "vit_small_patch16_224.dino.safetensors"


def scaled(graph, width=SIDE, height=SIDE, count=1):
    """The bundled photo in that size, `count` times; its output."""
    whole = graph.add("LoadImage", image=PHOTO.name)
    size = {"width": width, "height": height}
    photo = graph.add("ImageScale", image=[whole, 0], upscale_method="area", crop="disabled", **size)
    return [graph.add("RepeatImageBatch", image=[photo, 0], amount=count), 0]


def squares(graph, count, places=None):
    """Masks of one square each, of the places (or all of the first); their output."""
    masks = []
    for x in (places or (50, 20, 35))[:count]:
        whole = graph.add("SolidMask", value=0.0, width=SIDE, height=SIDE)
        square = graph.add("SolidMask", value=1.0, width=30, height=30)
        drawn = graph.add("MaskComposite", destination=[whole, 0], source=[square, 0], x=x, y=30, operation="add")
        masks.append([graph.add("MaskToImage", mask=[drawn, 0]), 0])
    batch = masks[0]
    for one in masks[1:]:
        batch = [graph.add("ImageBatch", image1=batch, image2=one), 0]
    return [graph.add("ImageToMask", image=batch, channel="red"), 0]


def sentence_on(run, node):
    """What a failed run says on that node, checked to be a sentence of one line."""
    assert (run.status, run.error["node_id"]) == ("error", node)
    assert run.error["exception_type"].rsplit(".", 1)[-1] in ("InputError", "WeightsError", "PainterError")
    said = run.error["exception_message"].strip()
    assert said and "\n" not in said and len(said) < 400
    return said


def test_a_file_that_is_no_dino_is_refused_on_its_node_and_the_queue_goes_on(client, graph, server):
    title, name = SMALLEST
    place = Path(server.base) / "models" / "dino" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(np.random.default_rng(0).bytes(4096))
    try:
        node = graph.add("PaintSeg_DINOEncoder", model=title)
        graph.add("PaintSeg_Discover", image=scaled(graph), objects=1, encoder=[node, 0])
        good = type(graph)()
        good.add("PreviewImage", images=scaled(good))
        first, second = client.queue(graph), client.queue(good)
        failed = client.finished(first, list(client.follow(first)))
        assert client.finished(second, list(client.follow(second))).status == "success"
    finally:
        place.unlink()
    said = sentence_on(failed, node)
    assert str(place) in said


@pytest.mark.parametrize("width, height", [(1, 1), (2000, 1), (1, 2000)])
def test_a_photo_a_pixel_high_is_segmented_or_refused_in_a_sentence(width, height, client, graph):
    photo = scaled(graph, width, height)
    box = f"[[0, 0, {-(-width // 2)}, {-(-height // 2)}]]"
    prompt = graph.add("PaintSeg_PromptToMask", image=photo, kind="box", boxes=box)
    loop = graph.add("PaintSeg_AMCPLoop", image=photo, prompt=[prompt, 0], preset="fast", seed=1)
    graph.mask_preview(loop, 0)
    run = client.run(graph)
    if run.status != "success":
        sentence_on(run, loop if run.error["node_id"] == loop else prompt)


@pytest.mark.parametrize("images, masks", [(1, 1), (1, 3), (3, 1), (3, 3)])
def test_one_mask_is_for_all_images_and_one_image_for_all_masks(images, masks, client, graph, shown):
    photo, mask = scaled(graph, count=images), squares(graph, masks)
    node = graph.add("PaintSeg_CutOut", image=photo, mask=mask, soften=0.0)
    preview = graph.add("PreviewImage", images=[node, 0])
    prompt = graph.add("PaintSeg_PromptToMask", image=photo, kind="mask", **{"kind.mask": mask})
    drawn = graph.mask_preview(prompt, 1)
    run = client.run(graph)
    layers = shown(run, preview)
    opaque = [np.flatnonzero((layer[..., 3] > 250).any(0))[0] for layer in layers]
    wanted = [50, 20, 35][:masks] if masks > 1 else [50] * images
    assert np.abs(np.subtract(opaque, wanted)).max() <= 1
    assert len(shown(run, drawn)) == masks


def _cut_out(graph, photo, mask):
    return graph.add("PaintSeg_CutOut", image=photo, mask=mask, soften=0.0)


def _amodal(graph, photo, mask):
    behind = squares(graph, 1, (20,))
    rest = {"preset": "fast", "seed": 0, "candidates": 1}
    return graph.add("PaintSeg_Amodal", image=photo, front=mask, behind=behind, **rest)


def _prompt(graph, photo, mask):
    return graph.add("PaintSeg_PromptToMask", image=photo, kind="mask", **{"kind.mask": mask})


@pytest.mark.parametrize("images, masks", [(2, 3), (3, 2)])
@pytest.mark.parametrize("make", [_cut_out, _amodal, _prompt])
def test_batches_that_cannot_be_paired_are_refused_in_a_sentence(make, images, masks, client, graph):
    node = make(graph, scaled(graph, count=images), squares(graph, masks))
    graph.add("PreviewAny", source=[node, 0])
    said = sentence_on(client.run(graph), node)
    assert str(images) in said and str(masks) in said
