"""The paper's tables, and one of ours, as lists of variants; every override stands here and nowhere else.

Each table varies one thing about the preset given (`--preset paper` for the paper's own values). Table 6c varies the
iterations of a diffusion model, which the embedded painter is not; it needs another (`Task.painter`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..errors import InputError
from .task import Task

_STEPS: dict[str, dict[str, object]] = {
    "I only": {"directions": "I", "adversarial": False},
    "O only": {"directions": "O", "adversarial": False},
    "I and O": {"directions": "IO", "adversarial": False},
    "I and O, constrained": {"directions": "IO", "adversarial": True},
}

# Ours, each taken out by itself; meant for the preset "balanced", of which the paper has none.
_SWITCHES: dict[str, dict[str, object]] = {
    "all": {},
    "one step": {"steps": 1},
    "no painting": {"steps": 1, "l_paint": 0.0, "l_paint_sure": 0.0},
    "every painter believed alike": {"l_paint_sure": 0.0},
    "no affinity": {"l_affinity": 0.0},
    "view alone": {"contexts": ("view",)},
    "paintings in full, in both contexts": {"paint_size": 0},
    "squared distance": {"distance": "squared"},
    "hole not grown": {"hole_grow": 0},
    "box stays": {"settle_reach": 0.0},
    "no colour models": {"finish_colour": 0.0},
    "no finish": {"finish": "none"},
}

TABLES: dict[str, dict[str, dict[str, object]]] = {
    "table4": _STEPS,
    "table6a": {f"k = {k}": {"clusters": k, "early_clusters": k} for k in (2, 3, 4)},
    "table6b": {f"T = {steps}": {"steps": steps} for steps in (3, 4, 5, 6)},
    "table6d": {f"rate = {rate}": {"box_rate": rate} for rate in (0.9, 1.0, 1.1, 1.2)},
    "tableA": {f"N = {count}": {"paintings": count} for count in (1, 2, 3, 4, 5, 6)},
    "switches": _SWITCHES,
}
NOISES = (0.0, 15.0, 30.0)
ITERATIONS = (10, 30, 50)
NAMES = ("table5", "table6", "table6c", "tableB", *TABLES)


def variants(names: Sequence[str], base: Task) -> list[Task]:
    """The tasks of some tables.

    "table4" varies steps and constraint, "table5" the noise, "table6" clusters, steps and box rate (one of
    them: 6a, 6b, 6d), "table6c" the sampler's iterations, "tableA" the paintings; "tableB" sets the embedded encoder
    against the base task's.
    "switches" takes out what is ours, one thing at a time.

    Raises InputError for unknown names, for "tableB" when the base task's encoder is the embedded one, and for
    "table6c" when its painter is.
    """
    tasks = []
    for name in names:
        if name == "table5":
            tasks += [replace(base, noise=noise, variant=f"noise {noise:g}%") for noise in NOISES]
        elif name == "tableB":
            if base.encoder == "embedded":
                raise InputError("tableB compares two encoders; give the other as --encoder NAME=FILE")
            tasks += [
                replace(base, encoder=encoder, variant=encoder.partition("=")[0])
                for encoder in ("embedded", base.encoder)
            ]
        elif name == "table6c":
            if base.painter == "embedded":
                raise InputError("table6c varies a sampler's iterations; the embedded painter has none")
            tasks += [replace(base, iterations=count, variant=f"Iter = {count}") for count in ITERATIONS]
        elif name == "table6":
            tasks += variants(("table6a", "table6b", "table6d"), base)
        elif name in TABLES:
            tasks += [replace(base.changed(**changes), variant=label) for label, changes in TABLES[name].items()]
        else:
            raise InputError(f"the ablation must be one of {', '.join(NAMES)}, not {name!r}")
    return tasks
