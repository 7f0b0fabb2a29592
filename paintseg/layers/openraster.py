"""Layers as files that painting programs open: OpenRaster (Krita, GIMP, MyPaint) or a set of PNGs.

OpenRaster is a zip of PNGs with a table of contents (openraster.org, baseline). The one library for it on the
package index has not changed since 2020 and would bring one more dependency; here it is only what the tests
read the files with.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import torch
from PIL import Image
from torch import Tensor

from ..chunks import says_shortage
from ..errors import InputError
from ..files import check_folder, folder_for, to_image, write_images, written
from ..morphology import bounding_box
from .compose import check_layer, over

THUMBNAIL = 256
"""Longest side of the thumbnail, as the format has it."""


@dataclass(frozen=True)
class NamedLayer:
    """A layer with what a painting program shows of it.

    Attributes:
        name: in the list of layers.
        pixels: 4 x H x W, straight colour and alpha in [0, 1], or 3 x H x W, opaque.
        opacity: 0 to 1. visible: shown at first.
    """

    name: str
    pixels: Tensor
    opacity: float = 1.0
    visible: bool = True


@says_shortage
def save_openraster(path: Path, layers: Sequence[NamedLayer]) -> None:
    """Write layers as an OpenRaster file, 8 bits a channel, whole or not at all.

    Args:
        path: ends in .ora.
        layers: front to back, all of one size, which is the picture's. Each is stored cropped to what is
            visible.

    Raises:
        InputError: another ending, a folder that is not there, no layers, or layers of different sizes.
        StorageError: the disk is full.
    """
    if path.suffix.lower() != ".ora":
        raise InputError(f"an OpenRaster file must be named .ora, not {path.name!r}")
    check_folder(path, "the OpenRaster file")
    whole = _checked(layers)
    height, width = whole[0].shape[1:]
    image = ElementTree.Element("image", version="0.0.3", w=str(width), h=str(height), name=path.stem)
    stack = ElementTree.SubElement(image, "stack", name="root")
    merged = to_image(flatten(layers))
    small = merged.copy()
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    with written(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        # readers tell the format by this entry: first, and not compressed
        _store(archive, "mimetype", b"image/openraster", zipfile.ZIP_STORED)
        for number, (layer, pixels) in enumerate(zip(layers, whole, strict=True)):
            part, left, top = _visible_part(pixels)
            source = f"data/layer{number:03d}.png"
            _store(archive, source, _png(to_image(part)))
            shown = {"name": printable(layer.name), "src": source, "x": str(left), "y": str(top)}
            ElementTree.SubElement(stack, "layer", **shown, opacity=f"{layer.opacity:g}",
                                   visibility="visible" if layer.visible else "hidden",
                                   attrib={"composite-op": "svg:src-over"})
        contents = ElementTree.tostring(image, encoding="UTF-8", xml_declaration=True)
        _store(archive, "stack.xml", contents, zipfile.ZIP_DEFLATED)
        _store(archive, "mergedimage.png", _png(merged))
        _store(archive, "Thumbnails/thumbnail.png", _png(small))


@says_shortage
def save_png_set(folder: Path, layers: Sequence[NamedLayer], prefix: str = "") -> list[Path]:
    """Write layers as PNGs of the picture's size, numbered from the front, and a layers.json that names them.

    Args:
        folder: made if it is not there.
        layers: front to back, all of one size.
        prefix: begins every file's name.

    Returns:
        The PNGs' paths, front to back.

    Raises InputError for no layers or layers of different sizes; StorageError when the folder cannot be written.
    """
    whole = _checked(layers)
    names = [f"{prefix}{number:02d}_{_filename(layer.name)}.png" for number, layer in enumerate(layers)]
    table = [{"file": name, "name": layer.name, "opacity": layer.opacity, "visible": layer.visible}
             for name, layer in zip(names, layers, strict=True)]
    with folder_for(folder), written(folder / f"{prefix}layers.json") as temporary:
        temporary.write_text(json.dumps({"front_to_back": table}, indent=2), encoding="utf-8")
        # Inside: the table appears only with the pictures it names, or neither does.
        write_images({folder / name: to_image(pixels) for name, pixels in zip(names, whole, strict=True)})
    return [folder / name for name in names]


@says_shortage
def flatten(layers: Sequence[NamedLayer]) -> Tensor:
    """Visible layers, front to back, as one picture 4 x H x W with straight alpha."""
    whole = _checked(layers)
    colour, alpha = torch.zeros_like(whole[0][:3]), torch.zeros_like(whole[0][3])
    for layer, pixels in reversed(list(zip(layers, whole, strict=True))):
        share = pixels[3] * layer.opacity * layer.visible
        total = share + alpha * (1 - share)
        # how much of the visible colour is this layer's; 1 over nothing and where it is opaque
        part = torch.where(total > 0, share / total.clamp_min(1e-6), share)
        colour, alpha = over(pixels[:3], part, colour), total
    return torch.cat([colour, alpha[None]])


def printable(name: str) -> str:
    """A name without the characters that XML cannot hold."""
    return re.sub("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", name)


def _checked(layers: Sequence[NamedLayer]) -> list[Tensor]:
    if not layers:
        raise InputError("there are no layers to save")
    whole = []
    for number, layer in enumerate(layers):
        pixels = layer.pixels.detach().float().cpu()
        if pixels.ndim == 3 and pixels.shape[0] == 3:
            pixels = torch.cat([pixels, torch.ones_like(pixels[:1])])
        check_layer(pixels, f"layer {number}")
        if pixels.shape != (whole[0] if whole else pixels).shape:
            raise InputError(f"layer {number} is {pixels.shape[2]} x {pixels.shape[1]}, "
                             f"not {whole[0].shape[2]} x {whole[0].shape[1]} like the first one")
        if not 0 <= layer.opacity <= 1:
            raise InputError(f"the opacity of layer {number} must be from 0 to 1, not {layer.opacity!r}")
        whole.append(pixels.clamp(0, 1))
    return whole


def _visible_part(pixels: Tensor) -> tuple[Tensor, int, int]:
    box = bounding_box((pixels[3:] > 0)[None]) or (0, 0, 1, 1)
    x0, y0, x1, y1 = box
    return pixels[:, y0:y1, x0:x1], x0, y0


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _store(archive: zipfile.ZipFile, name: str, content: bytes, method: int = zipfile.ZIP_STORED) -> None:
    # no time of writing, so that the same layers give the same file
    archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, method)


def _filename(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._")[:60] or "layer"
