"""`python -m paintseg.eval.painting DIR --stride 5 --limit 5`: how much a perfect painter would gain.

What is behind an object is known where the object was pasted there. Every object is pasted, by its human mask, over
the photo that comes before it in the list; mean IoU from its box, after one I-step, with

    embedded    MI-GAN painting, as always
    perfect     a painter that paints what is there
    none        no painted contrast: everything else alone

With `--set l_affinity=0 --set finish=none` the painted contrast stands alone. Of an O-step it says nothing: what was
lost of the object would have to be painted back, and nobody knows how perfectly that can be done.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from ..amcp import loop as amcp
from ..config import Config
from ..models import Models
from ..ops.images import resize, size_of
from ..painters import Painter
from ..prompts import Prompt
from ..segmentation import begin, finish
from . import study
from .datasets import Instance
from .metrics import Marks, marks


@dataclass(frozen=True)
class Knows:
    """A painter that paints `behind`, 3 x h x w, which it was told."""

    behind: Tensor
    multiple: int
    name: str = "perfect"
    size: int = 512
    stochastic: bool = False

    def paint(self, image: Tensor, hole: Tensor, count: int, generator: torch.Generator | None) -> Tensor:
        """See `Painter.paint`."""
        return torch.where(hole > 0.5, self.behind.to(image), image).expand(count, -1, -1, -1)


def measure(instance: Instance, behind: Instance, models: Models, config: Config) -> dict[str, Marks]:
    """The marks of every variant on one object over another photo. Raises InputError for unreadable files."""
    config = replace(config, steps=1)
    image, truth = instance.image(), instance.mask()
    size = size_of(image)
    background = resize(behind.image()[None], size)[0]
    pasted = torch.where(torch.from_numpy(truth == 255), image, background)
    prompt = Prompt(size=size, box=instance.box)

    def score(painting: Config, perfect: bool) -> Marks:
        state = begin(pasted, prompt, models.painter, models.encoder, painting)
        shown = state.scene.view.crop(background[None])[0]
        painter: Painter = Knows(shown, models.painter.multiple) if perfect else models.painter
        last = [state, *amcp.run(state, painter, painter, models.encoder)][-1]
        return marks((finish(last) > 0.5).numpy(), truth)

    return {
        "embedded": score(config, False),
        "perfect": score(config, True),
        "none": score(replace(config, l_paint=0.0, l_paint_sure=0.0), False),
    }


def measured(options: argparse.Namespace) -> Iterator[study.Row]:
    """Every object over the photo before it. Raises InputError."""
    instances = study.chosen(options)
    behind = dict(zip(instances, [instances[-1], *instances[:-1]], strict=True))
    return study.each(lambda one, models, config: measure(one, behind[one], models, config))(options)


main = study.command(
    partial(study.make_parser, "painting", "Mean IoU with a perfect painter, on objects pasted over other photos."),
    measured,
)

if __name__ == "__main__":
    sys.exit(main())
