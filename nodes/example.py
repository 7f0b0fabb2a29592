"""The files of the bundled workflows, where core's loaders find them."""

from __future__ import annotations

import json
import logging
import os
import shutil
from contextlib import suppress
from pathlib import Path

from ..paintseg.io.pictures import write_json, written

ASSETS = Path(__file__).resolve().parents[1] / "workflows" / "assets"
LOADED = (
    "paintseg_astronaut.png",
    "paintseg_coffee.jpg",
    "paintseg_edited_dots.webp",
    "paintseg_edited_mask.webp",
    "paintseg_edited_strokes.webp",
    "paintseg_rough_mask.png",
    "paintseg_label_map.png",
    "paintseg_camera.mp4",
)
# Painter takes files from a folder too, so that these do not stand in the list of Load Image.
PAINTED = (
    "paintseg_cup_painted.png",
    "paintseg_helmet_painted.png",
    "paintseg_shuttle_dots.png",
    "paintseg_strokes_off.png",
    "paintseg_strokes_on.png",
)


def place_example_files() -> None:
    """Copy what the bundled workflows load into ComfyUI's input folder, each file once.

    A workflow opened from the template browser then shows its photo, and a box can be drawn on it, before
    anything has run: core's loaders know files of the input folder only. What was put there, or was there already, is
    remembered in ComfyUI's user folder: a file that was deleted stays away, and a new version brings its new files.
    A folder that cannot be written to is no reason to fail: the workflow then asks for a photo.
    """
    import folder_paths

    folder = Path(folder_paths.get_input_directory())
    record = Path(folder_paths.get_user_directory()) / "__paintseg" / "examples.json"
    known = _read(record)
    own = known.setdefault(_name(folder, record.parent), [])
    files = {**{name: folder / name for name in LOADED}, **{name: folder / "paintseg" / name for name in PAINTED}}
    missing = [name for name in files if name not in own]
    if not missing:
        return
    try:
        # First the record, as it is: nothing is copied where that could not be remembered.
        _write(record, known)
        for name in missing:
            _place(ASSETS / name, files[name])
            own.append(name)
    except OSError as problem:
        logging.warning("PaintSeg could not put its example files into %s: %s", folder, problem)
    with suppress(OSError):
        _write(record, known)


def _name(folder: Path, base: Path) -> str:
    """What a folder is called in the record: as seen from there, so that ComfyUI can be moved as a whole."""
    try:
        return Path(os.path.relpath(folder.resolve(), base.resolve())).as_posix()
    except ValueError:  # on another drive
        return folder.resolve().as_posix()


def _read(record: Path) -> dict[str, list[str]]:
    """The names of the files put into each folder; none where there is no record, or a broken one."""
    try:
        told = json.loads(record.read_text(encoding="utf-8"))
        return {str(folder): [str(name) for name in names] for folder, names in told.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _write(record: Path, known: dict[str, list[str]]) -> None:
    record.parent.mkdir(parents=True, exist_ok=True)
    write_json(record, known)


def _place(source: Path, target: Path) -> None:
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with written(target) as unfinished:
        shutil.copyfile(source, unfinished)
