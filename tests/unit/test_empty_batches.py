"""A batch of no image or no mask is refused by every node that takes one, with a sentence of its own."""

import pytest
import torch
from harness.inprocess import load_pack

from paintseg.errors import InputError
from paintseg.io.inputs import as_masks, as_photos

from .small_models import MeanColour, Surroundings

IMAGE, NO_IMAGE = torch.rand(1, 48, 64, 3), torch.zeros(0, 48, 64, 3)
MASK, NO_MASK = torch.ones(1, 48, 64), torch.zeros(0, 48, 64)
BOX = {"kind": {"kind": "box"}, "boxes": "[[18, 10, 46, 38]]"}
METHOD = {"preset": "fast", "seed": 0, "painter": Surroundings(), "encoder": MeanColour()}
MODELS = {"painter": Surroundings(), "encoder": MeanColour()}
REMOVED = {"seed": 0, "candidates": 1, "shadow": False, **MODELS}
CONTRAST = {"direction": "I", "preset": "fast", "encoder": MeanColour()}
PLACED = {"layer": 0, "dx": 0, "dy": 0, "scale": 1, "rotation": 0, "flip": False, "opacity": 1, "shadow": 0}

WITHOUT_AN_IMAGE = {
    "prompt.PromptToMask": lambda prompt: {"image": NO_IMAGE, **BOX},
    "discover.Discover": lambda prompt: {"image": NO_IMAGE, "encoder": MeanColour()},
    "loop.AMCPLoop": lambda prompt: {"image": NO_IMAGE, "prompt": prompt, **METHOD},
    "steps.AMCPStart": lambda prompt: {"image": NO_IMAGE, "prompt": prompt, **METHOD},
    "several.Objects": lambda prompt: {"image": NO_IMAGE, "prompt": prompt, **METHOD},
    "candidates.Candidates": lambda prompt: {"image": NO_IMAGE, "prompt": prompt, **METHOD},
    "video.Video": lambda prompt: {"image": NO_IMAGE, "prompt": prompt, "mode": "follow", **METHOD},
    "potential.ContrastivePotential": lambda prompt: {"image": NO_IMAGE, "painted": NO_IMAGE, "mask": MASK, **CONTRAST},
    "remove.RemoveObject": lambda prompt: {"image": NO_IMAGE, "mask": MASK, **REMOVED},
    "cut_out.CutOut": lambda prompt: {"image": NO_IMAGE, "mask": MASK, "soften": 0},
    "amodal.Amodal": lambda prompt: {"image": NO_IMAGE, "front": MASK, "prompt": prompt, "candidates": 1, **METHOD},
    "layers.Layers": lambda prompt: {
        "image": NO_IMAGE,
        "prompt": prompt,
        "candidates": 1,
        "most": 1,
        "shadow": False,
        **METHOD,
    },
    "reassemble.Reassemble": lambda prompt: {"plate": NO_IMAGE, "layers": torch.ones(1, 8, 8, 4), **PLACED},
}

WITHOUT_A_MASK = {
    "prompt.PromptToMask": lambda prompt: {"image": IMAGE, "kind": {"kind": "mask", "mask": NO_MASK}},
    "remove.RemoveObject": lambda prompt: {"image": IMAGE, "mask": NO_MASK, **REMOVED},
    "cut_out.CutOut": lambda prompt: {"image": IMAGE, "mask": NO_MASK, "soften": 0},
    "amodal.Amodal": lambda prompt: {"image": IMAGE, "front": NO_MASK, "prompt": prompt, "candidates": 1, **METHOD},
    "potential.ContrastivePotential": lambda prompt: {"image": IMAGE, "painted": IMAGE, "mask": NO_MASK, **CONTRAST},
}


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    pack = load_pack()
    import folder_paths

    folder_paths.set_temp_directory(str(tmp_path_factory.mktemp("temp")))
    return pack.nodes


def run(nodes, name, inputs):
    module, node = name.split(".")
    prompt = nodes.prompt.PromptToMask.execute(IMAGE, **BOX).result[0]
    getattr(getattr(nodes, module), node).execute(**inputs(prompt))


@pytest.mark.parametrize("name", WITHOUT_AN_IMAGE)
def test_a_batch_of_no_image_is_said_by_the_node(nodes, name):
    called = "plate" if name == "reassemble.Reassemble" else "image"
    with pytest.raises(ValueError, match=f"^the {called} batch is empty: there is no image in it$"):
        run(nodes, name, WITHOUT_AN_IMAGE[name])


@pytest.mark.parametrize("name", WITHOUT_A_MASK)
def test_a_batch_of_no_mask_is_said_by_the_node(nodes, name):
    called = "front mask" if name == "amodal.Amodal" else "mask"
    with pytest.raises(ValueError, match=f"^the {called} batch is empty: there is nothing in it$"):
        run(nodes, name, WITHOUT_A_MASK[name])


def test_a_batch_of_no_layer_is_said_by_the_node(nodes):
    with pytest.raises(ValueError, match="^the batch of layers is empty: there is no layer in it$"):
        nodes.reassemble.Reassemble.execute(IMAGE, torch.zeros(0, 8, 8, 4), **PLACED)


def test_another_shape_is_not_called_an_empty_batch():
    for shape in ((48, 64, 3), (1, 0, 64, 3), (1, 48, 64, 5)):
        with pytest.raises(InputError, match="the image must be B x H x W x C"):
            as_photos(torch.zeros(shape))
    for shape in ((7,), (1, 0, 64), (1, 2, 48, 64)):
        with pytest.raises(InputError, match="the strokes must be H x W or B x H x W"):
            as_masks(torch.zeros(shape), "strokes")
