"""Which pixels of a mask file are meant: by the kind of the file, as ComfyUI reads its own, never by a few pixels."""

import importlib
import shutil

import numpy as np
import pytest
import torch
from harness.inprocess import load_pack
from harness.paths import PHOTO
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from paintseg.__main__ import main
from paintseg.errors import InputError
from paintseg.io.masks import read_mask

from .small_models import commands_share_models  # noqa: F401  (a fixture)
from .test_cli import SMALL, folder  # noqa: F401

pytestmark = pytest.mark.usefixtures("commands_share_models")

ASSETS = PHOTO.parent
DISC = (np.indices((60, 80)) - np.array([30, 40])[:, None, None]).__pow__(2).sum(0) < 15**2
SCENE = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
WHITE_ON_BLACK = np.where(DISC, 255, 0).astype(np.uint8)


def rgba(colours, alpha):
    if np.ndim(colours) < 2:
        colours = np.full((60, 80, 3), colours)
    colours = np.broadcast_to(colours if colours.ndim == 3 else colours[..., None], (60, 80, 3))
    return Image.fromarray(np.dstack([colours, np.broadcast_to(alpha, (60, 80))]).astype(np.uint8))


def palette(numbers, colours):
    picture = Image.fromarray(numbers.astype(np.uint8)).convert("L")
    picture.putpalette(bytes(np.array(colours, np.uint8).ravel()))
    return picture


def voc_colours():
    """PASCAL VOC's 256 colours: the bits of a number, three at a time, are the high bits of red, green and blue."""
    return [
        [sum((number >> (3 * bit + channel) & 1) << (7 - bit) for bit in range(3)) for channel in range(3)]
        for number in range(256)
    ]


LABELS = np.where(DISC, 15, 0)
MEANT = {
    "white on black": Image.fromarray(WHITE_ON_BLACK),
    "white on black, opaque": rgba(WHITE_ON_BLACK, 255),
    "white on black, one pixel nearly opaque": rgba(WHITE_ON_BLACK, 255 - (np.arange(4800) == 5).reshape(60, 80)),
    "white on black, nearly opaque": rgba(WHITE_ON_BLACK, 250),
    "white on black, grey and alpha": rgba(WHITE_ON_BLACK, 255).convert("LA"),
    "yellow on black": Image.fromarray(WHITE_ON_BLACK[..., None] * np.array([1, 1, 0], np.uint8)),
    "mask editor, colour photo": rgba(SCENE, np.where(DISC, 0, 255)),
    "mask editor, grey photo": rgba(SCENE[..., 0], np.where(DISC, 0, 255)).convert("LA"),
    "mask editor, a page of black and white": rgba((SCENE[..., 0] > 127) * 255, np.where(DISC, 0, 255)),
    "mask editor, a thing on white": rgba(np.where(DISC[..., None], SCENE, 255), np.where(DISC, 0, 255)),
    "Painter, a colour": rgba(np.where(DISC[..., None], [135, 215, 63], 0), np.where(DISC, 255, 0)),
    "white strokes on transparency": rgba(255, np.where(DISC, 255, 0)),
    "white strokes, black below": rgba(WHITE_ON_BLACK, np.where(DISC, 255, 0)),
    "black strokes on transparency": rgba(0, np.where(DISC, 255, 0)),
    "labels of VOC": palette(LABELS, voc_colours()),
    "labels of two objects": palette(np.where(DISC, 1 + (np.arange(80) > 40), 0), voc_colours()),
    "labels, the border undecided": palette(np.where(np.roll(DISC, 3, 1) & ~DISC, 255, LABELS), voc_colours()),
    "a palette of black and white": palette(DISC, [[0, 0, 0], [255, 255, 255]]),
    "labels, one of them grey": palette(np.where(DISC, 7, 0), voc_colours()),
    "labels of other colours": palette(np.where(DISC, 255, 0), [[0, 0, 0], [255, 0, 0], *[[0, 0, 9]] * 254]),
    "labels of more than one black": palette(np.where(DISC, 3, 2), [[0, 0, 0], [255, 0, 0], [0, 0, 0], [0, 255, 0]]),
    "a palette of white and black": palette(~DISC, [[255, 255, 255], [0, 0, 0]]),
    "0 and 1": Image.fromarray(DISC.astype(np.uint8)),
    "0 and 1 of 16 bits": Image.fromarray(DISC.astype(np.uint16)),
    "16 bits": Image.fromarray(WHITE_ON_BLACK.astype(np.uint16) * 257),
    "one bit": Image.fromarray(DISC),
}
UNSAID = ("white on black", "yellow on black", "a palette of", "16 bits", "one bit")


@pytest.mark.parametrize("name", MEANT)
def test_the_object_is_what_the_kind_of_the_file_says(tmp_path, caplog, name):
    MEANT[name].save(tmp_path / "mask.png")
    read = read_mask(tmp_path / "mask.png")
    assert ((read > 0.5).numpy() == DISC).all() and read.shape == (60, 80)
    assert torch.equal(read_mask(tmp_path / "mask.png", invert=True), 1 - read)
    assert len(caplog.messages) == (0 if name.startswith(UNSAID) else 1)
    assert all(str(tmp_path / "mask.png") in said for said in caplog.messages)


@given(name=st.sampled_from([*MEANT]), data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_few_stray_pixels_change_the_meaning_of_no_other(tmp_path_factory, name, data):
    picture = MEANT[name]
    pixels = np.array(picture)
    flat = pixels.reshape(60 * 80, -1)
    # every second column and row, lest strays stand side by side
    spots = data.draw(st.lists(st.tuples(st.integers(0, 29), st.integers(0, 39)), min_size=1, max_size=3, unique=True))
    places = [2 * row * 80 + 2 * column for row, column in spots]
    bright = name.startswith("0 and 1") or name.startswith("labels")  # there a stray number is another kind of file
    for place in places:
        for channel in range(flat.shape[1]):
            most = 1 if bright or pixels.dtype == bool else 255
            flat[place, channel] = data.draw(st.integers(0, most))
    stray = Image.fromarray(flat.reshape(pixels.shape).astype(pixels.dtype))
    if picture.mode == "P":
        stray.putpalette(picture.getpalette())
    path = tmp_path_factory.mktemp("stray") / "mask.png"
    stray.save(path)
    same = np.ones(60 * 80, bool)
    same[places] = False
    assert (((read_mask(path) > 0.5).numpy() == DISC).ravel()[same]).all()


def test_a_cut_out_is_read_as_comfyui_does_and_inverted_on_request(tmp_path):
    rgba(SCENE, np.where(DISC, 255, 0)).save(tmp_path / "cut.png")
    assert ((read_mask(tmp_path / "cut.png") > 0.5).numpy() == ~DISC).all()
    assert ((read_mask(tmp_path / "cut.png", invert=True) > 0.5).numpy() == DISC).all()


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        (Image.fromarray(np.where(DISC, 20, 0).astype(np.uint8)), "20 of 255"),
        (Image.fromarray(np.where(DISC, 3, 0).astype(np.uint16)), "3 of 65535"),
        (Image.fromarray((DISC[..., None] * np.array([255, 0, 0])).astype(np.uint8)), "76 of 255"),
    ],
)
def test_a_picture_without_white_is_refused_with_its_largest_value(tmp_path, picture, said):
    picture.save(tmp_path / "labels.png")
    with pytest.raises(InputError, match=f"nothing in .*labels.png is white: its brightest pixel is {said}"):
        read_mask(tmp_path / "labels.png")


def test_a_black_picture_is_an_empty_mask(tmp_path):
    Image.new("L", (8, 6)).save(tmp_path / "black.png")
    assert not read_mask(tmp_path / "black.png").any()


@pytest.fixture(scope="module")
def comfyui():
    load_pack()
    return importlib.import_module("nodes"), importlib.import_module("comfy_extras.nodes_painter").PainterNode


@pytest.mark.parametrize("name", [path.name for path in sorted(ASSETS.glob("paintseg_edited_*.webp"))])
def test_what_the_mask_editor_saves_is_read_as_load_image_reads_it(comfyui, name, tmp_path, monkeypatch):
    import folder_paths

    monkeypatch.setattr(folder_paths, "input_directory", str(tmp_path))
    shutil.copy(ASSETS / name, tmp_path)
    expected = comfyui[0].LoadImage().load_image(name)[1][0]
    read = read_mask(ASSETS / name)
    assert 0 < expected.mean() < 0.5 and torch.equal(read > 0.5, expected > 0.5)
    assert torch.allclose(read, expected.float(), atol=5e-3)  # ComfyUI's own opaque is a step of 255 less


@pytest.mark.parametrize("name", ["paintseg_cup_painted.png", "paintseg_strokes_on.png", "paintseg_shuttle_dots.png"])
def test_what_painter_saves_is_read_as_painter_reads_it(comfyui, name, tmp_path, monkeypatch):
    import folder_paths

    monkeypatch.setattr(folder_paths, "input_directory", str(tmp_path))
    shutil.copy(ASSETS / name, tmp_path)
    width, height = Image.open(ASSETS / name).size
    monkeypatch.setattr("comfy_extras.nodes_painter.UI.PreviewImage", lambda image: None)
    expected = comfyui[1].execute(name, width, height).args[1][0]
    assert torch.allclose(read_mask(ASSETS / name), expected, atol=1e-6)


def test_the_command_removes_what_the_mask_editor_marked_and_the_rest_with_invert(folder, capsys):  # noqa: F811
    photo = np.asarray(Image.open(folder / "photo.png").convert("RGB"))
    marked = np.zeros((120, 120), bool)
    marked[30:90, 30:90] = True
    for name, hidden in (("edited.png", marked), ("cut.png", ~marked)):
        Image.fromarray(np.dstack([photo, np.where(hidden, 0, 255).astype(np.uint8)])).save(folder / name)
    plates = []
    for name, more in (("edited.png", []), ("cut.png", ["--invert"])):
        words = ["remove", str(folder / "photo.png"), "--mask", str(folder / name), "--exact", *more, "--grow", "4"]
        assert main([*words, *SMALL, "-q", "-o", str(folder / "plate.png")]) == 0
        plates.append(np.asarray(Image.open(folder / "plate.png")))
    assert (plates[0][:20] == photo[:20]).all() and (plates[0] != photo)[40:80, 40:80].any()
    assert (plates[0] == plates[1]).all()


def test_a_folder_s_masks_can_be_inverted_too(folder):  # noqa: F811
    (folder / "photos").mkdir()
    shutil.move(folder / "photo.png", folder / "photos")
    drawn = np.full((120, 120), 255, np.uint8)
    drawn[25:95, 25:95] = 0
    Image.fromarray(drawn).save(folder / "coarse.png")
    words = ["segment", str(folder / "photos"), "--mask", str(folder / "coarse.png"), "--invert", *SMALL, "-q"]
    assert main([*words, "-o", str(folder / "masks")]) == 0
    (folder / "prompts.csv").write_text(f"photo,mask,invert\nphoto.png,{folder / 'coarse.png'},1\n")
    words = ["segment", str(folder / "photos"), "--prompts", str(folder / "prompts.csv"), *SMALL, "-q"]
    assert main([*words, "-o", str(folder / "listed")]) == 0
    found, listed = (read_mask(folder / name / "photo.png") for name in ("masks", "listed"))
    assert found[60, 60] == 1 and found[2, 2] == 0 and torch.equal(found, listed)


def test_invert_without_a_picture_is_refused(folder, capsys):  # noqa: F811
    assert main(["segment", str(folder / "photo.png"), "--box", "1,1,9,9", "--invert"]) == 2
    assert "--invert goes with --mask, --scribble or --negative-scribble" in capsys.readouterr().err
