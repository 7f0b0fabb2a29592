"""What the commands write as any ending that Pillow knows: every value comes back, or the name is refused."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from paintseg.__main__ import main
from paintseg.errors import InputError
from paintseg.io.formats import LOSSLESS, check_side, to_image
from paintseg.io.masks import read_mask
from paintseg.io.pictures import check_target, write_image, write_mask
from paintseg.io.reading import read_photo

from .small_models import commands_share_models  # noqa: F401  (a fixture)
from .test_cli import SMALL, command, folder  # noqa: F401

pytestmark = pytest.mark.usefixtures("commands_share_models")

Image.init()
ENDINGS = sorted(ending for ending, kind in Image.EXTENSION.items() if kind in Image.SAVE)
SEED = torch.Generator().manual_seed(0)
MASK = (torch.rand(40, 50, generator=SEED) > 0.7).float()
SOFT = torch.randint(0, 256, (40, 50), generator=SEED) / 255
LABELS = torch.randint(0, 4, (40, 50), generator=SEED) / 255
LAYER = torch.randint(0, 256, (4, 40, 50), generator=SEED) / 255
LAYER[3, :20] = 0  # colours below full transparency
PLATE = LAYER[:3]


def refused(path, **options):
    try:
        check_target(path, "-o", **options)
    except InputError as problem:
        assert "\n" not in str(problem) and "must be named .png" in str(problem)
        return True
    return False


def bytes_of(values):
    return np.asarray(to_image(values))


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("values", [MASK, SOFT, LABELS], ids=["mask", "soft", "labels"])
def test_masks_and_labels_come_back_or_are_refused(tmp_path, ending, values):
    path = tmp_path / f"mask{ending}"
    if not refused(path, lossless=True):
        write_image(path, to_image(values))
        assert (np.asarray(Image.open(path).convert("L")) == bytes_of(values)).all()
        assert (read_photo(path) == values).all()


@pytest.mark.parametrize("ending", ENDINGS)
def test_layers_come_back_or_are_refused_with_what_is_below_transparency(tmp_path, ending):
    path = tmp_path / f"layer{ending}"
    if not refused(path, alpha=True):
        write_image(path, to_image(LAYER))
        assert (np.asarray(Image.open(path)) == bytes_of(LAYER)).all()


@pytest.mark.parametrize("ending", ENDINGS)
def test_plates_come_back_or_are_refused_or_are_named_a_jpeg(tmp_path, ending):
    path = tmp_path / f"plate{ending}"
    if not refused(path):
        write_image(path, to_image(PLATE))
        off = np.abs(np.asarray(Image.open(path)).astype(int) - bytes_of(PLATE))
        assert off.max() == 0 or (ending in (".jpg", ".jpeg") and off.mean() < 5)


def test_a_jpeg_keeps_the_colours_of_single_pixels(tmp_path):
    stripes = torch.tensor([[1.0, 0, 0], [0, 0, 1.0]]).T[:, None].repeat(1, 16, 8)
    write_image(tmp_path / "x.jpg", to_image(stripes))
    assert np.abs(np.asarray(Image.open(tmp_path / "x.jpg")).astype(int) - bytes_of(stripes)).max() < 16


def test_the_formats_that_hold_masks_are_still_some():
    assert [one for one in ENDINGS if not refused(Path(f"x{one}"), lossless=True)] == sorted(LOSSLESS)


def test_the_command_s_mask_labels_and_cut_out_are_the_same_in_every_format(folder):  # noqa: F811
    for ending in (".png", ".webp", ".tif"):
        words = [
            "--box",
            "5,5,40,40",
            "--labels",
            folder / f"labels{ending}",
            "-o",
            folder / f"mask{ending}",
            "--soft",
            folder / f"soft{ending}",
            "--cutout",
            folder / f"cut{ending}",
            "--plate",
            folder / f"plate{ending}",
        ]
        assert main([*command(folder, "segment", *words), "-q"]) == 0
    for name in ("labels", "mask_1", "mask_2", "soft_1", "soft_2", "cut_1", "cut_2", "plate"):
        first, *others = (
            np.asarray(Image.open(folder / f"{name}{ending}").convert("RGBA")) for ending in (".png", ".webp", ".tif")
        )
        assert all((first == other).all() for other in others), name


@pytest.mark.parametrize(("name", "size"), [("x.webp", (4, 16384)), ("x.jpg", (65501, 1))])
def test_a_photo_that_a_format_cannot_hold_is_refused(tmp_path, name, size):
    with pytest.raises(InputError, match="at most"):
        check_side(tmp_path / name, "-o", size)
    check_side(tmp_path / "x.png", "-o", size)
    with pytest.raises(Exception):  # noqa: B017 - what Pillow says once the work is done
        write_image(tmp_path / name, to_image(torch.zeros(size)))


def test_it_is_refused_before_the_work(tmp_path, capsys):
    write_mask(tmp_path / "photo.png", torch.rand(40, 16400))
    words = ["segment", str(tmp_path / "photo.png"), "--box", "1,1,30,30", *SMALL, "-o", str(tmp_path / "mask.webp")]
    assert main(words) == 2
    assert "a .webp file has at most 16383 pixels a side, the photo is 16400 x 40" in capsys.readouterr().err


def test_a_mask_is_read_from_every_format_as_it_was_written(tmp_path):
    for ending in (".png", ".webp", ".tif", ".bmp"):
        write_mask(tmp_path / f"mask{ending}", SOFT)
        assert torch.equal(read_mask(tmp_path / f"mask{ending}"), read_mask(tmp_path / "mask.png"))
