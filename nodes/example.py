"""The files of the bundled workflows, where core's loaders find them."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

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
    """Copy what the bundled workflows load into ComfyUI's input folder, unless files of these names are there.

    A workflow opened from the template browser then shows its photo, and a box can be drawn on it, before
    anything has run: core's loaders know files of the input folder only. An input folder that cannot be written
    to is no reason to fail: the workflow then asks for a photo.
    """
    import folder_paths

    folder = Path(folder_paths.get_input_directory())
    try:
        for name in LOADED:
            _place(ASSETS / name, folder / name)
        for name in PAINTED:
            _place(ASSETS / name, folder / "paintseg" / name)
    except OSError as problem:
        logging.warning("PaintSeg could not put its example files into %s: %s", folder, problem)


def _place(source: Path, target: Path) -> None:
    if target.exists():
        return
    target.parent.mkdir(exist_ok=True)
    unfinished = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        shutil.copyfile(source, unfinished)
        os.replace(unfinished, target)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
