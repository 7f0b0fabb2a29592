"""Folders that cannot be written and disks that are full: a sentence that names the file and says why, and no file.

/dev/full is a disk that is full, to every program that writes to it; a limit on the size of files is another, which
takes the first bytes. Where neither exists (Windows, macOS), the tests that need them are skipped.
"""

import errno
import os
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from harness.inprocess import load_pack

from paintseg.__main__ import main
from paintseg.errors import InputError, StorageError, WeightsError
from paintseg.io.download import download
from paintseg.io.formats import to_image
from paintseg.io.pictures import check_folder, naming, write_images
from paintseg.layers.openraster import save_openraster, save_png_set
from paintseg.layers.stack import NamedLayer

from .local_hub import CONTENT, SHA256, running_hub

UNIX = pytest.mark.skipif(os.name == "nt", reason="limits of a process are set with Python's module resource")
FULL = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
LAYER = torch.rand(4, 64, 64, generator=torch.Generator().manual_seed(1))
PHOTO = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(2))
QUICK = ["--preset", "fast", "--size", "64", "--set", "encoder_size=56", "--set", "photo_size=0", "-q"]
BOX = ["--box", "14,14,50,50"]


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    pack = load_pack()
    import folder_paths

    folder_paths.set_temp_directory(str(tmp_path_factory.mktemp("temp")))
    return pack.nodes


@pytest.fixture
def output(nodes, tmp_path):
    """ComfyUI's output folder, empty."""
    import folder_paths

    before = folder_paths.get_output_directory()
    (tmp_path / "output").mkdir()
    folder_paths.set_output_directory(str(tmp_path / "output"))
    yield tmp_path / "output"
    folder_paths.set_output_directory(before)


@pytest.fixture
def full(monkeypatch, nodes):
    """Whatever is written goes to a disk that is full."""

    def beside(path):
        link = path.with_name(f".{path.name}.part")
        link.symlink_to("/dev/full")
        return link

    monkeypatch.setattr("paintseg.io.pictures._beside", beside)
    monkeypatch.setattr("paintseg_pack.paintseg.io.pictures._beside", beside)


@pytest.fixture
def locked(tmp_path, monkeypatch):
    """A folder nobody may write to, root neither."""
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, how: Path(path) != folder and access(path, how))
    return folder


@pytest.fixture
def hub():
    with running_hub() as handler:
        yield handler


@contextmanager
def small_disk():
    """Files of this process may not grow beyond 2000 bytes for a while, the log that pytest may write to among them."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@FULL
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp", ".bmp"])
def test_a_picture_on_a_full_disk_is_named_and_the_old_one_stays(tmp_path, full, suffix):
    path = tmp_path / f"mask{suffix}"
    path.write_bytes(b"old")
    with pytest.raises(StorageError) as raised:
        write_images({path: to_image(PHOTO)})
    assert str(raised.value) == f"{path} could not be written: the disk is full"
    assert [place.name for place in tmp_path.iterdir()] == [path.name] and path.read_bytes() == b"old"


@FULL
def test_layers_on_a_full_disk_leave_no_file_and_no_folder(tmp_path, full):
    with pytest.raises(StorageError, match=r"x\.ora could not be written: the disk is full$"):
        save_openraster(tmp_path / "x.ora", [NamedLayer("one", LAYER)])
    with pytest.raises(StorageError, match=r"(json|png) could not be written: the disk is full$"):
        save_png_set(tmp_path / "new" / "set", [NamedLayer("one", LAYER)])
    assert list(tmp_path.iterdir()) == []


@UNIX
@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_disk_that_fills_up_leaves_no_half_file_and_no_half_set(tmp_path, suffix):
    flat = torch.ones(3, 64, 64)
    for write in (
        lambda: write_images(
            {tmp_path / f"flat{suffix}": to_image(flat), tmp_path / f"noise{suffix}": to_image(PHOTO)}
        ),
        lambda: save_openraster(tmp_path / "noise.ora", [NamedLayer("one", LAYER)]),
        lambda: save_png_set(tmp_path, [NamedLayer("flat", flat), NamedLayer("noise", LAYER)]),
    ):
        with pytest.raises(StorageError, match=r"noise\.\w+ could not be written: the file is larger"), small_disk():
            write()
    assert list(tmp_path.iterdir()) == []


@UNIX
@pytest.mark.parametrize("form", ["OpenRaster", "PNG set"])
def test_the_node_that_saves_says_it_and_leaves_no_folder(output, nodes, form):
    with pytest.raises(OSError, match="could not be written: the file is larger than files may be there"), small_disk():
        nodes.save_layers.SaveLayers.execute(LAYER.movedim(0, -1)[None], "deep/disk/full", form)
    assert list(output.iterdir()) == []
    (output / "deep").mkdir()
    (output / "deep" / "other.txt").write_text("kept")
    with pytest.raises(OSError, match="could not be written"), small_disk():
        nodes.save_layers.SaveLayers.execute(LAYER.movedim(0, -1)[None], "deep/disk/full", form)
    assert [path.name for path in (output / "deep").iterdir()] == ["other.txt"]


@UNIX
@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_the_command_names_the_file_ends_with_2_and_leaves_nothing(tmp_path, capsys, suffix):
    to_image(PHOTO).save(tmp_path / "photo.png")
    words = ["segment", str(tmp_path / "photo.png"), *BOX, *QUICK, "-o", str(tmp_path / "mask.png")]
    with small_disk():
        code = main([*words, "--plate", str(tmp_path / f"plate{suffix}")])
    said = capsys.readouterr().err
    assert code == 2 and said.count("\n") == 1
    assert f"plate{suffix} could not be written: the file is larger than files may be there" in said
    assert [path.name for path in tmp_path.iterdir()] == ["photo.png"]


@FULL
def test_a_folder_of_photos_on_a_full_disk_leaves_no_folder_of_masks(tmp_path, capsys, full):
    (tmp_path / "photos").mkdir()
    to_image(PHOTO).save(tmp_path / "photos" / "a.png")
    assert main(["segment", str(tmp_path / "photos"), *BOX, *QUICK, "-o", str(tmp_path / "masks")]) == 2
    assert "settings.json could not be written: the disk is full" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


@UNIX
def test_a_download_onto_a_full_disk_is_said_and_goes_on_later(tmp_path, hub):
    target = tmp_path / "models" / "x.safetensors"
    with pytest.raises(WeightsError, match=r"safetensors\.part could not be written: .* goes on"), small_disk():
        download(hub.address, target, SHA256)
    assert [path.name for path in target.parent.iterdir()] == ["x.safetensors.part"]
    download(hub.address, target, SHA256)
    assert hub.asked == [0, 2000] and target.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "the disk is read-only"), (errno.EACCES, "not permitted")],
)
def test_why_nothing_could_be_written_is_said(number, words):
    with pytest.raises(StorageError, match=f"^x.png could not be written: .*{words}$"), naming(Path("x.png")):
        raise OSError(number, os.strerror(number), "x.png.part")


def test_a_folder_that_cannot_be_written_is_refused_before_any_work(tmp_path, locked, capsys):
    with pytest.raises(InputError, match=f"^the folder {locked} of the mask cannot be written to$"):
        check_folder(locked / "mask.png", "the mask")
    to_image(PHOTO).save(tmp_path / "photo.png")
    assert main(["segment", str(tmp_path / "photo.png"), *BOX, *QUICK, "-o", str(locked / "mask.png")]) == 2
    assert capsys.readouterr().err == f"paintseg: the folder {locked} of -o cannot be written to\n"


def test_a_folder_for_many_masks_that_cannot_be_written_or_made_is_refused(tmp_path, locked, capsys):
    (tmp_path / "photos").mkdir()
    to_image(PHOTO).save(tmp_path / "photos" / "a.png")
    words = ["segment", str(tmp_path / "photos"), *BOX, *QUICK, "-o"]
    assert main([*words, str(locked)]) == 2
    assert capsys.readouterr().err == f"paintseg: the folder {locked} cannot be written to\n"
    (tmp_path / "file").write_bytes(b"")
    assert main([*words, str(tmp_path / "file" / "masks")]) == 2
    said = f"{tmp_path / 'file' / 'masks'} could not be written: what should be its folder is a file"
    assert capsys.readouterr().err == f"paintseg: {said}\n"


def test_a_download_into_a_folder_that_cannot_be_written_asks_for_nothing(tmp_path, hub):
    (tmp_path / "models").write_bytes(b"a file")
    folder = tmp_path / "models" / "dino"
    with pytest.raises(WeightsError, match=f"^the folder {folder} cannot be written to ") as raised:
        download(hub.address, folder / "x.safetensors", SHA256)
    assert hub.asked == [] and "\n" not in str(raised.value) and "try again" not in str(raised.value)


def test_a_connection_that_fails_leaves_no_empty_file(tmp_path, hub):
    with pytest.raises(WeightsError, match="could not be downloaded .* try again"):
        download(hub.address + "-not", tmp_path / "x.safetensors", SHA256)
    assert list(tmp_path.iterdir()) == []


def test_the_encoder_s_node_says_that_the_models_folder_cannot_be_written(tmp_path, nodes, monkeypatch):
    import folder_paths

    (tmp_path / "models").write_bytes(b"a file")
    nodes.folders.ensure("dino")
    known = folder_paths.folder_names_and_paths["dino"][1]
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "dino", ([str(tmp_path / "models" / "dino")], known))
    monkeypatch.setattr(folder_paths, "filename_list_cache", {})
    with pytest.raises(RuntimeError, match=f"^the folder {tmp_path / 'models' / 'dino'} cannot be written to"):
        nodes.encoders.DINOEncoderNode.execute(nodes.encoders.CATALOG[0].title, download=True)
