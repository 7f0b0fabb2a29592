"""`python -m paintseg.eval.plates DIR --count 28`: how far plates are from a truth that is known.

Objects are pasted, by their human masks, over other photos, where those photos have no marked object of their own if
there is room. Then the objects are removed again, by their human masks. What was behind is known:

- distance: 1 - cosine of the encoder's features, of plate and truth, mean over the patches in the hole.
- colour: mean absolute difference of plate and truth in the hole, of 255, both blurred (`BLUR`).
- ghost: share of the plates in which discovery, looking at the hole's surroundings, is sure of a thing of which at
  least half is in the hole. The truth has such things too; its row is the floor.
- seam: mean step across the hole's edge over the mean step within `removal.NEAR` pixels of the edge, all plates
  together.
- seconds: of the processor.

Even and odd cases stand apart as well: choose on one half, report both.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..amcp.loop import paint
from ..cli.console import Parser
from ..cli.parameters import split
from ..encoders import Encoder
from ..errors import InputError
from ..layers.local import local_mean
from ..layers.plausibility import frame_of, patches
from ..layers.removal import CANDIDATES, contact_rim, hole_of, paint_out
from ..layers.window import show, show_hole, window
from ..locate.discovery import coarse_masks
from ..models import Models, load_models
from ..ops.boxes import box_around
from ..ops.images import resize, size_of
from ..ops.morphology import dilate
from ..ops.seeds import seeded
from .datasets import Instance, read_manifest, scene
from .removal import NEAR, spread, step_across, step_within
from .study import Row, Table, add_device, add_plates, command, counted_parser, keep, row

LARGEST, SMALLEST = 0.3, 0.02
"""Objects that cover more or less of the photo are left out."""

BUSY, NEARBY = 0.01, 8
"""Another background is taken when more of the object would hide what is marked on this one or lies so many pixels
from it: nobody can know how half a bird goes on."""

BLUR = 4
"""Radius in pixels of the squares over which colours are averaged before they are compared."""

GHOSTS, CELLS = 3, 28
"""Sure things that are looked at, and the patches along the longer side that discovery cuts."""


@dataclass(frozen=True)
class Case:
    """An object over a photo: image and truth 3 x H x W, mask H x W bool."""

    name: str
    image: Tensor
    truth: Tensor
    mask: Tensor


Fill = Callable[[Case, Models, int], Tensor]


def cases(instances: Sequence[Instance], count: int) -> Iterator[Case]:
    """`count` objects over photos of other scenes, spread over all sets."""
    usable = [one for one in instances if SMALLEST < _share(one) < LARGEST]
    for instance in spread(usable, count):
        at = instances.index(instance)
        for behind in [*instances[at + 1 :], *instances[:at]]:
            if scene(behind.stem) == scene(instance.stem):
                continue
            case = _pasted(instance, behind)
            if case is not None:
                yield case
                break


def _share(instance: Instance) -> float:
    return float((instance.mask() == 255).mean())


def _pasted(instance: Instance, behind: Instance) -> Case | None:
    """The object where it hides least of what is marked on the photo behind; None when it hides too much anywhere."""
    image, mask = instance.image(), torch.from_numpy(instance.mask() == 255)
    size = size_of(mask)
    truth = resize(behind.image()[None], size)[0]
    marked = resize(torch.from_numpy(behind.mask() != 0)[None, None].float(), size)[0, 0] > 0.5
    marked = dilate(marked, NEARBY)
    x0, y0, x1, y1 = box_around(mask[None, None])
    best = None
    for down in np.linspace(-y0, size[0] - y1, 9).round().astype(int):
        for right in np.linspace(-x0, size[1] - x1, 9).round().astype(int):
            hidden = mask[y0:y1, x0:x1] & marked[y0 + down : y1 + down, x0 + right : x1 + right]
            key = (round(float(hidden.sum() / mask.sum()), 2), abs(int(down)) + abs(int(right)))
            if best is None or key < best[0]:
                best = key, (int(down), int(right))
    if best is None or best[0][0] > BUSY:
        return None
    moved = [one.roll(best[1], (-2, -1)) for one in (image, mask)]
    return Case(f"{instance.dataset}/{instance.stem}", torch.where(moved[1], moved[0], truth), truth, moved[1])


def hole(case: Case) -> Tensor:
    """H x W bool: the hole of Remove Object, in which all rows are measured."""
    return hole_of(case.mask.float(), contact_rim(case.mask))


def _cv2() -> Any:
    try:
        import cv2
    except ImportError as missing:
        raise InputError("telea and navier-stokes need opencv-python-headless; install the extra peers") from missing
    return cv2


def _opencv(flag: str, case: Case, *_: object) -> Tensor:
    cv2 = _cv2()
    pixels = np.ascontiguousarray((case.image * 255).round().byte().permute(1, 2, 0).numpy()[..., ::-1])
    filled = cv2.inpaint(pixels, hole(case).byte().numpy(), 3, getattr(cv2, flag))
    filled = torch.from_numpy(np.ascontiguousarray(filled[..., ::-1])).permute(2, 0, 1) / 255
    return torch.where(hole(case), filled, case.image)


def _painted_once(case: Case, models: Models, seed: int) -> Tensor:
    """One painting of the hole and what is around it, enlarged and put in."""
    own = hole(case)
    view = window(own, models.painter)
    painted = paint(models.painter, show(case.image, view), show_hole(own, view), 1, seeded(seed))
    return torch.where(own, view.paste(painted)[0], case.image)


def _removed(case: Case, models: Models, seed: int) -> Tensor:
    """Remove Object as the node does it by default."""
    return paint_out(case.image, case.mask, models.painter, seed, None, CANDIDATES, True, models.encoder).plate


FILLS: dict[str, Fill] = {
    "truth": lambda case, *_: case.truth,
    "telea": partial(_opencv, "INPAINT_TELEA"),
    "navier-stokes": partial(_opencv, "INPAINT_NS"),
    "migan": _painted_once,
    "remove": _removed,
}
"""The rows of the table by name."""


def measure(case: Case, plate: Tensor, known: Tensor, encoder: Encoder) -> dict[str, float]:
    """All measures of a plate 3 x H x W by name; `known` C x n, the features of the truth's patches in the hole."""
    own = hole(case)
    inside = patches(plate, own, encoder)[0]
    off = (local_mean(plate, BLUR) - local_mean(case.truth, BLUR)).abs()[:, own]
    return {
        "distance": float((1 - (inside * known).sum(0)).mean()),
        "colour": 255 * float(off.mean()),
        "ghost": has_ghost(plate, own, encoder),
        "across": step_across(plate, own),
        "around": step_within(plate, own, NEAR),
    }


def has_ghost(plate: Tensor, hole: Tensor, encoder: Encoder) -> bool:
    """Whether discovery is sure of a thing of which half is in the hole; plate 3 x H x W, hole H x W bool."""
    x0, y0, x1, y1 = frame_of(hole)
    try:
        found = coarse_masks(plate[:, y0:y1, x0:x1], encoder, most=GHOSTS, cells=CELLS, sure=True)
    except InputError:  # nothing stands out
        return False
    inside = hole[y0:y1, x0:x1]
    return any(bool((one > 0.5).any()) and float(inside[one > 0.5].float().mean()) >= 0.5 for one in found)


def make_parser() -> Parser:
    parser = counted_parser("plates", "Plates of objects that were pasted where the truth is known.", 28, "objects")
    parser.add_argument("--rows", default=",".join(FILLS), help="what is compared, with commas (default all)")
    add_device(parser)
    add_plates(parser, "image and plates")
    return parser


def measured(options: argparse.Namespace) -> Iterator[Row]:
    names = split([options.rows])
    for name in names:
        if name not in FILLS:
            raise InputError(f"there is no row {name!r}; rows are {', '.join(FILLS)}")
    if {"telea", "navier-stokes"} & {*names}:
        _cv2()  # refused before any work
    models = load_models(options.device)
    for number, case in enumerate(cases(read_manifest(options.folder), options.count)):
        found, shown = {}, [case.image]
        known = patches(case.truth, hole(case), models.encoder)[0]
        for name in names:
            begun = time.process_time()
            shown.append(FILLS[name](case, models, options.seed))
            seconds = time.process_time() - begun
            found[name] = {**measure(case, shown[-1], known, models.encoder), "seconds": seconds}
        keep(options, case.name.replace("/", "_"), shown)
        yield row(("even cases", "odd cases")[number % 2], case.name, found)


main = command(
    make_parser,
    measured,
    (
        Table("distance", "distance", 1, 3),
        Table("colour", "colour", 1),
        Table("ghosts, %", "ghost", digits=0),
        Table("seam", "across", 1, 2, per="around"),
        Table("seconds", "seconds", 1),
    ),
)

if __name__ == "__main__":
    sys.exit(main())
