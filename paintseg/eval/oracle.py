"""`python -m paintseg.eval.oracle DIR --limit 5`: what limits the result, by giving parts of it the right answer.

Box prompts, mean IoU of

    method      the method as it is
    cut         its soft mask, cut at the level that suits the human mask best, photo by photo
    start       the human mask as start region instead of the box: the painter's first hole is the object's
    features    evidence that is right in every patch of the encoder's grid (the human mask's share of it), then the
                finish: what a perfect painter and perfect features could reach on that grid
    grid        the same without the finish: what the grid alone allows
"""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial

import torch
import torch.nn.functional as F

from ..amcp import loop as amcp
from ..config import Config
from ..models import Models
from ..ops.images import resize, size_of
from ..prompts import Prompt
from ..segmentation import begin, finish
from . import study
from .datasets import Instance
from .metrics import Marks, marks

CERTAIN = 2.0
"""Deviations that right evidence is given."""


def measure(instance: Instance, models: Models, config: Config) -> dict[str, Marks]:
    """The marks of every variant on one object, from its box. Raises InputError for unreadable files."""
    image, truth = instance.image(), instance.mask()
    human = torch.from_numpy(truth == 255).float()

    def score(mask: torch.Tensor) -> Marks:
        return marks(mask.cpu().numpy(), truth)

    def last(first: amcp.State) -> amcp.State:
        return [first, *amcp.run(first, models.painter, models.painter, models.encoder)][-1]

    first = begin(image, Prompt(size=size_of(image), box=instance.box), models.painter, models.encoder, config)
    scene = first.scene
    state = last(first)
    soft = finish(state)
    whole = resize(human[None, None], size_of(image))
    seen = scene.view.crop_mask(whole)
    grid = scene.frames[0].grid if scene.frames else (config.encoder_size // models.encoder.stride,) * 2
    shares = F.interpolate(F.interpolate(seen, grid, mode="area"), size_of(seen), mode="bilinear")
    told = replace(
        state, evidence=CERTAIN * (2 * shares - 1), weight=torch.ones_like(shares), mask=(shares > 0.5) & scene.allowed
    )
    return {
        "method": score(soft > 0.5),
        "cut": max((score(soft > level / 20) for level in range(1, 20)), key=lambda one: one.iou),
        "start": score(finish(last(replace(first, mask=(seen > 0.5) & scene.allowed))) > 0.5),
        "features": score(finish(told) > 0.5),
        "grid": score(scene.view.paste(told.mask.float())[0, 0] > 0.5),
    }


main = study.command(
    partial(study.make_parser, "oracle", "Mean IoU when parts of the method are told the right answer."),
    study.each(measure),
)

if __name__ == "__main__":
    sys.exit(main())
