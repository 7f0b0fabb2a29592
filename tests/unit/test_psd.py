"""PSD files, read back by psd-tools and by ImageMagick."""

import re
import shutil
import subprocess
from xml.etree import ElementTree

import numpy as np
import psd_tools
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from paintseg.__main__ import main
from paintseg.cli.bench import made_up_photo
from paintseg.errors import InputError
from paintseg.io import packages
from paintseg.io.formats import to_image
from paintseg.layers.blending import MODES
from paintseg.layers.psd import save_psd
from paintseg.layers.stack import NamedLayer, flatten

SIZE = (30, 40)


def find_magick():
    """ImageMagick's command, and not another program of the same name; None where it is not installed."""
    for path in filter(None, map(shutil.which, ("magick", "convert"))):
        said = subprocess.run([path, "-version"], capture_output=True, text=True, check=False).stdout
        if "ImageMagick" in said and "Copyright" in said:
            return path
    return None


MAGICK = find_magick()


def noise(*shape, seed=0):
    return torch.randint(1, 256, shape, generator=torch.Generator().manual_seed(seed)) / 255


def stack():
    """A cup cropped by its own transparency, a spoon that hangs out of the picture, and a plate."""
    cup = torch.zeros(4, *SIZE)
    cup[:, 3:25, 5:20] = noise(4, 22, 15)
    spoon = NamedLayer("Löffel 匙", noise(4, 8, 12, seed=1), 0.5, False, 35, -3, "multiply")
    return [NamedLayer("cup", cup), spoon, NamedLayer("plate", noise(3, *SIZE, seed=2))]


def bytes_of(pixels):
    return (pixels * 255).round().byte().movedim(0, -1).numpy()


def test_psd_tools_reads_every_layer_bit_for_bit(tmp_path):
    given = stack()
    save_psd(tmp_path / "a.psd", given, size=SIZE)
    document = psd_tools.PSDImage.open(tmp_path / "a.psd")
    plate, spoon, cup = list(document)  # back to front
    assert document.size == (40, 30)
    assert [layer.name for layer in (cup, spoon, plate)] == ["cup", "Löffel 匙", "plate"]
    assert [layer.bbox for layer in (cup, spoon, plate)] == [(5, 3, 20, 25), (35, -3, 47, 5), (0, 0, 40, 30)]
    assert [layer.opacity for layer in (cup, spoon, plate)] == [255, 128, 255]
    assert [layer.visible for layer in (cup, spoon, plate)] == [True, False, True]
    assert spoon.blend_mode is psd_tools.constants.BlendMode.MULTIPLY
    np.testing.assert_array_equal(np.asarray(cup.topil()), bytes_of(given[0].pixels[:, 3:25, 5:20]))
    np.testing.assert_array_equal(np.asarray(spoon.topil()), bytes_of(given[1].pixels))
    np.testing.assert_array_equal(np.asarray(plate.topil())[..., :3], bytes_of(given[2].pixels))
    np.testing.assert_array_equal(np.asarray(document.topil())[..., :3], bytes_of(flatten(given, SIZE))[..., :3])


@pytest.mark.skipif(MAGICK is None, reason="ImageMagick is not installed")
def test_imagemagick_reads_every_layer_at_its_pixel(tmp_path):
    given = stack()
    save_psd(tmp_path / "a.psd", given, size=SIZE)
    for number, wanted in enumerate([flatten(given, SIZE)[:3], *(layer.pixels for layer in reversed(given))]):
        shown = subprocess.run([MAGICK, f"{tmp_path}/a.psd[{number}]", "-format", "%w %h %X %Y", "info:"],
                               capture_output=True, text=True, check=True).stdout  # fmt: skip
        width, height, left, top = map(int, shown.split())
        subprocess.run(
            [MAGICK, f"{tmp_path}/a.psd[{number}]", "+repage", "-depth", "8", tmp_path / "a.png"], check=True
        )
        read = np.asarray(Image.open(tmp_path / "a.png").convert("RGBA"))
        assert read.shape[:2] == (height, width)
        place = [(0, 0), (0, 0), (35, -3), (5, 3)][number]
        assert (left, top) == place
        part = wanted[:, 3:25, 5:20] if number == 3 else wanted
        if number != 2:  # ImageMagick gives a layer's opacity to its pixels
            np.testing.assert_array_equal(read[..., : len(part)], bytes_of(part))
        else:
            np.testing.assert_array_equal(read[..., :3], bytes_of(part)[..., :3])
            assert np.abs(read[..., 3] - bytes_of(part)[..., 3] / 2).max() <= 1


def test_a_transparent_picture_stays_transparent(tmp_path):
    layer = NamedLayer("glass", noise(4, *SIZE))
    save_psd(tmp_path / "a.psd", [layer])
    merged = np.asarray(psd_tools.PSDImage.open(tmp_path / "a.psd").topil())
    np.testing.assert_array_equal(merged[..., 3], bytes_of(layer.pixels)[..., 3])
    off = np.abs(merged[..., :3].astype(int) - bytes_of(layer.pixels)[..., :3]) * (merged[..., 3:] / 255)
    assert off.max() <= 2


@pytest.mark.parametrize("mode", MODES)
def test_every_blend_mode_has_its_name_in_the_file(tmp_path, mode):
    save_psd(tmp_path / "a.psd", [NamedLayer("a", noise(4, 2, 2), mode=mode)])
    (layer,) = psd_tools.PSDImage.open(tmp_path / "a.psd")
    assert layer.blend_mode.name.lower() == mode.replace("-", "_")


@settings(max_examples=25, deadline=None)
@given(name=st.text(max_size=300))
def test_any_name_can_be_written(tmp_path_factory, name):
    path = tmp_path_factory.mktemp("psd") / "x.psd"
    save_psd(path, [NamedLayer(name, noise(4, 2, 3))])
    (layer,) = psd_tools.PSDImage.open(path)
    assert layer.bbox == (0, 0, 3, 2)
    if name.isprintable() and "\0" not in name and len(name) <= 255:
        assert layer.name == name


def test_the_texts_are_told_as_xmp(tmp_path):
    texts = {"prompt": '{"1": "<ä & \\"b\\">"}', "workflow": "{}"}
    save_psd(tmp_path / "a.psd", [NamedLayer("a", noise(4, 2, 2))], texts)
    packet = psd_tools.PSDImage.open(tmp_path / "a.psd").image_resources[1060].data.decode()
    root = ElementTree.fromstring(packet.replace("\ufeff", ""))
    own = "{https://github.com/paintseg/ComfyUI-PaintSeg/xmp/}"
    read = {one.findtext(f"{own}name"): one.findtext(f"{own}text") for one in root.iter()}
    assert {name: text for name, text in read.items() if name} == texts


@pytest.mark.parametrize(
    ("name", "given", "sentence"),
    [
        ("a.png", [NamedLayer("a", noise(4, 2, 2))], "must be named .psd, not 'a.png'"),
        ("a.psd", [], "there are no layers to save"),
        ("gone/a.psd", [NamedLayer("a", noise(4, 2, 2))], "the folder .* does not exist"),
        ("a.psd", [NamedLayer("a", noise(4, 1, 30001))], "a PSD file has at most 30000 pixels a side"),
    ],
)
def test_refusals_leave_no_file(tmp_path, name, given, sentence):
    with pytest.raises(InputError, match=sentence):
        save_psd(tmp_path / name, given)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_is_asked_for_before_the_work(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(packages, "installed", lambda name: None)
    Image.new("RGB", (32, 32)).save(tmp_path / "photo.png")
    code = main(["layers", str(tmp_path / "photo.png"), "--box", "1,1,9,9", "-o", str(tmp_path / "a.psd")])
    assert code == 2
    assert re.search(r'psd-tools is not installed; install it with: .* "psd-tools>=1.14.3"', capsys.readouterr().err)
    assert [path.name for path in tmp_path.iterdir()] == ["photo.png"]


def test_the_command_writes_its_layers_front_to_back(tmp_path):
    image, prompt = made_up_photo(120, 70)
    to_image(image).save(tmp_path / "photo.png")
    boxes = ["--box", ",".join(map(str, prompt.box)), "--box", "0,0,30,30", "--preset", "fast"]
    fast = ["--size", "128", "--set", "encoder_size=168", "--set", "photo_size=168", "-q"]
    target = tmp_path / "apart.psd"
    assert main(["layers", str(tmp_path / "photo.png"), *boxes, *fast, "--hidden-parts", "-o", str(target)]) == 0
    names = [layer.name for layer in psd_tools.PSDImage.open(target)]
    assert names[0] == "background" and names[-1] == "object 1" and "object 2" in names
