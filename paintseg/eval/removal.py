"""`python -m paintseg.eval.removal DIR`: how good clean plates are, in numbers.

Objects are taken out by their human masks, so that only the plate is judged:

- found: IoU, with the object that was there, of the first thing that discovery (repeated cuts) itself calls an
  object: away from the photo's rim and clearly cut off.
- salient: IoU of what stands out most, object or not (one cut, TokenCut). Of an empty landscape that is half of the
  photo, and overlaps any place in it.
- seam: mean absolute difference of neighbouring pixels across the hole's edge, over that inside the hole; near: over
  that within `NEAR` pixels on either side of the edge; photo: over that of the photo at the same places.
- across, inside, around: the mean steps that seam and near are made of. Over all plates their means are divided, not
  their ratios averaged: a ratio over a nearly flat sky would count for more than all the others.
- statistics: how far means and deviations of the encoder's features in the hole are from those around it,
  beside the same of the photo, where the object still is.
- strangeness: see `paintseg.layers.plausibility`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..cli.console import command
from ..cli.parameters import check_least
from ..encoders import Encoder
from ..errors import InputError
from ..layers.plausibility import patches, strangeness
from ..layers.removal import paint_out
from ..layers.seam import depth_inside
from ..locate.discovery import coarse_mask, coarse_masks
from ..models import load_models
from ..ops.overlap import intersection_over_union
from .datasets import Instance, by_set, read_manifest
from .study import add_machine, add_plates, gathered, keep, plain_parser

FOUND = 0.1
"""Discovery that overlaps the old mask by less did not find the object."""

NEAR = 6


def make_parser() -> argparse.ArgumentParser:
    parser = plain_parser("removal", "Plate quality with human masks.")
    parser.add_argument("--count", type=int, default=40, help="photos, spread over all sets (default 40)")
    parser.add_argument("--candidates", type=int, default=3, help="paintings of each hole (default 3)")
    parser.add_argument("--shadow", action="store_true", help="take shadows out as well")
    add_machine(parser)
    add_plates(parser, "photo and plate")
    return parser


def run(options: argparse.Namespace) -> None:
    check_least(options, "count")
    models = load_models(options.device)

    def measured() -> Iterator[dict[str, Any]]:
        for instance in spread(read_manifest(options.folder), options.count):
            image, mask = instance.image(), torch.from_numpy(instance.mask() >= 128)
            done = paint_out(
                image, mask, models.painter, options.seed, None, options.candidates, options.shadow, models.encoder
            )
            keep(options, f"{instance.dataset}_{instance.stem}", [image, done.plate])
            yield measure(instance, image, mask, done.plate, done.hole, models.encoder)

    rows = gathered(
        measured(),
        options,
        lambda row: (
            f"{row['dataset']}/{row['stem']}: found {row['found_before']:.2f}, then {row['found']:.2f}, "
            f"salient {row['salient']:.2f}, seam {row['seam']:.2f}, near {row['seam_near']:.2f}"
        ),
        lambda rows: {"summary": summarise(rows), "plates": rows},
    )
    print("\n".join(f"{name}: {value:.3f}" for name, value in summarise(rows).items()))


def measure(
    instance: Instance, image: Tensor, mask: Tensor, plate: Tensor, hole: Tensor, encoder: Encoder
) -> dict[str, Any]:
    """All measures of one plate by name: image and plate 3 x H x W, mask and hole H x W bool."""
    found_before, salient_before = discovered(image, mask, encoder)
    found, salient = discovered(plate, mask, encoder)
    across, inside, around = step_across(plate, hole), step_within(plate, hole), step_within(plate, hole, NEAR)
    return {
        "dataset": instance.dataset,
        "stem": instance.stem,
        "found_before": found_before,
        "salient_before": salient_before,
        "found": found,
        "salient": salient,
        "seam": _over(across, inside),
        "seam_near": _over(across, around),
        "seam_photo": _over(across, step_across(image, hole)),
        "across": across,
        "inside": inside,
        "around": around,
        "statistics_before": statistics_distance(image, hole, encoder),
        "statistics": statistics_distance(plate, hole, encoder),
        "strangeness": strangeness(plate, hole, encoder),
    }


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


def _over(step: float, other: float) -> float:
    """One mean step over another, which may be nothing in a flat picture."""
    return step / max(other, 1e-6)


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


def summarise(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Counts and means over all plates."""
    of = {name: np.array([row[name] for row in rows]) for name in rows[0] if name not in ("dataset", "stem")}
    before, after, stood_out, stands_out = (
        of[name] >= FOUND for name in ("found_before", "found", "salient_before", "salient")
    )
    found = {
        "plates": len(rows),
        "object found before": before.sum(),
        "object not found again": (~after).sum(),
        "of those found before": (before & ~after).sum(),
        "IoU of the first object before": of["found_before"].mean(),
        "IoU of the first object after": of["found"].mean(),
        "salient before": stood_out.sum(),
        "not salient again": (~stands_out).sum(),
        "of those salient before": (stood_out & ~stands_out).sum(),
        "IoU of what is salient before": of["salient_before"].mean(),
        "IoU of what is salient after": of["salient"].mean(),
        "seam, mean": of["seam"].mean(),
        "seam within 10 %": (abs(of["seam"] - 1) <= 0.1).sum(),
        "seam near, mean": of["seam_near"].mean(),
        "seam near within 10 %": (abs(of["seam_near"] - 1) <= 0.1).sum(),
        "seam, all plates together": _over(of["across"].mean(), of["inside"].mean()),
        "seam near, all plates together": _over(of["across"].mean(), of["around"].mean()),
        "seam over the photo's, mean": of["seam_photo"].mean(),
        "statistics before": of["statistics_before"].mean(),
        "statistics after": of["statistics"].mean(),
        "strangeness": of["strangeness"].mean(),
    }
    return {name: float(value) for name, value in found.items()}


main = command(make_parser, run)

if __name__ == "__main__":
    sys.exit(main())
