"""`python -m paintseg.eval.crossval DIR --try "settle_reach=0.25" --try "settle_reach=0.15" --csv tried.csv`

Which setting of some parameters to take, and what that choice is worth on photos it was not made on; see
docs/evaluation.md. A figure is mean IoU, the mean of all prompts asked for; of conversations by clicks it is mean IoU
after every click. Every set has the same weight.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..cli.console import Parser
from ..cli.console import command as entry
from ..cli.parameters import parse_options
from ..errors import InputError
from ..io.pictures import write_json
from . import command
from .datasets import read_manifest, scene
from .report import Summary, aligned, percent, summarise
from .study import sets_of
from .task import CLICKS, Task

AS_IS = "as it is"
PROMPTS = "box,loose_box,jitter_box"


@dataclass(frozen=True)
class Figures:
    """IoU of settings, sets and prompts.

    Attributes:
        by: (setting, set, prompt) to the figure of every instance, 0..1 by stem; all there are of each.
    """

    by: Mapping[tuple[str, str, str], Mapping[str, float]]

    @property
    def settings(self) -> list[str]:
        """Their names, in the order given."""
        return list(dict.fromkeys(setting for setting, _, _ in self.by))

    @property
    def sets(self) -> list[str]:
        """Their names."""
        return list(dict.fromkeys(dataset for _, dataset, _ in self.by))

    def prompts(self, setting: str, dataset: str, unlike: str = "") -> dict[str, float]:
        """The mean of every prompt over the instances, without photos of scenes that the set `unlike` has, too."""
        known = {scene(stem) for (_, other, _), values in self.by.items() if other == unlike for stem in values}
        found = {}
        for (one, other, prompt), values in self.by.items():
            counted = [value for stem, value in values.items() if scene(stem) not in known]
            if (one, other) == (setting, dataset) and counted:
                found[prompt] = statistics.fmean(counted)
        return found

    def mean(self, setting: str, datasets: Sequence[str], unlike: str = "") -> float:
        """Over the sets, of the mean over the prompts; 0 when nothing is left of them."""
        means = [self.prompts(setting, one, unlike).values() for one in datasets]
        return statistics.fmean([statistics.fmean(values) for values in means if values] or [0.0])

    def best(self, datasets: Sequence[str], unlike: str = "") -> str:
        """The setting with the highest mean on these sets; of equal ones the first given."""
        return max(self.settings, key=lambda setting: self.mean(setting, datasets, unlike))

    def chosen_without(self, dataset: str) -> str:
        """The setting that is best on all other sets, without their photos that this set has, too."""
        return self.best([other for other in self.sets if other != dataset], dataset)

    @property
    def choices(self) -> list[tuple[str, str, str]]:
        """Of every set its name, the setting chosen without it, and the best one on it."""
        return [(one, self.chosen_without(one), self.best([one])) for one in self.sets]


def make_parser() -> Parser:
    description = "Parameters chosen on all sets but one, and what they give on that one."
    parser, group = command.make_parser("crossval", description, PROMPTS)
    group.add_argument(
        "--try",
        action="append",
        default=[],
        dest="tried",
        metavar="SETTING",
        help="parameters to change, NAME=VALUE with spaces between (repeat it, at least twice in all); "
        "empty is the preset as it is",
    )
    group.add_argument("--preset", default="balanced", help="fast, balanced (default), best or paper")
    return parser


def run(options: argparse.Namespace) -> None:
    """Measure what is not measured yet, print the tables, write the file."""
    tasks = _tasks(options)
    command.check(options)
    _check_sets(one.dataset for one in read_manifest(options.folder, sets_of(options)))
    work, found = command.measured(options, tasks)
    summaries = summarise(work, found)
    figures = Figures({(one.task.variant, one.dataset, one.task.shown_prompt): per_instance(one) for one in summaries})
    _check_sets(figures.sets)  # sets without strokes were left out
    if options.json:
        document = {**as_json(figures), "preset": options.preset, "seed": options.seed, **command.machine(options)}
        write_json(options.json, document)
    counts = {one.dataset: len(one.found) for one in summaries}
    print(tables(figures, counts))


def per_instance(summary: Summary) -> dict[str, float]:
    """IoU of every instance, 0..1 by stem; of a conversation the mean after every click allowed."""
    most = summary.task.clicks if summary.task.prompt == CLICKS else 1
    return {
        rows[0].stem: statistics.fmean(rows[min(number, len(rows) - 1)].iou for number in range(most))
        for rows in summary.found
    }


def as_json(figures: Figures) -> dict[str, Any]:
    """All figures and choices as plain values."""
    return {
        "figures": {
            setting: {
                dataset: {prompt: round(value, 6) for prompt, value in figures.prompts(setting, dataset).items()}
                for dataset in figures.sets
            }
            for setting in figures.settings
        },
        "left_out": {
            dataset: {
                "chosen": chosen,
                "mean": round(figures.mean(chosen, [dataset]), 6),
                "best_here": best,
                "best_mean": round(figures.mean(best, [dataset]), 6),
            }
            for dataset, chosen, best in figures.choices
        },
        "chosen_on_all": figures.best(figures.sets),
    }


def tables(figures: Figures, counts: Mapping[str, int]) -> str:
    """For a terminal, in percent: every setting on every set, then every set with the setting chosen without it."""
    numbers = {name: number for number, name in enumerate(figures.settings, start=1)}
    legend = [f"{number}: {name}" for name, number in numbers.items()]
    lines = [
        {
            "set": title,
            "n": str(sum(counts[one] for one in datasets)),
            **{f"setting {number}": percent(figures.mean(name, datasets)) for name, number in numbers.items()},
        }
        for title, datasets in [*((one, [one]) for one in figures.sets), ("mean", figures.sets)]
    ]
    choices = [
        {
            "left out": dataset,
            "setting": str(numbers[chosen]),
            **{prompt: percent(value) for prompt, value in figures.prompts(chosen, dataset).items()},
            "mean": percent(figures.mean(chosen, [dataset])),
            "best here": f"{numbers[best]}: {percent(figures.mean(best, [dataset]))}",
        }
        for dataset, chosen, best in figures.choices
    ]
    everywhere = figures.best(figures.sets)
    unseen = statistics.fmean(figures.mean(chosen, [dataset]) for dataset, chosen, _ in figures.choices)
    closing = (
        f"chosen on all sets: setting {numbers[everywhere]}, mean "
        f"{percent(figures.mean(everywhere, figures.sets))}; every set with the setting chosen without it: "
        f"mean {percent(unseen)}"
    )
    return "\n".join([*legend, "", aligned(lines), "", aligned(choices), "", closing])


def _tasks(options: argparse.Namespace) -> list[Task]:
    tried = list(dict.fromkeys(" ".join(text.split()) for text in options.tried))
    if len(tried) < 2:
        raise InputError("choosing needs at least two different settings; give --try twice or more")
    tasks = []
    for text in tried:
        base = Task(preset=options.preset, changes=tuple(parse_options(text.split()).items()), seed=options.seed)
        tasks += [replace(task, variant=text or AS_IS) for task in command.prompted(options, base)]
    return tasks


def _check_sets(names: Iterable[str]) -> None:
    if len(known := sorted(set(names))) < 2:
        raise InputError(f"leaving one set out needs at least two sets, and there is only {', '.join(known)}")


main = entry(make_parser, run)

if __name__ == "__main__":
    sys.exit(main())
