"""`python -m paintseg.eval.amodal DIR`: how much of a hidden part is found, on synthetic occlusion.

An object of one photo is pasted over part of the object of another, whose full human mask is known. Given the
front mask and the visible part, the IoU of the hidden part with the truth is reported beside that of no
completion, which is 0, and of the convex hull of the visible part; and the same for the whole object.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from scipy.spatial import Delaunay, QhullError
from torch import Tensor

from ..cli.console import Parser, guarded, report
from ..errors import InputError
from ..files import written
from ..layers import amodal
from ..models import embedded_models
from ..morphology import bounding_box
from ..view import resize
from .datasets import Instance, read_manifest

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


def main(arguments: list[str] | None = None) -> int:
    """Run the command. Returns 0 done, 1 failed, 2 bad input, 130 interrupted."""
    return guarded(lambda: run(make_parser().parse_args(arguments)))


def make_parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = Parser(prog="python -m paintseg.eval.amodal", description="IoU of hidden parts.")
    parser.add_argument("folder", type=Path, metavar="DIR", help="holds manifest.csv, photos and human masks")
    parser.add_argument("--count", type=int, default=20, help="occlusions (default 20)")
    parser.add_argument("--candidates", type=int, default=1, help="paintings of each hole (default 1)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", type=Path, metavar="FILE", help="written anew after every occlusion")
    return parser


def run(options: argparse.Namespace) -> None:
    """Measure, print, write."""
    if options.count < 1:
        raise InputError(f"--count must be at least 1, not {options.count}")
    models = embedded_models(options.device)
    rows = []
    for scene in occlusions(read_manifest(options.folder), options.count, options.seed):
        visible, hidden = scene.whole & ~scene.front, scene.whole & scene.front
        done = amodal(scene.image, scene.front, visible, models.painter, models.encoder, None, options.seed,
                      options.candidates)
        hull = convex_hull(visible) & scene.front
        rows.append({
            "name": scene.name,
            "hidden": overlap(done.mask & scene.front, hidden),
            "hidden, hull": overlap(hull, hidden),
            "hidden, no completion": 0.0,
            "whole": overlap(done.mask, scene.whole),
            "whole, hull": overlap(visible | hull, scene.whole),
            "whole, no completion": overlap(visible, scene.whole),
        })
        report(f"{len(rows)} {scene.name}: hidden {rows[-1]['hidden']:.2f}, whole {rows[-1]['whole']:.2f}")
        if options.json:
            with written(options.json) as temporary:
                document = {"summary": summarise(rows), "scenes": rows}
                temporary.write_text(json.dumps(document, indent=1), encoding="utf-8")
    print("\n".join(f"{name}: {value:.3f}" for name, value in summarise(rows).items()))


def summarise(rows: Sequence[dict[str, str | float]]) -> dict[str, float]:
    """The number of scenes and the mean of every measure."""
    names = [name for name in rows[0] if name != "name"]
    return {"occlusions": float(len(rows)), **{name: sum(row[name] for row in rows) / len(rows) for name in names}}


def occlusions(instances: Sequence[Instance], count: int, seed: int = 0) -> Iterator[Occlusion]:
    """`count` occlusions that hide 15 to 45 % of an object, by pairs and places drawn from the seed.

    Raises InputError when the photos do not give so many.
    """
    draw, made = random.Random(seed), 0
    for _ in range(TRIES):
        if made == count:
            return
        scene = _occlusion(*draw.sample(list(instances), 2), draw)
        if scene is not None:
            made += 1
            yield scene
    if made < count:
        raise InputError(f"the photos gave {made} occlusions, not {count}; ask for fewer")


def convex_hull(mask: Tensor) -> Tensor:
    """Convex hull of a mask, H x W bool; the mask itself when it has none."""
    try:
        corners = Delaunay(mask.nonzero().numpy())
    except QhullError:
        return mask
    rows, columns = np.meshgrid(*(np.arange(side) for side in mask.shape), indexing="ij")
    inside = corners.find_simplex(np.stack([rows, columns], -1).reshape(-1, 2)) >= 0
    return torch.from_numpy(inside.reshape(tuple(mask.shape)))


def overlap(mask: Tensor, truth: Tensor) -> float:
    """IoU of two masks, H x W bool."""
    return float((mask & truth).sum() / (mask | truth).sum().clamp_min(1))


def _occlusion(behind: Instance, front: Instance, draw: random.Random) -> Occlusion | None:
    image, whole = behind.image(), torch.from_numpy(behind.mask() == 255)
    area = float(whole.float().mean())
    if not 0.05 < area < 0.4:
        return None
    photo, mask = front.image(), torch.from_numpy(front.mask() == 255).float()
    x0, y0, x1, y1 = bounding_box(mask[None, None])
    box = bounding_box(whole[None, None])
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
        pasted[y:y + size[0], x:x + size[1]] = alpha
        hidden = (whole & (pasted > 0.5)).sum()
        if 0.15 < hidden / whole.sum() < 0.45 and 0.3 < hidden / (pasted > 0.5).sum().clamp_min(1) < 0.8:
            seen = image.clone()
            part = seen[:, y:y + size[0], x:x + size[1]]
            part.copy_(alpha * colour + (1 - alpha) * part)
            return Occlusion(f"{behind.stem}+{front.stem}", seen, pasted > 0.5, whole)
    return None


if __name__ == "__main__":
    sys.exit(main())
