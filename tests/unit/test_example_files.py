"""The bundled workflows' files: put into ComfyUI's input folder once, and never back."""

import json
import shutil

import pytest
from harness.inprocess import load_pack


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Starts the pack in a ComfyUI of this base folder; the names in its input folder after it."""
    example = load_pack().nodes.example
    import folder_paths

    def begin(base=tmp_path / "comfy"):
        (base / "input").mkdir(parents=True, exist_ok=True)
        monkeypatch.setattr(folder_paths, "input_directory", str(base / "input"))
        monkeypatch.setattr(folder_paths, "user_directory", str(base / "user"))
        example.place_example_files()
        return {path.name for path in (base / "input").rglob("*") if path.is_file()}

    begin.example, begin.base = example, tmp_path / "comfy"
    return begin


def everything(example):
    return {*example.LOADED, *example.PAINTED}


def test_a_deleted_example_stays_away(start):
    assert start() == everything(start.example)
    (start.base / "input" / "paintseg_coffee.jpg").unlink()
    shutil.rmtree(start.base / "input" / "paintseg")
    assert start() == everything(start.example) - {"paintseg_coffee.jpg", *start.example.PAINTED}


def test_a_file_of_that_name_is_kept_and_not_brought_back(start):
    mine = start.base / "input" / "paintseg_coffee.jpg"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")
    start()
    assert mine.read_bytes() == b"mine"
    mine.unlink()
    assert "paintseg_coffee.jpg" not in start()


def test_a_new_version_brings_its_new_example_alone(start, monkeypatch):
    whole = start.example.LOADED
    monkeypatch.setattr(start.example, "LOADED", whole[1:])
    start()
    (start.base / "input" / whole[1]).unlink()
    monkeypatch.setattr(start.example, "LOADED", whole)
    assert start() == everything(start.example) - {whole[1]}


def test_every_base_folder_gets_its_own(start, tmp_path):
    start()
    (start.base / "input" / "paintseg_coffee.jpg").unlink()
    other = tmp_path / "other"
    assert start(other) == everything(start.example)
    assert "paintseg_coffee.jpg" not in start()


def test_a_comfyui_that_was_moved_remembers(start, tmp_path):
    start()
    (start.base / "input" / "paintseg_coffee.jpg").unlink()
    shutil.move(start.base, tmp_path / "moved")
    assert "paintseg_coffee.jpg" not in start(tmp_path / "moved")


def test_two_input_folders_of_one_user_folder_are_two(start, tmp_path, monkeypatch):
    start()
    import folder_paths

    (tmp_path / "second").mkdir()
    monkeypatch.setattr(folder_paths, "input_directory", str(tmp_path / "second"))
    start.example.place_example_files()
    assert (tmp_path / "second" / "paintseg_coffee.jpg").exists()
    record = json.loads((start.base / "user" / "__paintseg" / "examples.json").read_text(encoding="utf-8"))
    assert len(record) == 2


def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(start, caplog):
    start.base.mkdir()
    (start.base / "user").write_text("a file where the user folder should be")
    assert start() == set()  # it could not be remembered, and would come back at every start
    assert "could not put its example files" in caplog.text


def test_a_broken_record_counts_as_none(start):
    record = start.base / "user" / "__paintseg" / "examples.json"
    record.parent.mkdir(parents=True)
    record.write_text("[1", encoding="utf-8")
    assert start() == everything(start.example)
    record.write_text('{"../input": 3}', encoding="utf-8")
    assert start() == everything(start.example)
