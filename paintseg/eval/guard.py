"""Whether a change left all results as they were.

`python -m paintseg.eval.guard DIR --record results.safetensors` before the change, `--against` after it.

Masks and plates of a few photos of every set, with every kind of prompt and several presets. The second call names
every result that is another to the last bit, with the IoU between the two and with the human mask.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from torch import Tensor

from ..cli.console import Parser, command, report
from ..config import preset
from ..errors import InputError
from ..layers.removal import remove
from ..models import Models, load_models
from ..prompts import Kind, Prompt
from ..segmentation import segment
from .datasets import Instance, by_set, read_manifest
from .metrics import intersection_over_union
from .prompting import make_prompt
from .removal import spread

KINDS: tuple[Kind, ...] = ("box", "point", "scribble", "mask")
PRESETS = ("fast", "balanced", "paper")
STROKE = 0.6
"""Of the object's run of pixels through its innermost point, how much the stroke covers."""


def make_parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m paintseg.eval.guard", description="Whether a change left all results as they were.")
    parser.add_argument("folder", type=Path, metavar="DIR", help="holds manifest.csv, photos and human masks")
    parser.add_argument("--limit", type=int, default=4, help="photos of every set (default 4)")
    parser.add_argument("--presets", default=",".join(PRESETS), help="with commas (default fast,balanced,paper)")
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--record", type=Path, metavar="FILE.safetensors", help="keep the results")
    mode.add_argument("--against", type=Path, metavar="FILE.safetensors", help="compare with results kept")
    return parser


def run(options: argparse.Namespace) -> int:
    """Record or compare. Returns 1 when results differ."""
    everything = read_manifest(options.folder)
    instances = spread(everything, options.limit * len(by_set(everything)))
    names = tuple(options.presets.split(","))
    kept = load_file(options.against) if options.against else {}
    found, different = {}, []
    for name, values, truth in results(instances, names):
        if not options.against:
            found[name] = values
            report(name)
        elif name not in kept:
            raise InputError(f"{options.against} has no {name}; record with the same photos and presets")
        elif not np.array_equal(kept[name], values):
            different.append(name)
            report(f"{name}: {_difference(kept[name], values, truth)}")
    if options.record:
        save_file(found, options.record)
    else:
        report(f"{len(different)} results differ")
    return int(bool(different))


def results(instances: Sequence[Instance], presets: Sequence[str]) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Name, result and human mask (H x W uint8) of every piece: masks H x W bool, plates 3 x H x W uint8."""
    models = load_models()
    for instance in instances:
        photo, truth = instance.image(), instance.mask()
        where = f"{instance.dataset}/{instance.stem}"
        for kind in KINDS:
            prompt = _prompt(instance, kind, truth)
            for name in presets:
                yield f"{where}/{kind}/{name}", _mask(photo, prompt, name, models), truth
        plate = remove(photo, torch.from_numpy(truth == 255), models.painter, candidates=2, encoder=models.encoder)
        yield f"{where}/plate", (plate * 255).round().byte().numpy(), truth


def _mask(photo: Tensor, prompt: Prompt, name: str, models: Models) -> np.ndarray:
    config = preset(name, paintings=1) if name == "paper" else preset(name)  # five take five times as long
    try:
        return segment(photo, prompt, models.painter, models.encoder, config).mask.numpy()
    except InputError:  # nothing found is a result too
        return np.zeros(prompt.size, bool)


def _prompt(instance: Instance, kind: Kind, truth: np.ndarray) -> Prompt:
    if kind != "scribble":
        return make_prompt(instance, "inner_point" if kind == "point" else kind, truth.shape)
    # Only some sets come with strokes: here a stroke runs through the innermost point of each object.
    column, row = (int(value) for value in instance.inner)
    outside = np.flatnonzero(truth[row] != 255)
    left = max((x + 1 for x in outside if x < column), default=0)
    right = min((x for x in outside if x > column), default=truth.shape[1])
    middle, half = (left + right) / 2, max(1.0, STROKE * (right - left) / 2)
    stroke = np.zeros(truth.shape, bool)
    stroke[max(0, row - 1) : row + 2, int(middle - half) : int(middle + half) + 1] = True
    return Prompt(size=truth.shape, scribble=torch.from_numpy(stroke))


def _difference(before: np.ndarray, now: np.ndarray, truth: np.ndarray) -> str:
    if before.shape != now.shape:
        return f"shape {before.shape} before, {now.shape} now"
    if before.dtype != bool:
        return f"off by {np.abs(before.astype(int) - now).max()} of 255 at most"
    both = before | now
    alike = (before & now).sum() / both.sum() if both.any() else 1.0
    first, second = (100 * intersection_over_union(mask, truth) for mask in (before, now))
    return f"IoU {100 * alike:.2f} between them; with the human mask {first:.2f} before, {second:.2f} now"


main = command(make_parser, run)

if __name__ == "__main__":
    sys.exit(main())
