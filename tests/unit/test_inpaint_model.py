"""PaintSeg_InpaintModelPainter without a server: files of either kind, and models other packs hand over."""

import pytest
import torch
from harness import random_models
from harness.inprocess import load_pack
from safetensors.torch import save_file

from .painter_conformance import box_hole, photo, seeded


@pytest.fixture(scope="module")
def node():
    return load_pack().nodes.inpaint_model


@pytest.fixture
def place(node, tmp_path, monkeypatch):
    """ComfyUI's folder models/inpaint, empty."""
    import folder_paths

    node.folders.ensure("inpaint")
    known = folder_paths.folder_names_and_paths["inpaint"][1]
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "inpaint", ([str(tmp_path)], known))
    monkeypatch.setattr(folder_paths, "filename_list_cache", {})
    return tmp_path


def paint(node, *arguments):
    painter = node.InpaintModelPainter.execute(*arguments).result[0]
    return painter, painter.paint(photo(64, 64), box_hole(64, 64), 1, seeded(0))


def test_torchscript_and_safetensors_of_lama_paint_alike(node, place):
    random_models.link(random_models.lama_script(), place / "big-lama.pt")
    save_file(random_models.lama(), place / "lama.safetensors")
    (one, scripted), (two, plain) = (paint(node, name) for name in ("big-lama.pt", "lama.safetensors"))
    assert one.name == two.name == "LaMa" and torch.equal(scripted, plain)


def test_the_files_of_the_folder_are_offered(node, place):
    (place / "big-lama.pt").touch()
    (place / "notes.txt").touch()
    options = node.InpaintModelPainter.define_schema().inputs[0].options
    assert options == ["big-lama.pt", node.WIRED]


def test_another_packs_model_comes_before_the_file(node, place):
    class Grey(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.level = torch.nn.Parameter(torch.tensor(0.25))

        def forward(self, image, mask):
            return torch.where(mask > 0.5, self.level, image)

    painter, painted = paint(node, "gone.pt", Grey())
    assert painter.name == "Grey" and (painted[0][:, box_hole(64, 64)[0] > 0] == 0.25).all()


def test_nothing_wired_and_nothing_chosen_is_refused(node, place):
    with pytest.raises(ValueError, match="no inpainting model is wired"):
        node.InpaintModelPainter.execute(node.WIRED)
    with pytest.raises(ValueError, match="there is no gone.pt in .* there is none yet; big-lama.pt would be one"):
        node.InpaintModelPainter.execute("gone.pt")


@pytest.mark.parametrize(
    "state, words",
    [
        ({"strange": torch.zeros(1)}, "no model that spandrel knows"),
        (random_models.upscaler(), "ESRGAN is no inpainting model"),
    ],
)
def test_files_that_do_not_inpaint_are_refused(node, place, state, words):
    save_file(state, place / "other.safetensors")
    with pytest.raises(ValueError, match=words):
        node.InpaintModelPainter.execute("other.safetensors")
