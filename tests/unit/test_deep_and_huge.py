"""Pictures of 16 bits, and pictures, masks and layers that would fill the memory."""

import struct
import zlib

import numpy as np
import pytest
import torch
from harness.inprocess import load_pack

from paintseg.__main__ import main
from paintseg.errors import InputError
from paintseg.io.formats import to_image
from paintseg.io.masks import read_mask
from paintseg.io.reading import MAX_PIXELS, read_photo
from paintseg.layers.compose import LARGEST_AREA, MOST, Placement, reassemble, transform
from paintseg.segmentation import segment

from .small_models import MeanColour, Surroundings, disc_photo

SIZE = (48, 64)
PHOTO, DISC = disc_photo(SIZE, centre=(32, 24), radius=12)
TOO_MANY = f"more than {MAX_PIXELS // 10**6} million"
BOX = [
    "--box",
    "18,10,46,38",
    "--preset",
    "fast",
    "--size",
    "64",
    "--set",
    "encoder_size=56",
    "--set",
    "photo_size=0",
    "-q",
]


def png(width, height, bits, colour, rows):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def tiff(width, height):
    """Grey, one strip, of which nothing is there."""
    tags = [(256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, height), (279, 1)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<I", 16) + bytes(8) + struct.pack("<H", len(tags)) + entries + bytes(4)


def deep(photo):
    """3 x H x W as a PNG of 48 bits a pixel."""
    values = (photo.movedim(0, -1).numpy() * 65535).round().astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    return png(photo.shape[2], photo.shape[1], 16, 2, rows)


# Bombs


@pytest.mark.parametrize("read", [read_photo, read_mask])
@pytest.mark.parametrize("size", [(2**14, 2**13 + 1), (10**5, 10**5)])
@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_a_picture_of_too_many_pixels_is_refused_by_its_header(tmp_path, kind, size, read):
    path = tmp_path / f"bomb.{kind}"
    path.write_bytes(png(*size, 8, 0, b"") if kind == "png" else tiff(*size))
    with pytest.raises(InputError, match=TOO_MANY):
        read(path)


@pytest.mark.parametrize("argument", ["--mask", "--scribble", "--negative-scribble"])
def test_the_command_refuses_masks_and_strokes_of_too_many_pixels(tmp_path, capsys, argument):
    (tmp_path / "bomb.tiff").write_bytes(tiff(10**5, 10**5))
    to_image(PHOTO).save(tmp_path / "photo.png")
    words = ["segment", str(tmp_path / "photo.png"), argument, str(tmp_path / "bomb.tiff")]
    assert main([*words, *(BOX[2:] if argument == "--mask" else BOX), "-o", str(tmp_path / "mask.png")]) == 2
    assert TOO_MANY in capsys.readouterr().err and not (tmp_path / "mask.png").exists()


@pytest.mark.parametrize(
    ("size", "scale", "rotation"),
    [((100, 100), 100, 0), ((100, 100), 60, 45), ((1, 160), 100, 45), ((100, 100), 163.8, 90)],
    ids=["scaled", "turned", "a line turned", "turned by a quarter"],
)
def test_a_layer_that_would_fill_the_memory_is_refused_before_it_is_made(monkeypatch, size, scale, rotation):
    def made(*_):
        raise AssertionError("it was made")

    monkeypatch.setattr("paintseg.layers.compose.resize", made)
    with pytest.raises(InputError, match=f"is too large; {LARGEST_AREA // 10**6} million pixels is the most"):
        reassemble(PHOTO, [torch.ones(4, *size)], [Placement(scale=scale, rotation=rotation)])


def test_a_layer_larger_than_that_may_be_turned_but_not_enlarged(monkeypatch):
    monkeypatch.setattr("paintseg.layers.compose.LARGEST_AREA", 100)
    layer = torch.ones(4, 20, 30)
    assert transform(layer, 1, 30, False).shape[1:] == (33, 36)
    assert transform(layer, 0.5, 30, False).shape[0] == 4
    with pytest.raises(InputError, match="is too large"):
        transform(layer, 2, 0, False)


def test_the_number_of_placements_is_limited():
    layer = torch.zeros(4, 4, 4)
    assert torch.equal(reassemble(PHOTO, [layer], [Placement()] * MOST), PHOTO)
    with pytest.raises(InputError, match=f"there are {MOST + 1} placements; at most {MOST} layers are put"):
        reassemble(PHOTO, [layer], [Placement()] * (MOST + 1))


# 16 bits


def test_a_photo_of_48_bits_is_read_with_its_colours(tmp_path):
    (tmp_path / "deep.png").write_bytes(deep(PHOTO))
    torch.testing.assert_close(read_photo(tmp_path / "deep.png"), PHOTO, atol=1 / 255, rtol=0)


def test_the_command_finds_in_48_bits_what_it_finds_in_24(tmp_path, capsys):
    shown = (PHOTO * 255).floor() / 255  # what is left of 16 bits when 8 are read
    (tmp_path / "deep.png").write_bytes(deep(PHOTO))
    to_image(shown).save(tmp_path / "plain.png")
    masks = []
    for name in ("deep", "plain"):
        target = tmp_path / f"{name}_mask.png"
        assert main(["segment", str(tmp_path / f"{name}.png"), *BOX, "-o", str(target)]) == 0
        masks.append(read_mask(target) > 0.5)
    assert masks[0].any() and (masks[0] != masks[1]).float().mean() < 0.01


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    pack = load_pack()
    import folder_paths

    folder_paths.set_temp_directory(str(tmp_path_factory.mktemp("temp")))
    return pack.nodes


@pytest.mark.parametrize("dtype", [torch.float32, torch.int32])
def test_an_image_of_values_up_to_65535_is_refused_by_nodes_and_library(nodes, dtype):
    image = (PHOTO.movedim(0, -1)[None] * 65535).to(dtype)
    mask = DISC[None].float()
    prompt = nodes.prompt.PromptToMask.execute(image, {"kind": "mask", "mask": mask}).result[0]
    models = {"painter": Surroundings(), "encoder": MeanColour()}
    sentence = r"^the (image|plate) must hold values in \[0, 1\], not from \d+(\.\d+)? to 630\d\d(\.\d+)?$"
    for run in (
        lambda: nodes.loop.AMCPLoop.execute(image, prompt, preset="fast", seed=0, **models),
        lambda: nodes.remove.RemoveObject.execute(image, mask, 0, 1, False, **models),
        lambda: nodes.cut_out.CutOut.execute(image, mask, 0.0),
        lambda: nodes.reassemble.Reassemble.execute(image, torch.ones(1, 8, 8, 4), 0, 0, 0, 1, 0, False, 1, 0),
        lambda: nodes.discover.Discover.execute(image, encoder=MeanColour()),
        lambda: segment(image[0].movedim(-1, 0).float(), prompt[0], Surroundings(), MeanColour()),
    ):
        with pytest.raises(ValueError, match=sentence):
            run()
    with pytest.raises(InputError, match=r"the image must hold floating point values in \[0, 1\], not torch.int32"):
        segment(image[0].movedim(-1, 0).int(), prompt[0], Surroundings(), MeanColour())


def test_a_16_bit_grey_photo_has_the_values_of_its_8_bit_twin(tmp_path):
    from PIL import Image

    grey = np.arange(256, dtype=np.uint16).reshape(16, 16)
    Image.fromarray(grey * 257).save(tmp_path / "deep.png")
    assert torch.equal((read_photo(tmp_path / "deep.png")[0] * 255).round(), torch.from_numpy(grey).float())
