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

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..cli.console import guarded
from . import study

if TYPE_CHECKING:
    import argparse

    import torch
    from torch import Tensor

    from ..config import Config
    from ..models import Models
    from .datasets import Instance

VARIANTS = ("embedded", "perfect", "none")


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
        import torch

        return torch.where(hole > 0.5, self.behind.to(image), image).expand(count, -1, -1, -1)


def measure(instance: Instance, behind: Instance, models: Models, config: Config, seed: int = 0) -> dict[str, float]:
    """IoU in 0..1 of every variant on one object over another photo. Raises InputError for unreadable files."""
    import torch

    from .. import amcp
    from ..prompts import Prompt
    from ..segment import begin, finish
    from ..view import resize
    from .metrics import intersection_over_union

    config = replace(config, steps=1)
    image, truth = instance.image(), instance.mask()
    size = tuple(image.shape[1:])
    background = resize(behind.image()[None], size)[0]
    pasted = torch.where(torch.from_numpy(truth == 255), image, background)
    prompt = Prompt(size=size, box=instance.box)

    def score(painting: Config, perfect: bool) -> float:
        state = begin(pasted, prompt, models.painter, models.encoder, painting, seed)
        shown = state.scene.view.crop(background[None])[0]
        painter = Knows(shown, models.painter.multiple) if perfect else models.painter
        last = [state, *amcp.run(state, painter, painter, models.encoder)][-1]
        return intersection_over_union((finish(last) > 0.5).numpy(), truth)

    return {
        "embedded": score(config, False),
        "perfect": score(config, True),
        "none": score(replace(config, l_paint=0.0), False),
    }


def run(options: argparse.Namespace) -> None:
    """Measure every object over the photo before it. Raises InputError."""
    _, instances = study.chosen(options)
    behind = dict(zip(instances, [instances[-1], *instances[:-1]], strict=True))
    study.run(options, VARIANTS, lambda one, models, config: measure(one, behind[one], models, config))


def main(arguments: list[str] | None = None) -> int:
    """Run the command. Returns 0 done, 1 failed, 2 bad input, 130 interrupted."""
    parser = study.make_parser("painting", "Mean IoU with a perfect painter, on objects pasted over other photos.")
    return guarded(lambda: run(parser.parse_args(arguments)))


if __name__ == "__main__":
    sys.exit(main())
