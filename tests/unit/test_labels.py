"""Label maps as people draw them, and what a resize, a JPEG and a soft mask make of them."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from paintseg.errors import InputError
from paintseg.io.labels import MOST_LABELS, prompts_from_labels

SIZE = (120, 200)


@pytest.fixture
def drawn():
    """Three objects: two discs that touch, and a wire two pixels wide."""
    ys, xs = np.mgrid[:240, :320]
    picture = np.zeros((240, 320), np.uint8)
    picture[(xs - 90) ** 2 + (ys - 110) ** 2 < 60**2] = 40
    picture[(xs - 190) ** 2 + (ys - 120) ** 2 < 50**2] = 90
    picture[200:202, 20:300] = 200
    return Image.fromarray(picture)


def as_mask(picture):
    """As ComfyUI hands it over."""
    return torch.from_numpy(np.array(picture)).float() / 255


@pytest.mark.parametrize("scale", [1, 255])
def test_labels_become_one_mask_each_in_the_order_of_their_numbers(scale):
    labels = torch.zeros(SIZE, dtype=torch.long)
    labels[5:20, 5:20], labels[40:60, 40:60] = 7, 2
    prompts = prompts_from_labels(labels if scale == 1 else labels / 255)
    assert [float(prompt.mask.sum()) for prompt in prompts] == [400, 225]


@pytest.mark.parametrize("kind", ["drawn", "nearest", "half"])
def test_a_map_with_hard_edges_is_taken_with_its_thin_object(drawn, kind):
    labels = as_mask(drawn.resize((960, 720), Image.Resampling.NEAREST) if kind == "nearest" else drawn)
    prompts = prompts_from_labels(labels.half().float() if kind == "half" else labels)
    assert len(prompts) == 3
    assert torch.equal(prompts[1].mask > 0.5, (labels * 255).round() == 90)


def test_whole_numbers_may_be_large():
    labels = torch.zeros(SIZE, dtype=torch.long)
    labels[5:20, 5:20], labels[40:60, 40:60] = 26001, 26002
    assert len(prompts_from_labels(labels)) == 2


def jpeg(picture):
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=90)
    return Image.open(buffer)


SPOILED = {
    "enlarged smoothly": lambda picture: as_mask(picture.resize((960, 720), Image.Resampling.BILINEAR)),
    "made smaller smoothly": lambda picture: as_mask(picture.resize((200, 150), Image.Resampling.BICUBIC)),
    "JPEG": lambda picture: as_mask(jpeg(picture)),
    "resized as a MASK": lambda picture: torch.nn.functional.interpolate(
        as_mask(picture)[None, None], (480, 640), mode="bilinear"
    )[0, 0],
    "a soft mask": lambda picture: as_mask(Image.fromarray(ndimage.gaussian_filter(np.array(picture), 6))),
    "a wide gradient": lambda picture: torch.arange(2560).expand(64, -1).div(10, rounding_mode="floor") / 255,
    "NaN": lambda picture: torch.full(SIZE, torch.nan),
}


@pytest.mark.parametrize("name", SPOILED)
def test_what_only_looks_like_a_label_map_is_refused_with_the_way_out(drawn, name):
    with pytest.raises(InputError, match="the label map holds .*as PNG.*nearest-exact.*prompt of kind mask"):
        prompts_from_labels(SPOILED[name](drawn))


def test_the_greys_that_are_no_objects_are_counted_and_named(drawn):
    picture = np.array(drawn)
    picture[:, 90:92][picture[:, 90:92] == 0] = 7  # a rim is not what touches black on both sides
    edge = (np.array(drawn) == 40) & (ndimage.minimum_filter(np.array(drawn), 3) == 0)
    picture[edge] = 20
    with pytest.raises(InputError, match=r"holds 5 greys, and 1 of them \(20\) are no objects"):
        prompts_from_labels(as_mask(picture))


def test_more_objects_than_anybody_wants_are_refused():
    labels = torch.arange(MOST_LABELS + 1).repeat_interleave(16).view(-1, 4, 4).permute(1, 0, 2).reshape(4, -1)
    assert len(prompts_from_labels(labels)) == MOST_LABELS
    with pytest.raises(InputError, match=f"holds {MOST_LABELS + 1} greys, each an object, and {MOST_LABELS} are"):
        prompts_from_labels(labels + 1)


def test_what_is_no_label_map_is_refused():
    with pytest.raises(InputError, match="holds no object"):
        prompts_from_labels(torch.zeros(SIZE))
    with pytest.raises(InputError, match="H x W"):
        prompts_from_labels(torch.ones(1, *SIZE))


def test_a_grey_file_as_comfyui_reads_it_is_a_label_map(drawn):
    """Load Image of ComfyUI 0.30 gives the 80 of a grey file as 80 / 256."""
    assert len(prompts_from_labels(as_mask(drawn) * 255 / 256)) == 3
