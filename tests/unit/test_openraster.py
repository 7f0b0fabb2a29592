"""Layer files, read back with a library that is not ours."""

import json
import zipfile

import numpy as np
import pyora
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from paintseg.errors import InputError
from paintseg.layers.openraster import save_openraster, save_png_set
from paintseg.layers.stack import NamedLayer, flatten


def layers(height=30, width=40, seed=0):
    """Two layers with soft edges and a plate, in whole 8-bit values."""
    generator = torch.Generator().manual_seed(seed)

    def layer(x0, y0, x1, y1):
        pixels = torch.zeros(4, height, width)
        pixels[:, y0:y1, x0:x1] = torch.randint(1, 256, (4, y1 - y0, x1 - x0), generator=generator) / 255
        return pixels

    plate = torch.randint(256, (3, height, width), generator=generator) / 255
    return [
        NamedLayer("cup", layer(5, 3, 20, 25)),
        NamedLayer("spoon", layer(10, 8, 39, 14), 0.5),
        NamedLayer("plate", plate),
    ]


def test_a_reader_library_sees_every_layer(tmp_path):
    given = layers()
    save_openraster(tmp_path / "photo.ora", given)
    project = pyora.Project.load(str(tmp_path / "photo.ora"))
    read = list(project.children)  # front to back, or the other way round: names tell
    assert sorted(layer.name for layer in read) == ["cup", "plate", "spoon"]
    assert project.dimensions == (40, 30)
    for wanted in given:
        found = next(layer for layer in read if layer.name == wanted.name)
        picture = np.zeros((30, 40, 4), np.uint8)
        part = np.asarray(found.get_image_data(raw=True).convert("RGBA"))
        x, y = found.offsets
        picture[y : y + part.shape[0], x : x + part.shape[1]] = part
        pixels = wanted.pixels if len(wanted.pixels) == 4 else torch.cat([wanted.pixels, torch.ones(1, 30, 40)])
        expected = (pixels * 255).round().byte().permute(1, 2, 0).numpy()
        seen = expected[..., 3] > 0
        np.testing.assert_array_equal(picture[seen], expected[seen])
        np.testing.assert_array_equal(picture[..., 3], expected[..., 3])
        assert found.opacity == pytest.approx(wanted.opacity) and found.visible


def test_the_merged_picture_is_what_a_reader_renders(tmp_path):
    save_openraster(tmp_path / "photo.ora", layers())
    project = pyora.Project.load(str(tmp_path / "photo.ora"))
    rendered = np.asarray(project.get_image_data(use_original=False).convert("RGB"), dtype=int)
    with zipfile.ZipFile(tmp_path / "photo.ora") as archive, archive.open("mergedimage.png") as merged:
        ours = np.asarray(Image.open(merged).convert("RGB"), dtype=int)
    assert np.abs(rendered - ours).max() <= 2


def test_the_file_is_as_the_format_wants_it(tmp_path):
    save_openraster(tmp_path / "a.ora", layers())
    with zipfile.ZipFile(tmp_path / "a.ora") as archive:
        first = archive.infolist()[0]
        assert first.filename == "mimetype" and first.compress_type == zipfile.ZIP_STORED
        assert {"stack.xml", "mergedimage.png", "Thumbnails/thumbnail.png"} <= set(archive.namelist())
    save_openraster(tmp_path / "b.ora", layers())
    with zipfile.ZipFile(tmp_path / "b.ora") as other, zipfile.ZipFile(tmp_path / "a.ora") as archive:
        assert all(other.read(n) == archive.read(n) for n in archive.namelist() if n != "stack.xml")


@settings(max_examples=25, deadline=None)
@given(name=st.text(max_size=30))
def test_any_name_can_be_written(tmp_path_factory, name):
    path = tmp_path_factory.mktemp("ora") / "x.ora"
    save_openraster(path, [NamedLayer(name, torch.rand(4, 4, 4))])
    assert len(list(pyora.Project.load(str(path)).children)) == 1


def test_flattened_over_a_plate_it_is_the_usual_over():
    front = torch.tensor([1.0, 0.0, 0.0, 0.25]).view(4, 1, 1).expand(4, 2, 2)
    flat = flatten([NamedLayer("a", front), NamedLayer("b", torch.full((3, 2, 2), 0.8))])
    assert flat[:, 0, 0].tolist() == pytest.approx([0.85, 0.6, 0.6, 1.0])


def test_png_set_is_numbered_from_the_front(tmp_path):
    paths = save_png_set(tmp_path / "set", layers(), "p_")
    assert [path.name for path in paths] == ["p_00_cup.png", "p_01_spoon.png", "p_02_plate.png"]
    assert Image.open(paths[0]).size == (40, 30)
    table = json.loads((tmp_path / "set" / "p_layers.json").read_text(encoding="utf-8"))["front_to_back"]
    assert [entry["name"] for entry in table] == ["cup", "spoon", "plate"]


@pytest.mark.parametrize(
    ("name", "given", "sentence"),
    [
        ("a.png", [NamedLayer("a", torch.rand(4, 2, 2))], "must be named .ora, not 'a.png'"),
        ("a.ora", [], "there are no layers to save"),
        ("gone/a.ora", [NamedLayer("a", torch.rand(4, 2, 2))], "the folder .* does not exist"),
        (
            "a.ora",
            [NamedLayer("a", torch.rand(4, 2, 2)), NamedLayer("b", torch.rand(4, 2, 3))],
            "the layer 'b' is 3 x 2, not 2 x 2 like the first one",
        ),
        ("a.ora", [NamedLayer("a", torch.rand(4, 2, 2), 1.5)], "the opacity of the layer 'a' must be from 0 to 1"),
    ],
)
def test_refusals_leave_no_file(tmp_path, name, given, sentence):
    with pytest.raises(InputError, match=sentence):
        save_openraster(tmp_path / name, given)
    assert list(tmp_path.iterdir()) == []
