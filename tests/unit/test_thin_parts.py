"""Masks much finer than their photo: a wire that is less than half a pixel wide stays where it was."""

import numpy as np
import pytest
import torch
from harness.inprocess import load_pack
from PIL import Image

from paintseg.__main__ import main
from paintseg.layers.matting import matte
from paintseg.ops.images import resize, resize_mask
from paintseg.prompts import mask_prompt

from .small_models import MeanColour, Surroundings
from .test_cli import SMALL, folder  # noqa: F401


def fine(wire=2, body=True, times=4):
    """A square with a wire that leads off it, of a photo 60 x 80, `times` finer."""
    mask = torch.zeros(60 * times, 80 * times)
    if body:
        mask[20 * times : 40 * times, 20 * times : 40 * times] = 1
    mask[30 * times : 30 * times + wire, 40 * times : 70 * times] = 1
    return mask


@pytest.mark.parametrize(("wire", "times"), [(1, 4), (2, 4), (1, 2), (3, 8)])
def test_a_wire_stays_connected_and_nothing_else_changes(wire, times):
    mask = fine(wire, times=times)
    fitted = resize_mask(mask, (60, 80))
    before = resize(mask[None, None], (60, 80))[0, 0]
    assert (fitted[30, 20:70] > 0.5).all() and (fitted[30, 71:] < 0.5).all()
    others = torch.ones(60, 80, dtype=torch.bool)
    others[29:32, 40:71] = False
    assert torch.equal(fitted[others], before[others])


def test_a_wire_at_a_slant_and_one_alone_stay():
    mask = torch.zeros(240, 320)
    for offset in range(200):
        mask[20 + offset, 30 + offset : 32 + offset] = 1
    fitted = resize_mask(mask, (60, 80)) > 0.5
    assert fitted[6:54].any(1).all() and mask_prompt(fitted.float()).kind == "mask"


def test_edges_of_what_is_wide_enough_do_not_grow():
    ys, xs = np.indices((400, 480))
    disc = torch.from_numpy((ys - 203.0) ** 2 + (xs - 241.0) ** 2 < 131**2).float()
    before = resize(disc[None, None], (100, 120))[0, 0]
    assert torch.equal(resize_mask(disc, (100, 120)), before)


@pytest.mark.parametrize("dtype", [torch.bool, torch.float16, torch.float32])
def test_any_kind_of_mask_is_taken(dtype):
    fitted = resize_mask(fine().to(dtype), (60, 80))
    assert fitted.dtype == torch.float32 and fitted.min() >= 0 and fitted.max() <= 1 and fitted[30, 60] == 1


NODES = {
    "RemoveObject": lambda image, mask: {
        "image": image,
        "mask": mask,
        "seed": 0,
        "candidates": 1,
        "shadow": False,
        "grow": 1,
        "painter": Surroundings(),
        "encoder": MeanColour(),
    },
    "CutOut": lambda image, mask: {"image": image, "mask": mask, "soften": 0.0},
    "Amodal": lambda image, mask: {
        "image": image,
        "front": mask,
        "behind": torch.eye(60, 80)[None],
        "preset": "fast",
        "seed": 0,
        "candidates": 1,
        "painter": Surroundings(),
        "encoder": MeanColour(),
    },
    "PromptToMask": lambda image, mask: {"image": image, "kind": {"kind": "mask", "mask": mask}},
}
SHOWS = {
    "RemoveObject": lambda out: out.args[1][0],
    "CutOut": lambda out: out.args[0][0, ..., 3],
    "Amodal": lambda out: ((out.args[2][0] - 0.25).abs() > 0.2).any(-1),
    "PromptToMask": lambda out: out.args[1][0],
}


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    pack = load_pack()
    import folder_paths

    folder_paths.set_temp_directory(str(tmp_path_factory.mktemp("temp")))
    return pack.nodes


@pytest.mark.parametrize("name", NODES)
def test_every_node_keeps_the_wire_of_a_finer_mask(nodes, name):
    image = torch.full((1, 60, 80, 3), 0.25)
    image[:, 20:40, 20:40] = image[:, 30:31, 40:70] = 0.9
    shown = SHOWS[name](getattr(nodes, name).execute(**NODES[name](image, fine()[None])))
    if name == "Amodal":  # its plate: what was painted is the background's colour again
        assert not shown[30, 45:68].any()
    else:
        assert (shown[30, 45:68] > 0.5).all()


def test_a_matte_worked_out_at_a_smaller_size_keeps_the_wire():
    mask = torch.zeros(340, 2750, dtype=torch.bool)
    mask[70:270, 100:1900] = mask[170, 1900:2650] = True
    image = 0.1 + 0.05 * torch.randn(3, 340, 2750, generator=torch.Generator().manual_seed(0))
    image = image.clamp(0, 1).masked_fill(mask, 0.5)
    assert matte(image, mask.float())[170, 2300:2640].mean() > 0.5


def test_remove_takes_a_mask_of_any_size_as_it_is(folder):  # noqa: F811
    photo = np.asarray(Image.open(folder / "photo.png"))
    drawn = np.zeros((480, 480), np.uint8)
    drawn[160:240, 160:240] = drawn[200:202, 240:440] = 255
    Image.fromarray(drawn).save(folder / "fine.png")
    words = ["remove", str(folder / "photo.png"), "--mask", str(folder / "fine.png"), "--exact", "--grow", "1", *SMALL]
    assert main([*words, "-q", "-o", str(folder / "plate.png")]) == 0
    changed = (np.asarray(Image.open(folder / "plate.png")) != photo).any(-1)
    assert changed[49:52, 61:109].any(0).mean() > 0.9 and not changed[:35].any()
