"""The embedded weight files: whole, as documented, and clearly complained about when they are not."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from paintseg.errors import InputError, WeightsError
from paintseg.weights import FOLDER, REGISTRY, load_weights, sha256_of, tensors_of

ROOT = Path(__file__).resolve().parents[2]
SMALL = "migan_places2_512"
SOURCES = {SMALL: "migan_pipeline_v2.onnx", "dinov2_vits14": "dinov2-small.safetensors"}


@pytest.fixture
def copied(tmp_path):
    """A writable copy of the smaller file, in its own folder."""
    return Path(shutil.copy(FOLDER / REGISTRY[SMALL].file, tmp_path))


def complaint(call):
    with pytest.raises(WeightsError) as raised:
        call()
    return str(raised.value)


@pytest.mark.parametrize("name", REGISTRY)
def test_every_file_is_whole_and_fp16(name):
    assert {tensor.dtype for tensor in load_weights(name).values()} == {torch.float16}


@pytest.mark.parametrize("name", REGISTRY)
def test_the_readme_and_the_notice_tell_of_every_file(name):
    readme, entry = (FOLDER / "README.md").read_text(), REGISTRY[name]
    assert all(fact in readme for fact in (entry.file, entry.sha256, entry.source_sha256))
    assert entry.file in (ROOT / "NOTICE").read_text()


def test_a_missing_file_is_named_with_its_folder_and_hash(tmp_path):
    said, entry = complaint(lambda: load_weights(SMALL, tmp_path)), REGISTRY[SMALL]
    assert all(fact in said for fact in (entry.file, str(tmp_path), entry.sha256, "missing"))


def test_a_file_cut_short_is_refused(copied):
    os.truncate(copied, 1000)
    assert "1000 bytes" in complaint(lambda: load_weights(SMALL, copied.parent))


def test_a_broken_header_is_refused(copied):
    with open(copied, "r+b") as stream:
        stream.write(b"\xff" * 64)
    assert "has sha256" in complaint(lambda: load_weights(SMALL, copied.parent))
    assert "cannot be read as safetensors" in complaint(lambda: tensors_of(copied))


def test_one_wrong_bit_is_found(copied):
    with open(copied, "r+b") as stream:
        stream.seek(-1, os.SEEK_END)
        last = stream.read(1)[0]
        stream.seek(-1, os.SEEK_END)
        stream.write(bytes([last ^ 1]))
    assert sha256_of(copied) in complaint(lambda: load_weights(SMALL, copied.parent))


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(InputError, match="dinov2_vits14, migan_places2_512"):
        load_weights("sam")


def make(tmp_path, dino, migan):
    command = [sys.executable, ROOT / "scripts" / "make_weights.py", "--out", tmp_path]
    return subprocess.run([*command, "--dino", dino, "--migan", migan], capture_output=True, text=True)


def test_the_script_makes_the_same_bytes_from_the_sources(tmp_path):
    folder = Path(os.environ.get("PAINTSEG_WEIGHT_SOURCES", ""))
    dino, migan = (folder / SOURCES[name] for name in ("dinov2_vits14", SMALL))
    if not (dino.is_file() and migan.is_file()):
        pytest.skip("PAINTSEG_WEIGHT_SOURCES names no folder with both sources")
    made = make(tmp_path, dino, migan)
    assert made.returncode == 0, made.stderr
    assert {path.name: sha256_of(path) for path in tmp_path.iterdir()} == {
        entry.file: entry.sha256 for entry in REGISTRY.values()
    }


def test_the_script_refuses_another_source_and_writes_nothing(tmp_path):
    other = FOLDER / REGISTRY[SMALL].file
    made = make(tmp_path, other, other)
    assert made.returncode == 2 and "expected" in made.stderr and not list(tmp_path.iterdir())
