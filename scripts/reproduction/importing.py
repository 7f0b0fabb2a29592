"""Data sets of other people's layouts (layouts.py) brought to the one of this evaluation (datasets.py)."""

from __future__ import annotations

import csv
import os
import re
import shutil
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from paintseg.errors import InputError
from paintseg.eval.datasets import check_sizes
from paintseg.io.pictures import written
from paintseg.ops.morphology import depth

from .layouts import LAYOUTS, Found, Layout

COLUMNS = ("dataset", "stem", "image", "x0", "y0", "x1", "y1", "centroid_x", "centroid_y", "inner_x", "inner_y")
_OBJECT = 255


def find_set(home: Path, name: str) -> Path | None:
    """The folder of a set of `LAYOUTS` in a folder of sets, or None."""
    return next((home / folder for folder in LAYOUTS[name].folders if (home / folder).is_dir()), None)


def import_set(source: Path, name: str, target: Path, limit: int | None = None, stride: int = 1) -> int:
    """Photos, masks and numbers of a set as `read_manifest` takes them; what is there already stays.

    Args:
        source: the set as its authors distribute it. name: of `LAYOUTS`.
        target: gets `manifest.csv`, `NAME/images` and `NAME/masks`; photos are linked where the disk can, else copied.
        limit, stride: every `stride`-th object, and of those the first `limit`; None all.

    Returns how many objects the set has now; those without any pixel are left out.

    Raises InputError for a source of another layout and for a photo and a mask of different sizes.
    """
    layout: Layout = LAYOUTS[name]
    # one by one: the maps of a whole set would fill the memory
    chosen = islice(layout.read(source), 0, None if limit is None else stride * limit, stride)
    manifest = target / "manifest.csv"
    rows = _rows(manifest)
    there = {row[1] for row in rows if row[0] == name}
    for part in ("images", "masks"):
        (target / name / part).mkdir(parents=True, exist_ok=True)
    for found in chosen:
        stem = re.sub(r"[^\w.\-]", "_", found.stem)
        if stem not in there and (row := _brought(found, stem, name, target)):
            rows.append(row)
    count = sum(row[0] == name for row in rows)
    if not count:
        raise InputError(f"{source} holds no object of {layout.title}")
    with written(manifest) as temporary, temporary.open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened).writerows([COLUMNS, *rows])
    return count


def places_of(mask: np.ndarray) -> tuple[float, ...] | None:
    """What a manifest says of an object H x W bool: tight box, centroid and innermost point; None of an empty one.

    The innermost point is the pixel farthest from the boundary, the first in reading order of several; the photo's
    border is a boundary.
    """
    ys, xs = np.nonzero(mask)
    if not len(xs):
        return None
    row, column = np.unravel_index(depth(mask).argmax(), mask.shape)
    box = xs.min(), ys.min(), xs.max() + 1, ys.max() + 1
    return *map(int, box), round(float(xs.mean()), 2), round(float(ys.mean()), 2), int(column), int(row)


def _brought(found: Found, stem: str, name: str, target: Path) -> list[str] | None:
    mask = found.mask()
    places = places_of(mask == _OBJECT)
    if places is None:
        return None
    try:
        with Image.open(found.photo) as opened:
            check_sizes(found.photo, (opened.height, opened.width), mask.shape)
    except OSError as problem:
        raise InputError(f"the photo {found.photo} cannot be read: {problem}") from problem
    photo = target / name / "images" / found.photo.name
    if not photo.exists():
        try:
            os.link(found.photo, photo)
        except OSError:  # another disk, or one without links
            shutil.copyfile(found.photo, photo)
    with written(target / name / "masks" / f"{stem}.png") as temporary:
        Image.fromarray(mask).save(temporary, format="PNG")
    return [name, stem, photo.name, *map(str, places)]


def _rows(manifest: Path) -> list[list[str]]:
    if not manifest.exists():
        return []
    with manifest.open(newline="", encoding="utf-8") as opened:
        return list(csv.reader(opened))[1:]
