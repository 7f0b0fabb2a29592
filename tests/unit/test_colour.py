"""Colour profiles, resolution, EXIF: what a photo's numbers mean is the same after the work as before."""

import io
import struct
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from paintseg.__main__ import main
from paintseg.io.pictures import write_image
from paintseg.io.reading import load_photo, read_photo

from .colour_profiles import ADOBE_RGB, DISPLAY_P3, SRGB, cmyk_profile, grey_profile, rgb_profile
from .small_models import commands_share_models  # noqa: F401  (a fixture)
from .test_cli import SMALL

pytestmark = pytest.mark.usefixtures("commands_share_models")

WIDE = {"Adobe RGB": rgb_profile(*ADOBE_RGB), "Display P3": rgb_profile(*DISPLAY_P3)}
BOX = ["--box", "20,20,60,60"]
PLAIN = np.random.default_rng(0).integers(0, 256, (80, 90, 3), np.uint8)
PLAIN[20:60, 20:60] = (250, 10, 20)  # a red that sRGB has not


def lab(image):
    """The colours a person sees, by the profile the picture carries; sRGB without one."""
    data = image.info.get("icc_profile")
    source = ImageCms.ImageCmsProfile(io.BytesIO(data)) if data else ImageCms.createProfile("sRGB")
    made = ImageCms.buildTransform(source, ImageCms.createProfile("LAB"), "RGB", "LAB", 1)
    return np.asarray(ImageCms.applyTransform(image.convert("RGB"), made))


def apart(one, other):
    """By how many steps of 255 colours in Lab differ; a and b wrap around."""
    return np.abs((one - other).view(np.int8).astype(int))


def photo(folder, profile, name="photo.png", **options):
    Image.fromarray(PLAIN).save(folder / name, icc_profile=profile, **options)
    return folder / name


@pytest.mark.parametrize(("name", "suffix"), [("Adobe RGB", ".png"), ("Display P3", ".webp"), ("Display P3", ".tif")])
def test_pixels_nobody_touched_have_their_colours_and_numbers_after_removal(tmp_path, name, suffix):
    source, plate = photo(tmp_path, WIDE[name]), tmp_path / f"plate{suffix}"
    assert main(["remove", str(source), *BOX, *SMALL, "-q", "--grow", "2", "-o", str(plate)]) == 0
    before, after = Image.open(source), Image.open(plate)
    assert after.info["icc_profile"] == WIDE[name]
    assert (np.asarray(after)[:12, :12] == PLAIN[:12, :12]).all()
    assert (lab(after)[:12, :12] == lab(before)[:12, :12]).all()
    assert (np.asarray(after) != PLAIN).any()


@pytest.mark.parametrize("name", WIDE)
def test_a_cut_out_keeps_the_colours_of_its_object_beyond_srgb(tmp_path, name):
    source = photo(tmp_path, WIDE[name])
    (tmp_path / "mask.png").write_bytes(b"")
    loaded = load_photo(source)
    soft = torch.zeros(80, 90)
    soft[20:60, 20:60] = 1
    from paintseg.layers.cutout import cut_out

    write_image(tmp_path / "cut.png", loaded.image_for(tmp_path / "cut.png", cut_out(loaded.whole, soft)))
    cut = Image.open(tmp_path / "cut.png")
    assert cut.mode == "RGBA" and (np.asarray(cut)[25:55, 25:55, :3] == (250, 10, 20)).all()
    assert (lab(cut)[25:55, 25:55] == lab(Image.open(source))[25:55, 25:55]).all()


@pytest.mark.parametrize("name", WIDE)
def test_what_the_models_see_and_what_formats_without_profiles_hold_is_srgb(tmp_path, name):
    muted = (PLAIN // 4 + 96).astype(np.uint8)  # within sRGB
    Image.fromarray(muted).save(tmp_path / "photo.png", icc_profile=WIDE[name])
    loaded = load_photo(tmp_path / "photo.png")
    write_image(tmp_path / "plate.bmp", loaded.image_for(tmp_path / "plate.bmp", loaded.whole))
    plate = Image.open(tmp_path / "plate.bmp")
    assert "icc_profile" not in plate.info and (np.asarray(plate) != muted).any()
    off = apart(lab(plate), lab(Image.open(tmp_path / "photo.png")))
    assert off.max() <= 3 and off.mean() < 0.6  # steps of Lab, rounded twice on the way


def test_painted_pixels_go_back_into_the_file_s_own_space(tmp_path):
    loaded = load_photo(photo(tmp_path, WIDE["Adobe RGB"]))
    painted = loaded.pixels.clone()
    painted[:, 30:40, 30:40] = torch.tensor([0.2, 0.6, 0.4])[:, None, None]
    image = loaded.image_for(tmp_path / "x.png", painted)
    plain = lab(Image.fromarray(np.full((1, 1, 3), (51, 153, 102), np.uint8)))[0, 0]
    assert apart(lab(image)[35, 35], plain).max() <= 1 and tuple(np.asarray(image)[35, 35]) != (51, 153, 102)


def test_layers_are_srgb_for_every_program_that_opens_them(tmp_path):
    source = photo(tmp_path, WIDE["Display P3"])
    assert main(["layers", str(source), *BOX, *SMALL, "-q", "-o", str(tmp_path / "x.ora")]) == 0
    with zipfile.ZipFile(tmp_path / "x.ora") as archive:
        merged = Image.open(io.BytesIO(archive.read("mergedimage.png"))).convert("RGB")
    seen = (read_photo(source) * 255).round().byte().permute(1, 2, 0).numpy()
    assert (np.asarray(merged)[:10, :10] == seen[:10, :10]).all()


def test_an_srgb_profile_changes_no_number_and_comes_back(tmp_path):
    loaded = load_photo(photo(tmp_path, profile := rgb_profile(*SRGB)))
    assert (np.asarray(loaded.image_for(tmp_path / "x.png", loaded.whole)) == PLAIN).all() and loaded.back is None
    assert ((loaded.pixels * 255).round().permute(1, 2, 0).numpy() == PLAIN).all()
    assert loaded.info["icc_profile"] == profile


@pytest.mark.parametrize("broken", [b"no profile", rgb_profile(*ADOBE_RGB)[:150], cmyk_profile(), grey_profile(1.8)])
def test_a_profile_that_cannot_be_used_costs_a_sentence_and_no_picture(tmp_path, caplog, broken):
    for _ in range(2):
        loaded = load_photo(photo(tmp_path, broken))
    assert ((loaded.pixels * 255).round().permute(1, 2, 0).numpy() == PLAIN).all() and not loaded.info
    (said,) = caplog.messages
    assert f"the colour profile of {tmp_path / 'photo.png'} cannot be used and is left out" in said and "\n" not in said


def test_a_grey_photo_s_profile_is_applied(tmp_path):
    Image.new("L", (4, 4), 128).save(tmp_path / "grey.png", icc_profile=grey_profile(1.0))
    loaded = load_photo(tmp_path / "grey.png")
    assert loaded.pixels.unique().numel() == 1 and loaded.pixels[0, 0, 0] * 255 == pytest.approx(188, abs=1)
    assert "icc_profile" not in loaded.info  # it is no profile of RGB


def test_a_cmyk_photo_s_profile_is_applied(tmp_path):
    Image.new("CMYK", (4, 4), (255, 0, 0, 0)).save(tmp_path / "bare.tif")
    Image.new("CMYK", (4, 4), (255, 0, 0, 0)).save(tmp_path / "inks.tif", icc_profile=cmyk_profile())
    bare, inks = (read_photo(tmp_path / name)[:, 0, 0] for name in ("bare.tif", "inks.tif"))
    assert bare[0] == 0 < inks[0] and "icc_profile" not in load_photo(tmp_path / "inks.tif").info


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif", ".bmp"])
def test_resolution_and_exif_are_kept_and_the_orientation_is_done(tmp_path, suffix):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    exif.get_ifd(0x8769)[0x927C] = b"the maker's own, with pictures maybe"
    source = photo(tmp_path, None, "photo.jpg", exif=exif, dpi=(300, 300))
    loaded = load_photo(source)
    assert loaded.pixels.shape == (3, 90, 80)
    target = tmp_path / f"plate{suffix}"
    write_image(target, loaded.image_for(target, loaded.whole))
    plate = Image.open(target)
    assert plate.size == (80, 90) and 0x0112 not in plate.getexif()
    if suffix != ".webp":
        assert plate.info["dpi"] == pytest.approx((300, 300), abs=0.01)
    if suffix in (".png", ".jpg", ".webp"):
        assert plate.getexif()[0x010F] == "a camera" and 0x927C not in plate.getexif().get_ifd(0x8769)


def with_thumbnail(path):
    """Give a JPEG an EXIF whose second directory is a thumbnail."""
    small = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(small, "JPEG")
    entry = struct.Struct("<HHII")
    first = struct.pack("<H", 1) + entry.pack(0x010F, 2, 3, int.from_bytes(b"me\0\0", "little"))
    second = struct.pack("<H", 2) + entry.pack(0x0201, 4, 1, 60) + entry.pack(0x0202, 4, 1, len(small.getvalue()))
    body = b"II*\0" + struct.pack("<I", 8) + first + struct.pack("<I", 26) + second + struct.pack("<I", 0)
    body = body.ljust(60, b"\0") + small.getvalue()
    Image.fromarray(PLAIN).save(path, exif=b"Exif\0\0" + body)
    return small.getvalue()


def test_a_thumbnail_that_still_shows_what_was_removed_is_not_passed_on(tmp_path):
    thumbnail = with_thumbnail(tmp_path / "photo.jpg")
    assert thumbnail in (tmp_path / "photo.jpg").read_bytes()
    loaded = load_photo(tmp_path / "photo.jpg")
    write_image(tmp_path / "plate.jpg", loaded.image_for(tmp_path / "plate.jpg", loaded.whole))
    assert thumbnail not in (tmp_path / "plate.jpg").read_bytes()
    assert Image.open(tmp_path / "plate.jpg").getexif()[0x010F] == "me"


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0" + rest for rest in (b"II*\0\xff\xff\xff\xff", b"nothing", b"II*\0\x08\0\0\0\xff\xff")]
)
def test_an_exif_that_cannot_be_read_costs_no_picture(tmp_path, exif):
    loaded = load_photo(photo(tmp_path, None, exif=exif))
    assert ((loaded.pixels * 255).round().permute(1, 2, 0).numpy() == PLAIN).all()
    write_image(tmp_path / "plate.jpg", loaded.image_for(tmp_path / "plate.jpg", loaded.whole))


@pytest.mark.parametrize("dpi", [(0, 0), (1e9, 1e9)])
def test_a_resolution_that_means_nothing_is_not_passed_on(tmp_path, dpi):
    Image.fromarray(PLAIN).save(tmp_path / "photo.tif", dpi=dpi)
    loaded = load_photo(tmp_path / "photo.tif")
    write_image(tmp_path / "plate.jpg", loaded.image_for(tmp_path / "plate.jpg", loaded.whole))
    assert Image.open(tmp_path / "plate.jpg").size == (90, 80)


def damaged(folder, suffix, options):
    path = folder / f"photo{suffix}"
    Image.fromarray(np.repeat(np.repeat(PLAIN, 4, 0), 4, 1)).save(path, **options)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 4 // 5])
    return path


@pytest.mark.parametrize(("suffix", "options"), [(".jpg", {}), (".jpg", {"progressive": True}), (".png", {})])
def test_a_file_whose_end_is_missing_is_read_as_far_as_it_goes(tmp_path, caplog, suffix, options):
    path = damaged(tmp_path, suffix, options)
    pixels = read_photo(path)
    assert pixels.shape == (3, 320, 360) and pixels[:, :100].std() > 0.1
    assert [f"{path} is damaged" in said for said in caplog.messages] == [True]
    from PIL import ImageFile

    assert not ImageFile.LOAD_TRUNCATED_IMAGES


def test_the_command_works_on_it_and_says_so_once_on_stderr(tmp_path):
    path = damaged(tmp_path, ".jpg", {})
    words = ["segment", str(path), *BOX, *SMALL, "-q", "-o", str(tmp_path / "mask.png")]
    done = subprocess.run([sys.executable, "-m", "paintseg", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stderr.startswith(f"{path} is damaged") and done.stderr.count("\n") == 1


def test_a_text_chunk_too_large_costs_no_picture(tmp_path):
    from PIL.PngImagePlugin import PngInfo

    said = PngInfo()
    said.add_text("comment", "x" * 2**21, zip=True)
    path = photo(tmp_path, None, pnginfo=said)
    assert ((read_photo(path) * 255).round().permute(1, 2, 0).numpy() == PLAIN).all()


def test_of_several_pictures_in_a_file_the_first_is_taken_and_that_is_said(tmp_path, caplog):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "two.gif", save_all=True, append_images=frames[1:])
    assert read_photo(tmp_path / "two.gif")[:, 0, 0].tolist() == [1, 0, 0]
    assert caplog.messages == [f"{tmp_path / 'two.gif'} holds several pictures; the first is taken"]
