"""Which files of a folder are photos: all that Pillow reads, no sidecars and thumbnails, and the rest is counted."""

import os

import pytest
from PIL import Image

from paintseg.__main__ import main
from paintseg.errors import InputError
from paintseg.io.photos import look_into, suffixes

GREY = Image.new("L", (40, 30), 128)
UNIX = pytest.mark.skipif(os.name == "nt", reason="links and modes of Unix")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "photos").mkdir()
    GREY.save(tmp_path / "photos" / "a.jpg")
    return tmp_path / "photos"


def put(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((folder / "a.jpg").read_bytes())


def names(folder, **more):
    return [path.relative_to(folder).as_posix() for path in look_into(folder, **more).paths]


def test_every_suffix_that_pillow_reads_is_a_photo_s(folder):
    put(folder, "b.jfif", "c.jpe", "d.JPEG", "e.jp2", "f.avif", "g.tga", "h.ppm")
    assert names(folder) == ["a.jpg", "b.jfif", "c.jpe", "d.JPEG", "e.jp2", "f.avif", "g.tga", "h.ppm"]


@pytest.mark.parametrize("suffix", [".pdf", ".mpg", ".eps", ".h5", ".wmf", ".txt"])
def test_what_pillow_only_writes_or_cannot_show_is_none(suffix):
    assert suffix not in suffixes()


def test_sidecars_hidden_folders_and_thumbnails_are_left_out_and_named(folder):
    put(folder, "._a.jpg", "._b.jpg", ".thumbnails/a.jpg", "more/.cache/a.png", "more/b.png", "more/@eaDir/a.jpg/X.jpg")
    assert names(folder) == ["a.jpg", "more/b.png"]
    said = look_into(folder).left_out
    assert "2 hidden files (._a.jpg, ._b.jpg)" in said and "2 hidden folders (.thumbnails, .cache)" in said
    assert "1 folder of thumbnails (@eaDir)" in said


def test_files_of_other_kinds_are_counted_by_what_they_are(folder):
    put(folder, "a.txt", "b.heic", "c.heic", "README", ".DS_Store")
    assert look_into(folder).left_out == "left out: 4 files of other kinds (README, .txt, .heic)"


def test_nothing_left_out_is_nothing_to_say(folder):
    assert look_into(folder).left_out == ""


@UNIX
def test_linked_folders_are_photos_too_each_once_and_circles_end(folder, tmp_path):
    put(folder, "real/b.jpg")
    (tmp_path / "elsewhere" / "deep").mkdir(parents=True)
    GREY.save(tmp_path / "elsewhere" / "deep" / "c.png")
    (folder / "again").symlink_to(folder / "real")
    (folder / "far").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(folder)
    (folder / "circle").symlink_to(folder / "circle")
    (folder / "gone.jpg").symlink_to(folder / "nothing.jpg")
    assert names(folder) == ["a.jpg", "far/deep/c.png", "real/b.jpg"]
    said = look_into(folder).left_out
    assert "2 linked folders seen already (again, back)" in said
    assert "2 links that lead nowhere (circle, gone.jpg)" in said


@UNIX
def test_a_link_to_the_folder_of_masks_is_no_way_in_for_masks(folder, tmp_path, capsys):
    (tmp_path / "masks").mkdir()
    GREY.save(tmp_path / "masks" / "a.png")
    (folder / "done").symlink_to(tmp_path / "masks")
    assert names(folder, without=tmp_path / "masks") == ["a.jpg"]
    assert "1 folder of the masks (done)" in look_into(folder, without=tmp_path / "masks").left_out


@pytest.mark.skipif(os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_a_folder_that_cannot_be_read_is_named(folder):
    put(folder, "locked/b.jpg")
    (folder / "locked").chmod(0)
    try:
        assert "1 folder that cannot be read (locked)" in look_into(folder).left_out
    finally:
        (folder / "locked").chmod(0o700)


def test_a_folder_of_sidecars_alone_is_refused_by_what_it_holds(folder):
    (folder / "a.jpg").rename(folder / "._a.jpg")
    with pytest.raises(InputError, match=r"holds no pictures; left out: 1 hidden file \(\._a\.jpg\)"):
        look_into(folder)


def test_the_command_says_what_it_leaves_out(folder, tmp_path, capsys):
    put(folder, "._a.jpg")
    words = ["segment", str(folder), "--box", "90,90,95,95", "-o", str(tmp_path / "masks"), "--threads", "1"]
    assert main(words) == 1  # the box is not in the photo
    said = capsys.readouterr().err
    assert "left out: 1 hidden file (._a.jpg)" in said and "1 of 1 photos have no mask" in said
