"""The bundled photo, where core's Load Image finds it."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

PHOTO = Path(__file__).resolve().parents[1] / "workflows" / "assets" / "paintseg_astronaut.png"


def place_example_photo() -> None:
    """Copy the example workflows' photo into ComfyUI's input folder unless a file of that name is there.

    A workflow opened from the template browser then shows its photo, and a box can be drawn on it, before
    anything has run: Load Image knows files of the input folder only. An input folder that cannot be written
    to is no reason to fail: the workflow then asks for a photo.
    """
    import folder_paths

    target = Path(folder_paths.get_input_directory()) / PHOTO.name
    if target.exists():
        return
    unfinished = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        shutil.copyfile(PHOTO, unfinished)
        os.replace(unfinished, target)
    except OSError as problem:
        logging.warning("PaintSeg could not put its example photo into %s: %s", target.parent, problem)
        unfinished.unlink(missing_ok=True)
