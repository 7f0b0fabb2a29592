"""Data sets as their authors distribute them: which files are photos, and which masks are whose.

Every reader takes the folder that a set unpacks to and yields its objects in order, masks read when they are asked for.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from paintseg.errors import InputError
from paintseg.eval.metrics import IGNORED
from paintseg.io.packages import need

PHOTOS = (".jpg", ".jpeg", ".png", ".bmp")
_OBJECT = 255
DAVIS_STEP = 10
"""Every tenth annotated frame of DAVIS: the paper's 10 %, which it drew at random."""
MVAL_EACH = 10
"""Objects of every category in COCO MVal; which ones, only the list of RITM's authors says."""


@dataclass(frozen=True)
class Found:
    """One object of a set.

    Attributes:
        stem: its name in the set. photo: file.
        mask: reads the human mask, H x W uint8: 255 object, 0 background, 128 not counted. Raises InputError.
    """

    stem: str
    photo: Path
    mask: Callable[[], np.ndarray]


def pairs(
    root: Path,
    photos: tuple[str, ...],
    masks: tuple[str, ...],
    separator: str = "",
    ignored: tuple[int, ...] = (),
    read: Callable[[Path, tuple[int, ...]], np.ndarray] | None = None,
) -> Iterator[Found]:
    """A folder of photos beside a folder of masks of the same names: most sets.

    Args:
        photos, masks: folders that may hold them, in order of preference.
        separator: what follows the photo's name in those of masks, before the object's number; empty for one object.
        ignored: greys of masks that are not counted.
    """
    shown, drawn = _folder(root, photos), _folder(root, masks)
    by_stem = {path.stem: path for path in sorted(shown.iterdir()) if path.suffix.lower() in PHOTOS}
    for path in sorted(drawn.iterdir()):
        if path.suffix.lower() not in PHOTOS:
            continue
        stem = path.stem.partition(separator)[0] if separator else path.stem
        photo = by_stem.get(stem)
        if photo is None:
            raise InputError(f"the mask {path} has no photo in {shown}")
        yield Found(path.stem, photo, partial(read or grey_mask, path, ignored))


def voc(root: Path) -> Iterator[Found]:
    """PASCAL VOC 2012 val, every object of its own: VOC2012/{JPEGImages,SegmentationObject,ImageSets}; 255 is void."""
    root = _down(root, "VOCdevkit", "VOC2012")
    for stem in _lines(root / "ImageSets" / "Segmentation" / "val.txt"):
        labels = _indices(root / "SegmentationObject" / f"{stem}.png")
        for number in _numbers(labels, void=255):
            yield Found(f"{stem}_{number}", root / "JPEGImages" / f"{stem}.jpg", partial(_one, labels, number, 255))


def sbd(root: Path) -> Iterator[Found]:
    """SBD val, every object of its own: dataset/{img,inst}, val.txt; instances are Matlab files."""
    need("scipy")
    from scipy.io import loadmat

    root = _down(root, "benchmark_RELEASE", "dataset")
    for stem in _lines(root / "val.txt"):
        labels = np.asarray(loadmat(root / "inst" / f"{stem}.mat")["GTinst"]["Segmentation"][0, 0])
        for number in _numbers(labels):
            yield Found(f"{stem}_{number}", root / "img" / f"{stem}.jpg", partial(_one, labels, number))


def davis(root: Path) -> Iterator[Found]:
    """DAVIS' 345 frames: RITM's folders img and gt, or every tenth frame of DAVIS 2016, all sequences in a row."""
    if (root / "gt").is_dir():
        yield from pairs(root, ("img",), ("gt",))
        return
    root = _down(root, "DAVIS")
    frames = sorted(_folder(root, ("Annotations/480p",)).glob("*/*.png"))
    for path in frames[::DAVIS_STEP]:
        photo = root / "JPEGImages" / "480p" / path.parent.name / f"{path.stem}.jpg"
        yield Found(f"{path.parent.name}_{path.stem}", photo, partial(grey_mask, path, (), 0))


def coco_mval(root: Path) -> Iterator[Found]:
    """COCO MVal: RITM's folders img and gt, or ten objects of each category from COCO's own instances_val*.json."""
    if (root / "gt").is_dir():
        yield from pairs(root, ("img", "images"), ("gt",))
        return
    noted, photos = _notes(root, "instances_val*.json")
    groups: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for one in sorted(noted["annotations"], key=lambda each: each["id"]):
        if not one.get("iscrowd") and len(groups[one["category_id"]]) < MVAL_EACH:
            groups[one["category_id"]].append(one)
    for category in sorted(groups):
        for one in groups[category]:
            yield _noted(root, photos[one["image_id"]], [one], f"_{one['id']}")


def part_image_net(root: Path) -> Iterator[Found]:
    """PartImageNet val, all parts of a photo together: COCO's JSON, or maps of indices whose highest is background."""
    listed = sorted(root.glob("**/val.json"))
    if listed:
        noted, photos = _notes(root, "val.json")
        groups: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
        for one in noted["annotations"]:
            groups[one["image_id"]].append(one)
        for number in sorted(groups):
            yield _noted(root, photos[number], groups[number])
        return
    yield from pairs(root, ("images/val", "images"), ("annotations/val", "annotations"), read=_parts)


@dataclass(frozen=True)
class Layout:
    """A set.

    Attributes:
        title: as the paper calls it. folders: names its folder may have. read: its objects.
    """

    title: str
    folders: tuple[str, ...]
    read: Callable[[Path], Iterator[Found]]


LAYOUTS: dict[str, Layout] = {
    "duts_te": Layout(
        "DUTS-TE", ("DUTS-TE", "DUTS"), partial(pairs, photos=("DUTS-TE-Image",), masks=("DUTS-TE-Mask",))
    ),
    "ecssd": Layout("ECSSD", ("ECSSD",), partial(pairs, photos=("images",), masks=("ground_truth_mask", "masks"))),
    "pascal_voc": Layout("PASCAL VOC", ("VOC2012", "VOCdevkit", "PASCAL_VOC"), voc),
    "coco_mval": Layout("COCO MVal", ("COCO_MVal", "COCO", "coco"), coco_mval),
    "grabcut": Layout(
        "GrabCut",
        ("GrabCut", "grabcut"),
        partial(pairs, photos=("data_GT", "images"), masks=("boundary_GT", "masks"), ignored=(IGNORED,)),
    ),
    "berkeley": Layout(
        "Berkeley", ("Berkeley", "berkeley"), partial(pairs, photos=("images",), masks=("masks",), separator="#")
    ),
    "davis": Layout("DAVIS", ("DAVIS", "DAVIS345", "davis"), davis),
    "sbd": Layout("SBD", ("SBD", "benchmark_RELEASE", "sbd"), sbd),
    "part_image_net": Layout("PartImageNet", ("PartImageNet", "PartImageNet_Seg"), part_image_net),
}


def grey_mask(path: Path, ignored: tuple[int, ...] = (), above: int = 127) -> np.ndarray:
    """A mask's file: the object is what is brighter than `above` and not among the `ignored` greys."""
    try:
        with Image.open(path) as opened:
            values = np.array(opened.convert("L"))
    except OSError as problem:
        raise InputError(f"the mask {path} cannot be read: {problem}") from problem
    mask = np.where(values > above, _OBJECT, 0).astype(np.uint8)
    for grey in ignored:
        mask[values == grey] = IGNORED
    return mask


def rle_mask(counts: str | Iterable[int], size: tuple[int, int]) -> np.ndarray:
    """COCO's run lengths, plain or packed into letters, as H x W bool: runs go down the columns, off first."""
    runs = _unpacked(counts) if isinstance(counts, str) else list(counts)
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    if len(flat) != size[0] * size[1]:
        raise InputError(f"run lengths cover {len(flat)} pixels where a mask has {size[1]} x {size[0]}")
    return flat.reshape(size[1], size[0]).T


def _unpacked(letters: str) -> list[int]:
    """Run lengths of COCO's letters: five bits each, low ones first, from the third on as differences to two before."""
    runs: list[int] = []
    at = 0
    while at < len(letters):
        value, shift, more = 0, 0, True
        while more:
            bits = ord(letters[at]) - 48
            value |= (bits & 31) << shift
            more, shift, at = bool(bits & 32), shift + 5, at + 1
            if not more and bits & 16:
                value -= 1 << shift
        runs.append(value + runs[-2] if len(runs) > 2 else value)
    return runs


def _drawn(notes: Iterable[Mapping[str, Any]], size: tuple[int, int]) -> np.ndarray:
    """The union of COCO's annotations, polygons or run lengths."""
    canvas = Image.new("L", (size[1], size[0]))
    pen = ImageDraw.Draw(canvas)
    mask = np.zeros(size, bool)
    for note in notes:
        outline = note["segmentation"]
        if isinstance(outline, Mapping):
            mask |= rle_mask(outline["counts"], size)
        else:
            for line in outline:
                if len(line) >= 6:
                    pen.polygon([float(value) for value in line], fill=1)
    return np.where(mask | (np.array(canvas) > 0), _OBJECT, 0).astype(np.uint8)


def _parts(path: Path, _: tuple[int, ...]) -> np.ndarray:
    """All parts of a map of indices, whose background is 40 (PartImageNet's 40 parts) or 255."""
    labels = _indices(path)
    return np.where((labels != 40) & (labels != 255), _OBJECT, 0).astype(np.uint8)


def _one(labels: np.ndarray, number: int, void: int | None = None) -> np.ndarray:
    mask = np.where(labels == number, _OBJECT, 0).astype(np.uint8)
    if void is not None:
        mask[labels == void] = IGNORED
    return mask


def _numbers(labels: np.ndarray, void: int = 0) -> list[int]:
    return [int(number) for number in np.unique(labels) if number not in (0, void)]


def _indices(path: Path) -> np.ndarray:
    """The numbers of a PNG with a palette, or of a grey one."""
    try:
        with Image.open(path) as opened:
            return np.array(opened if opened.mode in ("P", "L", "I", "I;16") else opened.convert("L"))
    except OSError as problem:
        raise InputError(f"the label map {path} cannot be read: {problem}") from problem


def _notes(root: Path, pattern: str) -> tuple[dict[str, Any], dict[int, Mapping[str, Any]]]:
    """COCO's JSON and its photos by id. Raises InputError."""
    found = sorted(root.glob(f"**/{pattern}"))
    if not found:
        raise InputError(f"{root} holds neither gt nor {pattern}")
    try:
        noted = json.loads(found[0].read_text(encoding="utf-8"))
        return noted, {one["id"]: one for one in noted["images"]}
    except (ValueError, KeyError, TypeError) as problem:
        raise InputError(f"{found[0]} is no annotation file of COCO's kind: {problem}") from problem


def _noted(root: Path, about: Mapping[str, Any], notes: list[Mapping[str, Any]], suffix: str = "") -> Found:
    """What COCO's JSON notes together of a photo, which lies by its own path or in one of the usual folders."""
    name, size = about["file_name"], (int(about["height"]), int(about["width"]))
    places = [root / name, *(root / folder / name for folder in ("images", "val2017", "val2014", "images/val"))]
    photo = next((place for place in places if place.is_file()), places[0])
    return Found(Path(name).stem + suffix, photo, partial(_drawn, notes, size))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").split()
    except OSError as problem:
        raise InputError(f"{path} cannot be read: {problem}") from problem


def _down(root: Path, *names: str) -> Path:
    """The folder inside which the set begins: archives unpack to one folder or two."""
    for name in names:
        root = root / name if (root / name).is_dir() else root
    return root


def _folder(root: Path, names: tuple[str, ...]) -> Path:
    for name in names:
        if (root / name).is_dir():
            return root / name
    raise InputError(f"{root} holds no folder {' or '.join(names)}")
