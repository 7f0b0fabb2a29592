"""Colour profiles: the colours of a picture as sRGB, in which the models see, and the way back to its own.

The numbers of a photo mean what its embedded ICC profile says. Without one they mean sRGB.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import cast

import numpy as np
from PIL import Image, ImageCms

from .remarks import remark

_SAME = 2
"""Steps of 255 by which a profile may change colours and still be sRGB: its authors round differently."""

_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}

Recolour = Callable[[Image.Image], Image.Image]
Profile = ImageCms.ImageCmsProfile | ImageCms.core.CmsProfile


def to_srgb(image: Image.Image, path: Path) -> tuple[Image.Image, Recolour | None, bytes | None]:
    """The picture in sRGB, without its transparency.

    Args:
        image: of any mode of 8 bits.

    Returns:
        The picture in mode RGB; what brings such a picture back to the file's own RGB space, None where that is sRGB
        or none; and the profile that belongs to the file's own RGB numbers, if they have one. A profile that cannot
        be used costs nothing but a remark.
    """
    data = image.info.get("icc_profile")
    if not data:
        return image.convert("RGB"), None, None
    try:
        mode, there, back = _transforms(data)
        if (mode == "CMYK") != (image.mode == "CMYK") or (mode == "LAB") != (image.mode == "LAB"):
            raise ValueError(f"it is one for {mode}, the picture is {image.mode}")
        if mode == "L" and image.mode not in ("L", "LA", "1"):
            raise ValueError(f"it is one for grey, the picture is {image.mode}")
        if there is None:
            return image.convert("RGB"), None, data
        shown = there(image.convert(mode))
    except Exception as problem:  # lcms and Pillow report what is broken with nearly every type there is
        remark(f"the colour profile of {path} cannot be used and is left out: {problem}")
        return image.convert("RGB"), None, None
    return shown, back, data if back else None


@lru_cache(maxsize=8)  # the photos of a folder mostly have one profile
def _transforms(data: bytes) -> tuple[str, Recolour | None, Recolour | None]:
    """A profile's mode, the way to sRGB (None: it is sRGB), and back (None: there is none)."""
    profile, srgb = ImageCms.ImageCmsProfile(io.BytesIO(data)), ImageCms.createProfile("sRGB")
    mode = _MODES[profile.profile.xcolor_space.strip()]
    there = _recolour(profile, srgb, mode, "RGB")
    if mode != "RGB":
        return mode, there, None
    colours = _all_colours()
    moved = np.abs(np.asarray(there(colours), np.int16) - np.asarray(colours, np.int16)).max()
    if moved <= _SAME:
        return mode, None, None
    try:
        return mode, there, _recolour(srgb, profile, "RGB", "RGB")
    except ImageCms.PyCMSError:  # a scanner's or camera's, which leads one way only
        return mode, there, None


def _recolour(source: Profile, target: Profile, mode: str, wanted: str) -> Recolour:
    made = ImageCms.buildTransform(
        source, target, mode, wanted, ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION
    )
    # None is returned only where a picture is changed in place, which nobody asks for
    return lambda image: cast(Image.Image, ImageCms.applyTransform(image, made))


def _all_colours() -> Image.Image:
    """17 x 17 x 17 colours spread over the RGB cube."""
    steps = np.linspace(0, 255, 17).round().astype(np.uint8)
    return Image.fromarray(np.stack(np.meshgrid(steps, steps, steps), -1).reshape(17, -1, 3))
