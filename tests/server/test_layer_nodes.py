"""Removal, layers and files in a real ComfyUI."""

import io
import json
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import psd_tools
import pytest
from harness.paths import PHOTO
from PIL import Image

SMALL = 256


@pytest.fixture
def photo(graph):
    """The bundled photo, smaller; its output."""
    whole = graph.add("LoadImage", image=PHOTO.name)
    scaled = graph.add(
        "ImageScale", image=[whole, 0], upscale_method="area", width=SMALL, height=SMALL, crop="disabled"
    )
    return [scaled, 0]


@pytest.fixture
def mask(graph):
    """A square of 64 pixels near the photo's right edge; its output."""
    whole = graph.add("SolidMask", value=0.0, width=SMALL, height=SMALL)
    square = graph.add("SolidMask", value=1.0, width=64, height=64)
    drawn = graph.add("MaskComposite", destination=[whole, 0], source=[square, 0], x=170, y=40, operation="add")
    return [drawn, 0]


@pytest.fixture
def pictures(client, graph, shown):
    """Runs the graph; the pictures of each of some image outputs."""

    def read(*outputs):
        previews = [graph.add("PreviewImage", images=output) for output in outputs]
        run = client.run(graph)
        return [shown(run, preview) for preview in previews]

    return read


def test_removal_changes_nothing_outside_its_hole(graph, photo, mask, pictures):
    node = graph.add("PaintSeg_RemoveObject", image=photo, mask=mask, seed=1, candidates=1, shadow=False)
    hole = graph.add("MaskToImage", mask=[node, 1])
    (before,), (plate,), (hole,) = pictures(photo, [node, 0], [hole, 0])
    painted = hole[..., 0] > 127
    np.testing.assert_array_equal(plate[~painted], before[~painted])
    assert painted.sum() > 64 * 64 and np.abs(plate[painted].astype(int) - before[painted]).max() > 20


def test_cut_out_then_reassemble_gives_the_photo_back(graph, photo, mask, pictures):
    plate = graph.add("PaintSeg_RemoveObject", image=photo, mask=mask, seed=1, candidates=1, shadow=False)
    layer = graph.add("PaintSeg_CutOut", image=photo, mask=mask, soften=0.0)
    placed = {
        "layer": 0,
        "dx": 0.0,
        "dy": 0.0,
        "scale": 1.0,
        "rotation": 0.0,
        "flip": False,
        "opacity": 1.0,
        "shadow": 0.0,
    }
    again = graph.add("PaintSeg_Reassemble", plate=[plate, 0], layers=[layer, 0], **placed)
    (before,), (after,) = pictures(photo, [again, 0])
    np.testing.assert_array_equal(after[42:102, 172:232], before[42:102, 172:232])
    inside = np.zeros(before.shape[:2], bool)
    inside[40:104, 170:234] = True
    assert np.abs(after[inside].astype(int) - before[inside]).mean() <= 2


def test_a_matte_mixes_the_edge_and_nothing_else(graph, photo, mask, pictures):
    sharp, mixed = (
        graph.add("PaintSeg_CutOut", image=photo, mask=mask, soften=0.0, edge=edge) for edge in ("mask", "matte")
    )
    (sharp,), (mixed,) = pictures([sharp, 0], [mixed, 0])
    partly = (mixed[..., 3] > 5) & (mixed[..., 3] < 250)
    assert partly.any()
    np.testing.assert_array_equal(sharp[44:100, 174:230], mixed[44:100, 174:230])
    np.testing.assert_array_equal(sharp[:30, :, 3], mixed[:30, :, 3])


def test_layers_are_saved_as_openraster(client, graph, photo, mask, server):
    layer = graph.add("PaintSeg_CutOut", image=photo, mask=mask, soften=0.0)
    graph.add(
        "PaintSeg_SaveLayers",
        layers=[layer, 0],
        plate=photo,
        filename_prefix="ora/test",
        format="OpenRaster",
        names="square",
    )
    run = client.run(graph)
    assert run.status == "success", run.error
    saved = max(Path(server.base).rglob("ora/test_*.ora"))
    with zipfile.ZipFile(saved) as archive:
        assert archive.read("mimetype") == b"image/openraster"
        assert b'name="square"' in archive.read("stack.xml")


XMP = "{https://github.com/paintseg/ComfyUI-PaintSeg/xmp/}"
WORKFLOW = {"nodes": [{"id": 1, "type": "Nöte"}], "version": 0.4}


def run_as_the_browser_does(client, graph):
    """Queue with the workflow along, as the front end does, and wait."""
    asked = {"prompt": graph, "client_id": client.id, "extra_data": {"extra_pnginfo": {"workflow": WORKFLOW}}}
    queued = client.post_json("/prompt", asked)["prompt_id"]
    run = client.finished(queued, list(client.follow(queued)))
    assert run.status == "success", run.error


@pytest.mark.parametrize("form", ["OpenRaster", "PNG set", "PSD"])
def test_saved_layers_carry_the_workflow_as_saved_images_do(client, graph, photo, mask, server, form):
    layer = graph.add("PaintSeg_CutOut", image=photo, mask=mask, soften=0.0)
    graph.add(
        "PaintSeg_SaveLayers",
        layers=[layer, 0],
        plate=photo,
        filename_prefix=f"told/{form[:3]}",
        format=form,
        names="square",
    )
    saved = graph.add("SaveImage", images=[layer, 0], filename_prefix=f"told/core {form[:3]}")
    run_as_the_browser_does(client, graph)
    folder = server.base / "output" / "told"
    core = Image.open(max(folder.glob(f"core {form[:3]}*.png"))).text
    assert json.loads(core["workflow"]) == WORKFLOW and saved in json.loads(core["prompt"])
    if form == "OpenRaster":
        with zipfile.ZipFile(max(folder.glob("*.ora"))) as archive:
            pictures = [io.BytesIO(archive.read("mergedimage.png"))]
    elif form == "PSD":
        packet = psd_tools.PSDImage.open(max(folder.glob("*.psd"))).image_resources[1060].data.decode()
        told = [
            one.text for one in ElementTree.fromstring(packet.replace("\ufeff", "")).iter() if one.tag.startswith(XMP)
        ]
        texts = [text for text in told if text]
        assert dict(zip(texts[::2], texts[1::2], strict=True)) == core
        return
    else:
        pictures = sorted(folder.glob("PNG*.png"))
        assert len(pictures) == 2
    for picture in pictures:
        assert Image.open(picture).text == core


def test_names_that_no_layer_has_are_refused_before_anything_is_written(client, graph, photo, mask, server):
    layer = graph.add("PaintSeg_CutOut", image=photo, mask=mask, soften=0.0)
    graph.add(
        "PaintSeg_SaveLayers",
        layers=[layer, 0],
        plate=photo,
        filename_prefix="surplus/test",
        format="OpenRaster",
        names="square, wall",
    )
    sentence = client.run(graph).error["exception_message"].strip()
    assert sentence == (
        "the names are 2 and the layers 1: give at most one name for each layer; the plate's own is plate_name"
    )
    assert not (server.base / "output" / "surplus").exists()


def test_png_set_names_its_layers(client, graph, photo, mask, server):
    layer = graph.add("PaintSeg_CutOut", image=photo, mask=mask, soften=0.0)
    graph.add(
        "PaintSeg_SaveLayers",
        layers=[layer, 0],
        plate=photo,
        filename_prefix="pngs/test",
        format="PNG set",
        names="",
        plate_name="wall",
    )
    assert client.run(graph).status == "success"
    table = json.loads(max(Path(server.base).rglob("pngs/test_*layers.json")).read_text(encoding="utf-8"))
    assert [entry["name"] for entry in table["front_to_back"]] == ["layer 1", "wall"]


def test_amodal_asks_for_what_lies_behind(client, graph, photo, mask):
    node = graph.add("PaintSeg_Amodal", image=photo, front=mask, preset="fast", seed=0, candidates=1)
    graph.add("PreviewImage", images=[node, 1])
    assert "wire either its mask or a prompt" in client.run(graph).error["exception_message"]


def test_layers_of_two_boxes(graph, photo, pictures):
    boxes = [[170, 0, 240, 150], [40, 0, 180, 250]]
    prompt = graph.add("PaintSeg_PromptToMask", image=photo, kind="box", boxes=json.dumps(boxes))
    node = graph.add(
        "PaintSeg_Layers", image=photo, prompt=[prompt, 0], preset="fast", seed=0, candidates=1, most=3, shadow=False
    )
    layers, (plate,) = pictures([node, 0], [node, 2])
    assert len(layers) == 2 and all(layer.shape == (SMALL, SMALL, 4) for layer in layers)
    assert plate.shape == (SMALL, SMALL, 3)


def off_by(one, other):
    return np.abs(one.astype(int) - other).max()


def test_a_stack_goes_to_reassemble_and_into_a_psd_file(client, graph, photo, server, shown):
    boxes = [[170, 0, 240, 150], [40, 0, 180, 250]]
    prompt = graph.add("PaintSeg_PromptToMask", image=photo, kind="box", boxes=json.dumps(boxes))
    node = graph.add(
        "PaintSeg_Layers", image=photo, prompt=[prompt, 0], preset="fast", seed=0, candidates=1, most=3, shadow=False
    )
    stays = {"layer": 0, "dx": 0.0, "dy": 0.0, "scale": 1.0, "rotation": 0.0, "flip": False, "opacity": 1.0}
    of_stack, of_images = (
        graph.add("PaintSeg_Reassemble", plate=[node, 2], layers=[node, output], shadow=0.0, **stays)
        for output in (3, 0)
    )
    graph.add(
        "PaintSeg_SaveLayers", layers=[node, 3], filename_prefix="stack/test", format="PSD", names="shuttle, woman"
    )
    previews = [
        graph.add("PreviewImage", images=output) for output in ([of_stack, 0], [of_images, 0], [node, 0], [node, 2])
    ]
    run = client.run(graph)
    (stack,), (images,), layers, (plate,) = (shown(run, preview) for preview in previews)
    sharp = np.all([(layer[..., 3] == 0) | (layer[..., 3] == 255) for layer in layers], axis=0)
    assert sharp.mean() > 0.8
    # Light is mixed at soft edges only. An alpha that 8 bits call 0 may have been 0.0019: white mixed so thinly with
    # black has 12.92 * 0.0019 in sRGB by linear light, 6 of 255, and 0 by the numbers.
    assert off_by(stack[sharp], images[sharp]) <= 7
    written = psd_tools.PSDImage.open(max((server.base / "output" / "stack").glob("test_*.psd")))
    assert [layer.name for layer in written] == ["plate", "woman", "shuttle"] and written.size == (SMALL, SMALL)
    assert off_by(np.asarray(written[0].topil())[..., :3], plate) <= 1  # ComfyUI's previews round down
    for given, layer in zip(layers, [written[2], written[1]], strict=True):
        left, top, right, bottom = layer.bbox
        assert off_by(np.asarray(layer.topil())[..., 3], given[top:bottom, left:right, 3]) <= 1
        assert given[..., 3].sum() == given[top:bottom, left:right, 3].sum()


def test_what_is_no_stack_is_refused_in_a_sentence(client, graph, photo):
    graph.add("PaintSeg_SaveLayers", layers=photo, filename_prefix="no/test", format="PSD")
    assert "layers are images with transparency (RGBA)" in client.run(graph).error["exception_message"]
