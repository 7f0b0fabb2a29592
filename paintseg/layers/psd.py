"""Layers as a Photoshop file (.psd), which Photoshop, Photopea, Affinity, Krita and GIMP open, by psd-tools."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from torch import Tensor

from ..errors import InputError
from ..io.formats import to_image
from ..io.packages import need
from ..io.pictures import check_folder, written
from ..ops.memory import says_shortage
from .stack import NamedLayer, common_size, flatten, printable, visible_part

LONGEST_NAME = 255
"""Letters of a layer's name, as the format has it; a longer one is cut."""

LONGEST_SIDE = 30000
"""Pixels, as the format has it."""

XMP = 1060
"""The number of the resource that holds the texts."""

_NAMESPACE = "https://github.com/paintseg/ComfyUI-PaintSeg/xmp/"


def check_psd(path: Path, what: str = "the PSD file") -> None:
    """Refuse what could not be written later. Raises InputError: another ending, no folder, no psd-tools."""
    if path.suffix.lower() != ".psd":
        raise InputError(f"a PSD file must be named .psd, not {path.name!r}")
    check_folder(path, what)
    need("psd-tools")


@says_shortage
def save_psd(
    path: Path,
    layers: Sequence[NamedLayer],
    texts: Mapping[str, str] | None = None,
    size: tuple[int, int] | None = None,
) -> None:
    """Write layers as a PSD file, 8 bits a channel, whole or not at all.

    Args:
        path: ends in .psd. layers, size: as of `save_openraster`.
        texts: written as XMP, by name; painting programs keep them.

    Raises InputError: another ending, a folder that is not there, no layers, layers of different sizes, a picture of
    more than `LONGEST_SIDE`, or psd-tools is not installed; StorageError: the disk is full.
    """
    check_psd(path)
    size = common_size(layers, size)
    if max(size) > LONGEST_SIDE:
        raise InputError(f"a PSD file has at most {LONGEST_SIDE} pixels a side, the picture is {size[1]} x {size[0]}")
    constants = importlib.import_module("psd_tools.constants")
    document = importlib.import_module("psd_tools").PSDImage.frompil(to_image(_over_white(flatten(layers, size))))
    for layer in reversed(layers):
        part, left, top = visible_part(layer)
        made = document.create_pixel_layer(
            to_image(part),
            top=top,
            left=left,
            opacity=round(layer.opacity * 255),
            blend_mode=constants.BlendMode[layer.mode.upper().replace("-", "_")],
        )
        made.name = printable(layer.name)[:LONGEST_NAME]  # the argument of that name takes Mac Roman only
        made.visible = layer.visible
    if texts:
        resources = importlib.import_module("psd_tools.psd.image_resources")
        document.image_resources[XMP] = resources.ImageResource(key=XMP, data=xmp_of(texts).encode())
    _write(document, path)


def xmp_of(texts: Mapping[str, str]) -> str:
    """Texts by name as an XMP packet (ISO 16684-1): a property each, in a namespace of our own."""
    properties = "".join(
        f'<rdf:li rdf:parseType="Resource"><paintseg:name>{escape(printable(name))}</paintseg:name>'
        f"<paintseg:text>{escape(printable(text))}</paintseg:text></rdf:li>"
        for name, text in texts.items()
    )
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        f'xmlns:paintseg="{_NAMESPACE}"><paintseg:texts><rdf:Bag>{properties}</rdf:Bag></paintseg:texts>'
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    )


def _over_white(picture: Tensor) -> Tensor:
    """As the format stores the merged picture's colours; readers take the white out again."""
    picture[:3] = picture[:3] * picture[3] + (1 - picture[3])
    return picture


def _write(document: Any, path: Path) -> None:
    record = document._record
    # Below 0: the merged picture's fourth channel is its transparency and no selection that somebody saved.
    found = record.layer_and_mask_information.layer_info
    found.layer_count = -abs(found.layer_count)
    with written(path) as temporary, temporary.open("wb") as file:
        # not `document.save`, which would merge the layers again, or warn that it cannot
        record.write(file)
