"""`python -m paintseg.eval.video DIR --preset balanced --json out.json`

DIR is as in datasets.py. Frames of one sequence are the instances of a set whose names are SEQUENCE_NUMBER. The first
frame has its human mask. The others get what is carried over from it and goes through the method; their own human masks
are only compared with, beside

    carried     what is carried over by likeness, before the method has seen it
    copied      the first frame's mask as it is

Marks are averaged over all frames but the first of each sequence, with a line for every sequence.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from functools import partial

import torch

from ..cli.console import report_note
from ..config import Config
from ..errors import InputError
from ..models import Models, load_models
from ..prompts import mask_prompt
from ..tasks.video import follow
from . import study
from .datasets import Instance, read_manifest
from .metrics import marks


def measured(options: argparse.Namespace) -> Iterator[study.Row]:
    """Every frame of the sequences that --stride and --limit leave, these being the objects. Raises InputError."""
    config, instances = study.config_of(options), read_manifest(options.folder, study.sets_of(options))
    sequences, models = list(read_sequences(instances).items()), load_models(options.device)
    for name, frames in sequences[:: options.stride][: options.limit]:
        yield from measure(name, frames, models, config)


def read_sequences(instances: list[Instance]) -> dict[str, list[Instance]]:
    """The frames of every sequence in the order of their numbers. Raises InputError when there is no sequence."""
    sequences: dict[str, list[tuple[int, Instance]]] = {}
    for instance in instances:
        name, _, number = instance.stem.rpartition("_")
        if name and number.isdigit():
            sequences.setdefault(name, []).append((int(number), instance))
    ordered = {
        name: [one for _, one in sorted(frames, key=lambda pair: pair[0])]
        for name, frames in sequences.items()
        if len(frames) > 1
    }
    if not ordered:
        raise InputError("the set holds no sequence: two frames or more, named SEQUENCE_NUMBER")
    return ordered


def measure(name: str, frames: list[Instance], models: Models, config: Config) -> Iterator[study.Row]:
    """Follow an object through one sequence. Raises InputError for unreadable files."""
    truths = [frame.mask() for frame in frames]
    prompt = mask_prompt(torch.from_numpy(truths[0] == 255).float())
    images = (frame.image() for frame in frames)
    first, *later = follow(images, prompt, models.painter, models.encoder, config, keep_first=True)
    copied = first.mask.numpy()
    for frame, one, truth in zip(frames[1:], later, truths[1:], strict=True):
        report_note(one.note, name)
        carried = copied if one.coarse is None else (one.coarse > 0.5).cpu().numpy()
        masks = {"followed": one.mask.cpu().numpy(), "carried": carried, "copied": copied}
        yield study.row(name, frame.stem, {way: marks(mask, truth) for way, mask in masks.items()})


main = study.command(
    partial(study.make_parser, "video", "Mean IoU with human masks through videos.", "davis"), measured
)

if __name__ == "__main__":
    sys.exit(main())
