"""`python -m paintseg.eval.amodal DIR`: how much of a hidden part is found, on synthetic occlusion.

An object of one photo is pasted over part of the object of another, whose full human mask is known. Given the
front mask and the visible part, the IoU of the hidden part with the truth is reported beside that of no
completion, which is 0, and of the convex hull of the visible part; and the same for the whole object.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..cli.console import Parser
from ..errors import InputError
from ..layers.amodal import amodal
from ..layers.continuation import convex_hull
from ..models import Models, load_models
from ..ops.boxes import bounding_box
from ..ops.images import resize
from ..ops.overlap import intersection_over_union as iou
from .datasets import Instance, read_manifest
from .study import Row, Table, add_device, command, counted_parser, row

TRIES = 2000


@dataclass(frozen=True)
class Occlusion:
    """A photo with something pasted over its object.

    Attributes:
        name: the two photos. image: 3 x H x W.
        front, whole: H x W bool, what was pasted, and all of the object behind it.
    """

    name: str
    image: Tensor
    front: Tensor
    whole: Tensor


def make_parser() -> Parser:
    parser = counted_parser("amodal", "IoU of hidden parts.", 20, "occlusions")
    add_device(parser)
    return parser


def measured(options: argparse.Namespace) -> Iterator[Row]:
    models = load_models(options.device)
    for one in occlusions(read_manifest(options.folder), options.count, options.seed):
        yield row("synthetic", one.name, measure(one, models, options.seed))


def measure(scene: Occlusion, models: Models, seed: int) -> dict[str, dict[str, float]]:
    """IoU of the hidden part and of the whole object, of ours, of the convex hull and of no completion."""
    visible, hidden = scene.whole & ~scene.front, scene.whole & scene.front
    done = amodal(scene.image, scene.front, visible, models.painter, models.encoder, None, seed)
    whole = {"ours": done.mask, "hull": visible | (convex_hull(visible) & scene.front), "no completion": visible}
    return {
        way: {"hidden": iou(mask & scene.front, hidden), "whole": iou(mask, scene.whole)} for way, mask in whole.items()
    }


def occlusions(instances: Sequence[Instance], count: int, seed: int = 0) -> Iterator[Occlusion]:
    """`count` occlusions that hide 15 to 45 % of an object, by pairs and places drawn from the seed.

    Raises InputError when the photos do not give so many.
    """
    draw, made = random.Random(seed), 0
    for _ in range(TRIES):
        if made == count:
            return
        behind, front = draw.sample(list(instances), 2)
        scene = _occlusion(behind, front, draw)
        if scene is not None:
            made += 1
            yield scene
    if made < count:
        raise InputError(f"the photos gave {made} occlusions, not {count}; ask for fewer")


def _occlusion(behind: Instance, front: Instance, draw: random.Random) -> Occlusion | None:
    image, whole = behind.image(), torch.from_numpy(behind.mask() == 255)
    area = float(whole.float().mean())
    if not 0.05 < area < 0.4:
        return None
    photo, mask = front.image(), torch.from_numpy(front.mask() == 255).float()
    in_front, box = bounding_box(mask[None, None]), bounding_box(whole[None, None])
    if in_front is None or box is None:  # a human mask of nothing hides nothing
        return None
    x0, y0, x1, y1 = in_front
    scale = draw.uniform(0.45, 0.8) * max(box[2] - box[0], box[3] - box[1]) / max(x1 - x0, y1 - y0)
    size = max(8, round((y1 - y0) * scale)), max(8, round((x1 - x0) * scale))
    if size[0] > image.shape[1] or size[1] > image.shape[2]:
        return None
    alpha = F.interpolate(mask[None, None, y0:y1, x0:x1], size, mode="area")[0, 0]
    colour = resize(photo[None, :, y0:y1, x0:x1], size)[0]
    for _ in range(50):
        x = min(max(0, draw.randint(box[0] - size[1] // 2, box[2] - size[1] // 2)), image.shape[2] - size[1])
        y = min(max(0, draw.randint(box[1] - size[0] // 2, box[3] - size[0] // 2)), image.shape[1] - size[0])
        pasted = torch.zeros(whole.shape)
        pasted[y : y + size[0], x : x + size[1]] = alpha
        hidden = (whole & (pasted > 0.5)).sum()
        if 0.15 < hidden / whole.sum() < 0.45 and 0.3 < hidden / (pasted > 0.5).sum().clamp_min(1) < 0.8:
            seen = image.clone()
            part = seen[:, y : y + size[0], x : x + size[1]]
            part.copy_(alpha * colour + (1 - alpha) * part)
            return Occlusion(f"{behind.stem}+{front.stem}", seen, pasted > 0.5, whole)
    return None


main = command(
    make_parser, measured, (Table("IoU of the hidden part", "hidden"), Table("of the whole object", "whole"))
)

if __name__ == "__main__":
    sys.exit(main())
