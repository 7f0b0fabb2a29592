"""Removal, layers and files in a real ComfyUI."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from harness.paths import PHOTO

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
    placed = {"layer": 0, "dx": 0.0, "dy": 0.0, "scale": 1.0, "rotation": 0.0, "flip": False, "opacity": 1.0,
              "shadow": 0.0}
    again = graph.add("PaintSeg_Reassemble", plate=[plate, 0], layers=[layer, 0], **placed)
    (before,), (after,) = pictures(photo, [again, 0])
    np.testing.assert_array_equal(after[42:102, 172:232], before[42:102, 172:232])
    inside = np.zeros(before.shape[:2], bool)
    inside[40:104, 170:234] = True
    assert np.abs(after[inside].astype(int) - before[inside]).mean() <= 2


def test_a_matte_mixes_the_edge_and_nothing_else(graph, photo, mask, pictures):
    sharp, mixed = (graph.add("PaintSeg_CutOut", image=photo, mask=mask, soften=0.0, edge=edge)
                    for edge in ("mask", "matte"))
    (sharp,), (mixed,) = pictures([sharp, 0], [mixed, 0])
    partly = (mixed[..., 3] > 5) & (mixed[..., 3] < 250)
    assert partly.any()
    np.testing.assert_array_equal(sharp[44:100, 174:230], mixed[44:100, 174:230])
    np.testing.assert_array_equal(sharp[:30, :, 3], mixed[:30, :, 3])


def test_layers_are_saved_as_openraster(client, graph, photo, mask, server):
    layer = graph.add("PaintSeg_CutOut", image=photo, mask=mask, soften=0.0)
    graph.add("PaintSeg_SaveLayers", layers=[layer, 0], plate=photo, filename_prefix="ora/test", format="OpenRaster",
              names="square")
    run = client.run(graph)
    assert run.status == "success", run.error
    saved = max(Path(server.base).rglob("ora/test_*.ora"))
    with zipfile.ZipFile(saved) as archive:
        assert archive.read("mimetype") == b"image/openraster"
        assert b'name="square"' in archive.read("stack.xml")


def test_png_set_names_its_layers(client, graph, photo, mask, server):
    layer = graph.add("PaintSeg_CutOut", image=photo, mask=mask, soften=0.0)
    graph.add("PaintSeg_SaveLayers", layers=[layer, 0], plate=photo, filename_prefix="pngs/test", format="PNG set",
              names="")
    assert client.run(graph).status == "success"
    table = json.loads(max(Path(server.base).rglob("pngs/test_*layers.json")).read_text(encoding="utf-8"))
    assert [entry["name"] for entry in table["front_to_back"]] == ["layer 1", "plate"]


def test_amodal_asks_for_what_lies_behind(client, graph, photo, mask):
    node = graph.add("PaintSeg_Amodal", image=photo, front=mask, preset="fast", seed=0, candidates=1)
    graph.add("PreviewImage", images=[node, 1])
    assert "wire either its mask or a prompt" in client.run(graph).error["exception_message"]


def test_layers_of_two_boxes(graph, photo, pictures):
    boxes = [[170, 0, 240, 150], [40, 0, 180, 250]]
    prompt = graph.add("PaintSeg_PromptToMask", image=photo, kind="box", boxes=json.dumps(boxes))
    node = graph.add("PaintSeg_Layers", image=photo, prompt=[prompt, 0], preset="fast", seed=0, candidates=1, most=3,
                     shadow=False)
    layers, (plate,) = pictures([node, 0], [node, 2])
    assert len(layers) == 2 and all(layer.shape == (SMALL, SMALL, 4) for layer in layers)
    assert plate.shape == (SMALL, SMALL, 3)
