"""Photos read from files of every kind, and what of its file a photo's results keep."""

from __future__ import annotations

import math
import threading
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from PIL import Image, ImageFile, ImageOps
from torch import Tensor

from ..errors import InputError
from .formats import WITH_PROFILE, from_image, to_image
from .profiles import Recolour, to_srgb
from .remarks import remark

MAX_PIXELS = 2**27
"""Largest photo that is read, 134 million pixels; as floats it takes 1.6 GB."""

DEEP = ("I;16", "I;16B", "I;16L", "I;16N", "I")
"""Pillow's modes of a grey picture of 16 bits."""

_DENSEST = 65535  # dots per inch that a JPEG can say
_ORIENTATION, _EXIF_PART, _MAKER_NOTE = 0x0112, 0x8769, 0x927C

_DECODING = threading.RLock()
"""Held while a file is decoded: whether Pillow takes files that are not whole is one switch for all threads."""

Made = TypeVar("Made")


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo and what its file said of it.

    Attributes:
        pixels: 3 x H x W in [0, 1], sRGB, upright.
        alpha: H x W in [0, 1]; None where it is opaque everywhere.
        info: `dpi`, `exif` and `icc_profile` for files made of it, those it has.
        own: H x W x 3 uint8, the file's own numbers where they are not sRGB's.
        back: from sRGB to those.
    """

    pixels: Tensor
    alpha: Tensor | None = None
    info: Mapping[str, Any] = field(default_factory=dict)
    own: np.ndarray | None = None
    back: Recolour | None = None

    @property
    def whole(self) -> Tensor:
        """The pixels, with alpha as a fourth channel where there is any."""
        return self.pixels if self.alpha is None else torch.cat([self.pixels, self.alpha[None]])

    def image_for(self, path: Path, values: Tensor) -> Image.Image:
        """What was made of the photo, as a picture for a file of that name.

        It keeps the photo's resolution, EXIF and colour profile, and every pixel whose colour is still the photo's
        keeps the file's own numbers. Where the format holds no profile the colours are sRGB.

        Args:
            values: 3 or 4 x H x W in [0, 1], sRGB.
        """
        image = to_image(values)
        info = dict(self.info)
        if path.suffix.lower() not in WITH_PROFILE:
            info.pop("icc_profile", None)
        elif self.back is not None and self.own is not None:
            shown, before = np.asarray(image), np.asarray(to_image(self.pixels))
            kept = (shown[..., :3] == before).all(-1, keepdims=True)
            colours = np.where(kept, self.own, np.asarray(self.back(image.convert("RGB"))))
            image = Image.fromarray(np.concatenate([colours, shown[..., 3:]], -1) if shown.shape[2] == 4 else colours)
        for name, value in info.items():
            image.info[name] = value
        return image


def read_photo(path: Path | str) -> Tensor:
    """A photo's pixels, 3 x H x W in [0, 1]; as `load_photo` reads them."""
    return load_photo(path).pixels


def load_photo(path: Path | str) -> Photo:
    """Read a photo, turned as its EXIF says, its colours as sRGB.

    Grey, palette, CMYK and 16-bit photos become RGB of 8 bits (greys keep theirs); an embedded colour profile is
    applied; an animation gives its first frame. A file that is not whole is read as far as it goes, as ComfyUI does.

    Raises InputError for what is no photo, is broken, or has more than `MAX_PIXELS`.
    """
    path = Path(path)
    return decoded(path, lambda image: _photo(image, path))


def decoded(path: Path, use: Callable[[Image.Image], Made]) -> Made:
    """What `use` makes of the picture in a file, upright and loaded. What `use` raises means a broken file.

    Raises InputError as `load_photo` does, and lets those of `use` through.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder; give one picture")
    if not path.exists():
        raise InputError(f"there is no file {path}")
    with _DECODING:
        try:
            return _decode(path, use)
        except (InputError, MemoryError):
            raise
        except Exception as error:  # Pillow's plugins report broken files with nearly every type there is
            said = str(error).replace(f" {str(path)!r}", "").strip() or type(error).__name__
            broken = InputError(f"{path} cannot be read as a picture ({said})")
            broken.__cause__ = error
        before, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, True
        try:
            made = _decode(path, use)
        except (InputError, MemoryError):
            raise
        except Exception:
            raise broken from broken.__cause__
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = before
    remark(f"{path} is damaged ({said}); what can be read of it is used")
    return made


def grey_of(image: Image.Image) -> np.ndarray:
    """A 16-bit or float picture as H x W float32 in [0, 1]."""
    grey = np.asarray(image, dtype=np.float32)
    if not np.isfinite(grey).all():
        raise ValueError("it holds NaN or infinite values")
    # 16-bit greys come in several modes; of floats the range tells what one means.
    top = 65535.0 if image.mode in DEEP else 1.0 if grey.max(initial=0) <= 1 else 255.0
    return np.clip(grey / top, 0, 1)


def _decode(path: Path, use: Callable[[Image.Image], Made]) -> Made:
    try:
        # Pillow warns of pictures we accept, and refuses some that we refuse with a clearer sentence.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as opened:
                width, height = opened.size
                if width * height > MAX_PIXELS:
                    raise InputError(
                        f"{path} has {width} x {height} pixels, more than {MAX_PIXELS // 10**6} million; "
                        "make it smaller"
                    )
                opened.load()
                _set_upright(opened, path)
                made = use(opened)
                _say_pages(opened, path)
                return made
    except Image.DecompressionBombError as error:
        raise InputError(f"{path} has more than {MAX_PIXELS // 10**6} million pixels; make it smaller") from error


def _set_upright(image: Image.Image, path: Path) -> None:
    """Turn the picture itself as its EXIF says."""
    try:
        image.getexif()
    except Exception:  # whatever is wrong with it: the pixels are there
        remark(f"the EXIF of {path} cannot be read; the picture is taken as it lies")
        return
    with suppress(Exception):  # it is turned by then; that its EXIF cannot be written anew `_exif` says
        ImageOps.exif_transpose(image, in_place=True)


def _photo(image: Image.Image, path: Path) -> Photo:
    info = {"dpi": _density(image.info.get("dpi")), "exif": _exif(image, path)}
    if image.mode in DEEP or image.mode == "F":
        if image.info.get("icc_profile"):
            remark(f"the colour profile of {path} is left out: it is applied to pictures of 8 bits only")
        grey = torch.from_numpy(grey_of(image))
        return Photo(grey.expand(3, -1, -1).contiguous(), info=_given(info))
    alpha = None
    if image.has_transparency_data:
        opacity = np.asarray(image.convert("RGBA").getchannel("A"))
        alpha = None if opacity.min(initial=255) == 255 else torch.from_numpy(opacity.astype(np.float32) / 255)
    shown, back, info["icc_profile"] = to_srgb(image, path)
    own = np.asarray(image.convert("RGB")) if back is not None else None
    return Photo(from_image(shown), alpha, _given(info), own, back)


def _given(info: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in info.items() if value}


def _say_pages(image: Image.Image, path: Path) -> None:
    # a phone's MPO holds the same photo again, which nobody misses
    with suppress(Exception):  # what lies behind the first picture may be broken
        if image.format != "MPO" and getattr(image, "is_animated", False):
            remark(f"{path} holds several pictures; the first is taken")


def _density(dpi: Any) -> tuple[float, float] | None:
    """Dots per inch along x and y, where they mean something."""
    try:
        across, down = (float(value) for value in dpi)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (across, down) if all(math.isfinite(one) and 1 <= one <= _DENSEST for one in (across, down)) else None


def _exif(image: Image.Image, path: Path) -> bytes | None:
    """The photo's EXIF, for a picture that is upright now; without what a camera's maker hides in it, and without the
    thumbnail: both may show what the result no longer does. A TIFF's tags describe the file, not the photo."""
    if image.format == "TIFF":
        return None
    try:
        exif = image.getexif()
        if not exif:
            return None
        exif.get_ifd(_EXIF_PART).pop(_MAKER_NOTE, None)
        exif.pop(_ORIENTATION, None)
        return exif.tobytes()
    except MemoryError:
        raise
    except Exception:  # as above
        remark(f"the EXIF of {path} cannot be read and is left out")
        return None
