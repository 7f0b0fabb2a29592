"""`python -m paintseg.eval.removal DIR`: how good clean plates are, in numbers.

Objects are taken out by their human masks, so that only the plate is judged:

- found: IoU, with the object that was there, of the first thing that discovery (repeated cuts) itself calls an
  object: away from the photo's rim and clearly cut off.
- salient: IoU of what stands out most, object or not (one cut, TokenCut). Of an empty landscape that is half of the
  photo, and overlaps any place in it.
- step: mean absolute difference of neighbouring pixels across the hole's edge; seam: over that inside the hole, and
  over that within `NEAR` pixels on either side of the edge. Over all plates means are divided, not ratios averaged: a
  ratio over a nearly flat sky would count for more than all the others.
- statistics: how far means and deviations of the encoder's features in the hole are from those around it.
- strangeness: see `paintseg.layers.plausibility`.

Beside the plate the photo has the same measures, where the object still is.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from ..cli.console import Parser
from ..encoders import Encoder
from ..errors import InputError
from ..layers.plausibility import patches, strangeness
from ..layers.removal import CANDIDATES, paint_out
from ..layers.seam import depth_inside
from ..locate.discovery import coarse_mask, coarse_masks
from ..models import load_models
from ..ops.overlap import intersection_over_union
from .datasets import Instance, by_set, read_manifest
from .study import Row, Table, add_device, add_plates, command, counted_parser, keep, row

FOUND = 0.1
"""Discovery that overlaps the old mask by less did not find the object."""

NEAR = 6


def make_parser() -> Parser:
    parser = counted_parser("removal", "Plate quality with human masks.", 40, "photos, spread over all sets")
    parser.add_argument("--shadow", action="store_true", help="take shadows out as well")
    add_device(parser)
    add_plates(parser, "photo and plate")
    return parser


def measured(options: argparse.Namespace) -> Iterator[Row]:
    models = load_models(options.device)
    for one in spread(read_manifest(options.folder), options.count):
        image, mask = one.image(), torch.from_numpy(one.mask() >= 128)
        done = paint_out(image, mask, models.painter, options.seed, None, CANDIDATES, options.shadow, models.encoder)
        keep(options, f"{one.dataset}_{one.stem}", [image, done.plate])
        pictures = {"photo": image, "plate": done.plate}
        found = {name: measure(picture, mask, done.hole, models.encoder) for name, picture in pictures.items()}
        yield row(one.dataset, one.stem, found)


def measure(picture: Tensor, mask: Tensor, hole: Tensor, encoder: Encoder) -> dict[str, float]:
    """All measures of one photo or plate 3 x H x W by name; mask of the object that was there and hole H x W bool."""
    found, salient = discovered(picture, mask, encoder)
    return {
        "is_found": found >= FOUND,
        "found": found,
        "is_salient": salient >= FOUND,
        "salient": salient,
        "across": step_across(picture, hole),
        "inside": step_within(picture, hole),
        "around": step_within(picture, hole, NEAR),
        "statistics": statistics_distance(picture, hole, encoder),
        "strangeness": strangeness(picture, hole, encoder),
    }


TABLES = (
    Table("first object that discovery is sure of is at the old one's place, % of the photos", "is_found"),
    Table("IoU of that object", "found"),
    Table("what stands out most is there, % of the photos", "is_salient"),
    Table("IoU of what stands out", "salient"),
    Table("step across the hole's edge, thousandths", "across", 1000),
    Table("seam: the step over those in the hole", "across", 1, 2, per="inside"),
    Table("seam near: the step over those beside the edge", "across", 1, 2, per="around"),
    Table("statistics", "statistics", 1, 2),
    Table("strangeness", "strangeness", 1, 2),
)


def discovered(image: Tensor, mask: Tensor, encoder: Encoder) -> tuple[float, float]:
    """IoU with a mask of the first discovered object, and of what stands out most; 0 where there is none."""

    def overlap(find: Callable[[], Tensor]) -> float:
        try:
            found = find() > 0.5
        except InputError:  # nothing stands out
            return 0.0
        return intersection_over_union(found, mask)

    return (
        overlap(lambda: coarse_masks(image, encoder, most=1, sure=True)[0]),
        overlap(lambda: coarse_mask(image, encoder)),
    )


def step_within(plate: Tensor, hole: Tensor, near: int | None = None) -> float:
    """Mean absolute difference of neighbouring pixels on the same side of the hole's edge.

    Args:
        plate: 3 x H x W. hole: H x W bool.
        near: instead of all of the hole, the pixels so near to its edge on either side of it.
    """
    counted = hole if near is None else torch.where(hole, depth_inside(hole), depth_inside(~hole)) <= near
    within = [step[first & second & ~apart] for step, first, second, apart in _steps(plate, hole, counted)]
    return float(torch.cat(within).mean())


def step_across(image: Tensor, hole: Tensor) -> float:
    """Mean absolute difference of neighbouring pixels of an image 3 x H x W, one in the hole H x W and one not."""
    return float(torch.cat([step[apart] for step, *_, apart in _steps(image, hole, hole)]).mean())


def _steps(image: Tensor, hole: Tensor, counted: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Down and to the right: the steps, whether either pixel is counted, and whether the hole's edge is between."""
    for dim in (0, 1):
        length = hole.shape[dim] - 1
        first, second = (counted.narrow(dim, at, length) for at in (0, 1))
        apart = hole.narrow(dim, 0, length) ^ hole.narrow(dim, 1, length)
        yield image.diff(dim=dim + 1).abs().mean(0), first, second, apart


def statistics_distance(image: Tensor, hole: Tensor, encoder: Encoder) -> float:
    """Distance of mean and deviation of the features in the hole from those around it; 0 for equal ones.

    Args:
        image: 3 x H x W. hole: H x W bool.
    """
    inside, around = patches(image, hole, encoder)
    if inside.shape[1] < 2 or around.shape[1] < 2:
        return 0.0
    return float((inside.mean(1) - around.mean(1)).norm() + (inside.std(1) - around.std(1)).norm())


def spread(instances: Sequence[Instance], count: int) -> list[Instance]:
    """`count` instances, as many of every set as of any other, evenly over each set."""
    sets, chosen = by_set(instances), []
    for index, members in enumerate(sets.values()):
        wanted = min(len(members), count // len(sets) + (index < count % len(sets)))
        chosen += [members[i * len(members) // wanted] for i in range(wanted)]
    return chosen


main = command(make_parser, measured, TABLES)

if __name__ == "__main__":
    sys.exit(main())
