"""`python -m paintseg.eval.candidates DIR --only grabcut,davis --stride 5 --json out.json`

What a point at the object's centroid may mean, in numbers: marks beside the human mask of

    plain       the method's own reading of the point
    first       the candidate that the label-free score puts first
    best of     the best candidate, as the human mask chooses it
"""

from __future__ import annotations

import sys
from functools import partial

from ..config import Config
from ..models import Models
from ..prompts import point_prompt
from ..tasks.candidates import candidates
from . import study
from .datasets import Instance
from .metrics import Marks, marks


def measure(instance: Instance, models: Models, config: Config) -> dict[str, Marks]:
    """The marks of the candidates of one point. Raises InputError for unreadable files."""
    image, truth = instance.image(), instance.mask()
    prompt = point_prompt([instance.centroid], truth.shape)
    found = candidates(image, prompt, models.painter, models.encoder, config)
    marked = [marks(one.result.mask.cpu().numpy(), truth) for one in found]
    plain = [one.plain for one in found].index(True)
    return {"plain": marked[plain], "first": marked[0], "best of": max(marked, key=lambda one: one.iou)}


main = study.command(
    partial(study.make_parser, "candidates", "Candidates of a point, with human masks.", "grabcut,davis"),
    study.each(measure),
)

if __name__ == "__main__":
    sys.exit(main())
