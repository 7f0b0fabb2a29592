"""Photos with transparency: it comes back with plates, cut-outs and layers, and what it hid stays hidden."""

import zipfile
from io import BytesIO

import numpy as np
import pytest
import torch
from harness.inprocess import load_pack
from PIL import Image

from paintseg.__main__ import main
from paintseg.cli.bench import made_up_photo
from paintseg.config import preset
from paintseg.errors import InputError
from paintseg.io.formats import to_image
from paintseg.io.inputs import as_pictures
from paintseg.io.reading import load_photo, read_photo
from paintseg.layers.amodal import amodal, peel
from paintseg.layers.compose import Placement, reassemble
from paintseg.layers.cutout import cut_out
from paintseg.layers.removal import paint_out
from paintseg.layers.stack import NamedLayer, flatten
from paintseg.prompts import box_prompt

from .small_models import MeanColour, Surroundings, commands_share_models, disc_photo  # noqa: F401  (a fixture)
from .test_cli import SMALL

pytestmark = pytest.mark.usefixtures("commands_share_models")

SIZE = (96, 128)
PHOTO, DISC = disc_photo(SIZE)
ALPHA = torch.ones(SIZE)
ALPHA[:, 100:] = 0
ALPHA[70:, :40] = 0.4
BEHIND = PHOTO.masked_fill(ALPHA == 0, 0.0)  # hidden black
WHOLE = torch.cat([BEHIND, ALPHA[None]])
BOX = box_prompt((40, 24, 88, 72), SIZE)
CONFIG = preset("fast", size=128, encoder_size=128)
MODELS = (Surroundings(), MeanColour())


def test_a_plate_keeps_the_alpha_outside_the_hole_to_the_bit_and_is_as_opaque_as_around_it():
    done = paint_out(WHOLE, DISC.float(), Surroundings())
    assert done.plate.shape == (4, *SIZE)
    assert torch.equal(done.plate[:, ~done.hole], WHOLE[:, ~done.hole])
    assert done.plate[3][DISC].min() == 1
    assert torch.equal(done.plate[:3], paint_out(BEHIND, DISC.float(), Surroundings()).plate)


def test_behind_an_object_on_transparency_there_is_nothing():
    alone = torch.cat([PHOTO, DISC[None].float()])
    done = paint_out(alone, DISC.float(), Surroundings())
    assert done.plate[3].max() == 0


def test_a_cut_out_is_as_transparent_as_object_and_photo():
    soft = torch.full(SIZE, 0.75)
    layer = cut_out(WHOLE, soft, levels=(0.0, 1.0))
    assert torch.equal(layer[3], 0.75 * ALPHA)
    assert torch.equal(cut_out(PHOTO, soft)[3] * ALPHA, cut_out(torch.cat([PHOTO, ALPHA[None]]), soft)[3])


def test_amodal_and_peel_keep_it():
    front = torch.zeros(SIZE)
    front[30:50, 30:45] = 1
    done = amodal(WHOLE, front, BOX, *MODELS, CONFIG)
    assert done.plate.shape == (4, *SIZE) and (done.plate[3][:, 100:] == 0).all()
    assert (done.layer[3][:, 100:] == 0).all() and done.layer[3].max() > 0.9
    found = peel(WHOLE, [BOX], *MODELS, CONFIG)
    assert found.plate.shape == (4, *SIZE) and (found.plate[3][:, 100:] == 0).all()
    picture = flatten([NamedLayer("object", found.layers[0]), NamedLayer("background", found.plate)])
    assert (picture[3][:, 101:] == 0).all() and (picture[3][40:56, 56:72] > 0.99).all()


def test_layers_over_a_transparent_plate_are_seen_where_they_lie_and_nothing_else_is():
    layer = torch.zeros(4, *SIZE)
    layer[:, 10:20, 105:115] = torch.tensor([1.0, 0, 0, 1])[:, None, None]
    layer[:, 80:90, 10:20] = torch.tensor([0, 1.0, 0, 0.5])[:, None, None]
    picture = reassemble(WHOLE, [layer], [Placement()])
    unseen = layer[3] == 0
    assert torch.equal(picture[:, unseen], WHOLE[:, unseen])
    assert picture[:, 15, 110].tolist() == [1, 0, 0, 1]
    assert picture[3, 85, 15] == pytest.approx(0.5 + 0.4 * 0.5)
    expected = (0.5 * torch.tensor([0, 1.0, 0]) + 0.2 * BEHIND[:, 85, 15]) / 0.7
    assert torch.allclose(picture[:3, 85, 15], expected, atol=1e-6)
    assert torch.equal(reassemble(PHOTO, [layer]), reassemble(torch.cat([PHOTO, torch.ones(1, *SIZE)]), [layer])[:3])


@pytest.mark.parametrize(
    "call",
    [
        lambda image: paint_out(image, DISC.float(), Surroundings()),
        lambda image: cut_out(image, DISC),
        lambda image: reassemble(image, [WHOLE]),
    ],
)
def test_an_alpha_that_is_no_number_is_refused(call):
    broken = WHOLE.clone()
    broken[3, 0, 0] = float("nan")
    with pytest.raises(InputError, match="alpha holds NaN"):
        call(broken)


def test_two_channels_are_grey_and_alpha():
    pictures = as_pictures(torch.rand(1, 4, 5, 2))
    assert pictures.shape == (1, 4, 4, 5) and torch.equal(pictures[:, 0], pictures[:, 2])


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    pack = load_pack()
    import folder_paths

    folder_paths.set_temp_directory(str(tmp_path_factory.mktemp("temp")))
    folder_paths.set_output_directory(str(tmp_path_factory.mktemp("output")))
    return pack.nodes


IMAGE = WHOLE.movedim(0, -1)[None]
METHOD = {"preset": "fast", "seed": 0, "painter": MODELS[0], "encoder": MODELS[1]}
REMOVED = {"seed": 0, "candidates": 1, "shadow": False, "painter": MODELS[0], "encoder": MODELS[1]}
PLACED = {"layer": 0, "dx": 0, "dy": 0, "scale": 1, "rotation": 0, "flip": False, "opacity": 1, "shadow": 0}


def prompt(nodes):
    return nodes.PromptToMask.execute(image=IMAGE, kind={"kind": "box"}, boxes="[[40, 24, 88, 72]]").args[0]


NODES = {  # each with the numbers of its outputs that are pictures of all of the photo, and those that are layers
    "RemoveObject": (lambda nodes: {"image": IMAGE, "mask": DISC[None].float(), **REMOVED}, [0], []),
    "CutOut": (lambda nodes: {"image": IMAGE, "mask": DISC[None].float(), "soften": 0.0, "edge": "matte"}, [], [0]),
    "Amodal": (
        lambda nodes: {"image": IMAGE, "front": DISC[None].float(), "prompt": prompt(nodes), "candidates": 1, **METHOD},
        [2],
        [1],
    ),
    "Layers": (
        lambda nodes: {"image": IMAGE, "prompt": prompt(nodes), "candidates": 1, "most": 1, "shadow": False, **METHOD},
        [2],
        [0],
    ),
    "AMCPLoop": (lambda nodes: {"image": IMAGE, "prompt": prompt(nodes), **METHOD}, [2], [3]),
    "Reassemble": (lambda nodes: {"plate": IMAGE, "layers": torch.zeros(1, 8, 8, 4), **PLACED}, [0], []),
}


@pytest.mark.parametrize("name", NODES)
def test_every_node_that_gives_pictures_keeps_the_transparency(nodes, name):
    inputs, pictures, layers = NODES[name]
    out = getattr(nodes, name).execute(**inputs(nodes)).args
    for number in pictures:
        assert out[number].shape == (1, *SIZE, 4)
        assert torch.equal(out[number][0, :, 112:], IMAGE[0, :, 112:])
    for number in layers:
        assert (out[number][0, :, 100:, 3] == 0).all()


def test_saved_layers_keep_a_transparent_plate(nodes):
    inputs = {"layers": torch.zeros(1, *SIZE, 4), "plate": IMAGE, "filename_prefix": "t", "format": "OpenRaster"}
    with zipfile.ZipFile(nodes.SaveLayers.execute(**inputs).args[0]) as archive:
        merged = np.asarray(Image.open(BytesIO(archive.read("mergedimage.png"))))
    assert (merged[:, 100:, 3] == 0).all() and (merged[:40, :90, 3] == 255).all()


@pytest.mark.parametrize("names", ["hat,", "hat, ,", "hat\n"])
def test_a_comma_behind_the_last_name_is_no_name(nodes, names):
    inputs = {"layers": torch.zeros(1, *SIZE, 4), "filename_prefix": "t", "format": "OpenRaster", "names": names}
    with zipfile.ZipFile(nodes.SaveLayers.execute(**inputs).args[0]) as archive:
        assert b'name="hat"' in archive.read("stack.xml")


@pytest.fixture
def sprite(tmp_path):
    """A photo with a transparent margin that hides black."""
    image, seen = made_up_photo(120, 70)
    alpha = torch.ones(1, 120, 120)
    alpha[:, :, 106:] = 0
    picture = np.array(to_image(torch.cat([image * (alpha > 0), alpha])))
    Image.fromarray(picture).save(tmp_path / "photo.png")
    box = ",".join(f"{edge:g}" for edge in seen.box)
    return tmp_path, picture, [str(tmp_path / "photo.png"), "--box", box, *SMALL, "-q"]


def test_the_commands_keep_it_too(sprite):
    folder, picture, words = sprite
    assert main(["remove", *words, "-o", str(folder / "removed.png")]) == 0
    assert main(["segment", *words, "--plate", str(folder / "plate.webp"), "--cutout", str(folder / "cut.png")]) == 0
    for name in ("removed.png", "plate.webp"):
        plate = np.asarray(Image.open(folder / name))
        assert plate.shape == picture.shape and (plate[:, 112:] == picture[:, 112:]).all()
    cut = np.asarray(Image.open(folder / "cut.png"))
    assert (cut[:, 106:, 3] == 0).all() and cut[60, 60, 3] == 255
    assert main(["layers", *words, "-o", str(folder / "set")]) == 0
    background = np.asarray(Image.open(folder / "set" / "01_background.png"))
    assert (background[:, 112:] == picture[:, 112:]).all()


def test_a_plate_that_would_lose_it_is_refused_before_the_work(sprite, capsys):
    folder, _, words = sprite
    for command, name in (("remove", "-o"), ("segment", "--plate")):
        for ending in (".jpg", ".bmp"):
            assert main([command, *words, name, str(folder / f"plate{ending}")]) == 2
            said = capsys.readouterr().err
            assert f"is transparent in places, which a {ending} file cannot hold; name {name} .png" in said
    assert [path.name for path in folder.iterdir()] == ["photo.png"]


def test_a_photo_that_is_opaque_everywhere_has_no_alpha(tmp_path):
    Image.new("RGBA", (8, 6), (1, 2, 3, 255)).save(tmp_path / "opaque.png")
    clear = Image.new("P", (8, 6), 1)
    clear.putpalette([0, 0, 0, 255, 0, 0])
    clear.save(tmp_path / "clear.png", transparency=1)
    assert load_photo(tmp_path / "opaque.png").alpha is None
    assert (load_photo(tmp_path / "clear.png").alpha == 0).all() and read_photo(tmp_path / "clear.png").shape[0] == 3
