"""Reading photos of every kind and writing files whole or not at all."""

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

import paintseg
from paintseg.errors import InputError
from paintseg.io.formats import to_image
from paintseg.io.masks import read_mask
from paintseg.io.pictures import check_target, write_images, write_mask
from paintseg.io.reading import MAX_PIXELS, read_photo

GREY = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5
COLOUR = np.stack([GREY, GREY[::-1], GREY[:, ::-1]], axis=-1)


def save(path, picture, **options):
    picture.save(path, **options)
    return path


def as_bytes(image):
    return (image * 255).round().byte().permute(1, 2, 0).numpy()


@pytest.mark.parametrize("mode", ["L", "LA", "1", "I", "I;16", "F"])
def test_grey_photos_of_any_depth_become_the_same_rgb(tmp_path, mode):
    picture = Image.fromarray(GREY)
    if mode in ("I", "I;16"):
        picture = Image.fromarray(GREY.astype(np.uint16) * 257)
    elif mode == "F":
        picture = Image.fromarray(GREY.astype(np.float32))
    elif mode != "L":
        picture = picture.convert(mode)
    read = as_bytes(read_photo(save(tmp_path / ("photo.tiff" if mode == "F" else "photo.png"), picture)))
    expected = GREY if mode != "1" else np.asarray(Image.fromarray(GREY).convert("1")) * np.uint8(255)
    assert (read == expected[..., None]).all()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_colour_photos_keep_their_colours(tmp_path, mode):
    picture = Image.fromarray(COLOUR)
    picture = picture.quantize(64, dither=Image.Dither.NONE) if mode == "P" else picture.convert(mode)
    assert (as_bytes(read_photo(save(tmp_path / "photo.png", picture))) == np.asarray(picture.convert("RGB"))).all()


def test_cmyk_photos_are_read_as_pillow_converts_them(tmp_path):
    path = save(tmp_path / "photo.tiff", Image.fromarray(COLOUR).convert("CMYK"))
    assert (as_bytes(read_photo(path)) == np.asarray(Image.open(path).convert("RGB"))).all()


def test_a_photo_is_turned_as_its_exif_says(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn by 90 degrees clockwise
    path = save(tmp_path / "photo.png", Image.fromarray(COLOUR), exif=exif)
    assert (as_bytes(read_photo(path)) == np.rot90(COLOUR, -1)).all()


@given(arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9))))
@settings(max_examples=20, deadline=None)
def test_a_mask_is_read_as_it_was_written(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("masks") / "mask.png"
    values[0, 0] = 255  # a mask of which nothing is white is refused
    write_mask(path, torch.from_numpy(values).float() / 255)
    assert torch.allclose(read_mask(path), torch.from_numpy(values).float() / 255, atol=1e-6)


def test_strokes_drawn_on_transparency_are_read_by_their_transparency(tmp_path):
    picture = np.zeros((4, 4, 4), np.uint8)  # black strokes
    picture[1, :, 3] = 255
    assert read_mask(save(tmp_path / "strokes.png", Image.fromarray(picture))).tolist() == [
        [0, 0, 0, 0],
        [1, 1, 1, 1],
        [0, 0, 0, 0],
        [0, 0, 0, 0],
    ]


def bomb(width, height):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(2**14, 2**13 + 1), (10**5, 10**5)])
def test_a_picture_bomb_is_refused_by_its_header(tmp_path, size):
    (tmp_path / "bomb.png").write_bytes(bomb(*size))
    with pytest.raises(InputError, match=f"{MAX_PIXELS // 10**6} million"):
        read_photo(tmp_path / "bomb.png")


def test_the_public_face_takes_file_names_as_text(tmp_path):
    name = str(save(tmp_path / "photo.png", Image.fromarray(COLOUR)))
    assert torch.equal(paintseg.read_photo(name), read_photo(Path(name)))
    paintseg.write_mask(str(tmp_path / "mask.png"), torch.eye(4))
    assert torch.allclose(paintseg.read_mask(str(tmp_path / "mask.png")), torch.eye(4))


@given(st.integers(0, 10**9), st.integers(0, 255))
@settings(max_examples=40, deadline=None)
def test_broken_files_are_refused_in_one_sentence(tmp_path_factory, place, value):
    path = tmp_path_factory.mktemp("broken") / "photo.png"
    Image.fromarray(COLOUR).save(path)
    content = bytearray(path.read_bytes())
    content[place % len(content)] = value
    path.write_bytes(bytes(content[: place % len(content) + 1]))
    try:
        read_photo(path)
    except InputError as error:
        assert "\n" not in str(error) and str(path) in str(error)


def test_when_one_picture_cannot_be_written_none_is(tmp_path):
    good, bad = tmp_path / "a.png", tmp_path / "b.jpg"
    good.write_bytes(b"older")
    with pytest.raises(OSError):
        write_images({good: to_image(torch.zeros(4, 4)), bad: to_image(torch.zeros(4, 4, 4))})
    assert good.read_bytes() == b"older" and [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_what_a_killed_process_left_is_swept_and_what_is_being_written_is_not(tmp_path):
    left, written, foreign = (
        tmp_path / name for name in (".a.unfinished-0123abcd.ora", ".b.unfinished-0123abcd.png", ".c.0123abcd.png")
    )
    for path in (left, written, foreign):
        path.write_bytes(b"half")
    for path in (left, foreign):
        os.utime(path, (0, 0))
    write_mask(tmp_path / "mask.png", torch.zeros(4, 4))
    assert {path.name for path in tmp_path.iterdir()} == {written.name, foreign.name, "mask.png"}


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("x.jpg", {"alpha": True}),
        ("x.jpg", {"lossless": True}),
        ("x.doc", {}),
        ("x", {}),
        ("none/x.png", {}),
        (".", {}),
    ],
)
def test_names_that_could_not_be_written_are_refused_beforehand(tmp_path, name, options):
    with pytest.raises(InputError):
        check_target(tmp_path / name, "-o", **options)
