"""Layers as files that painting programs open: OpenRaster (Krita, GIMP, MyPaint) or a set of PNGs.

OpenRaster is a zip of PNGs with a table of contents (openraster.org, baseline). The one library for it on the
package index has not changed since 2020 and would bring one more dependency; here it is only what the tests
read the files with.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import InputError
from ..io.formats import encoded, to_image
from ..io.pictures import check_folder, folder_for, write_images, written
from ..ops.memory import says_shortage
from .blending import MODES
from .stack import NamedLayer, common_size, flatten, on_canvas, printable, visible_part

THUMBNAIL = 256
"""Longest side of the thumbnail, as the format has it."""

OPERATORS = {
    **{mode: f"svg:{mode}" for mode in MODES},
    "normal": "svg:src-over",
    "linear-dodge": "svg:plus",
    # what the format does not name, as Krita does
    "exclusion": "krita:exclusion",
    "linear-burn": "krita:linear_burn",
    "subtract": "krita:subtract",
}
"""A blend mode as the format writes it; a reader that does not know one shows the layer plainly."""


@says_shortage
def save_openraster(
    path: Path,
    layers: Sequence[NamedLayer],
    texts: Mapping[str, str] | None = None,
    size: tuple[int, int] | None = None,
) -> None:
    """Write layers as an OpenRaster file, 8 bits a channel, whole or not at all.

    Args:
        path: ends in .ora.
        layers: front to back. Each is stored cropped to what is visible.
        texts: written into the merged picture, as PNGs carry texts by name; painting programs leave them alone.
        size: the picture's, (H, W); None: that of the layers, which is the same for all then.

    Raises InputError: another ending, a folder that is not there, no layers, or layers of different sizes;
    StorageError: the disk is full.
    """
    if path.suffix.lower() != ".ora":
        raise InputError(f"an OpenRaster file must be named .ora, not {path.name!r}")
    check_folder(path, "the OpenRaster file")
    height, width = common_size(layers, size)
    from xml.etree import ElementTree  # 5 ms, which every start of ComfyUI would take

    image = ElementTree.Element("image", version="0.0.3", w=str(width), h=str(height), name=path.stem)
    stack = ElementTree.SubElement(image, "stack", name="root")
    merged = to_image(flatten(layers, (height, width)))
    small = merged.copy()
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    with written(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        # readers tell the format by this entry: first, and not compressed
        _store(archive, "mimetype", b"image/openraster", zipfile.ZIP_STORED)
        for number, layer in enumerate(layers):
            part, left, top = visible_part(layer)
            source = f"data/layer{number:03d}.png"
            _store(archive, source, encoded(Path(source), to_image(part)))
            ElementTree.SubElement(
                stack,
                "layer",
                name=printable(layer.name),
                src=source,
                x=str(left),
                y=str(top),
                opacity=f"{layer.opacity:g}",
                visibility="visible" if layer.visible else "hidden",
                attrib={"composite-op": OPERATORS[layer.mode]},
            )
        contents = ElementTree.tostring(image, encoding="UTF-8", xml_declaration=True)
        _store(archive, "stack.xml", contents, zipfile.ZIP_DEFLATED)
        for name, picture, told in (("mergedimage.png", merged, texts), ("Thumbnails/thumbnail.png", small, None)):
            _store(archive, name, encoded(Path(name), picture, told))


@says_shortage
def save_png_set(
    folder: Path,
    layers: Sequence[NamedLayer],
    prefix: str = "",
    texts: Mapping[str, str] | None = None,
    size: tuple[int, int] | None = None,
) -> list[Path]:
    """Write layers as PNGs of the picture's size, numbered from the front, and a layers.json that names them.

    Args:
        folder: made if it is not there. layers, size: as of `save_openraster`.
        prefix: begins every file's name.
        texts: written into every PNG, by name.

    Returns the PNGs' paths, front to back.

    Raises InputError for no layers or layers of different sizes; StorageError when the folder cannot be written.
    """
    names = [f"{prefix}{number:02d}_{_filename(layer.name)}.png" for number, layer in enumerate(layers)]
    height, width = common_size(layers, size)
    pictures = {
        folder / name: to_image(on_canvas(layer, (height, width))) for name, layer in zip(names, layers, strict=True)
    }
    table = [
        {"file": name, "name": layer.name, "opacity": layer.opacity, "visible": layer.visible}
        | ({} if layer.mode == "normal" else {"mode": layer.mode})
        for name, layer in zip(names, layers, strict=True)
    ]
    with folder_for(folder), written(folder / f"{prefix}layers.json") as temporary:
        temporary.write_text(json.dumps({"front_to_back": table}, indent=2), encoding="utf-8")
        # Inside: the table appears only with the pictures it names, or neither does.
        write_images(pictures, texts)
    return list(pictures)


def _store(archive: zipfile.ZipFile, name: str, content: bytes, method: int = zipfile.ZIP_STORED) -> None:
    # no time of writing, so that the same layers give the same file
    archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, method)


def _filename(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._")[:60] or "layer"
