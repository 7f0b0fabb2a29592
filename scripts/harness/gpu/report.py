"""All sections in turn, each by itself: one that fails, or no longer fits the time, costs none of the others."""

from __future__ import annotations

import gc
import json
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from paintseg.io.pictures import written

from . import overhead, sections, stages, tried
from .meter import Meter
from .photos import photos
from .sections import Bench, Figures


class Section(NamedTuple):
    """A section: what measures it, and seconds it is given on a usual card; with less left it is skipped."""

    measure: Callable[[Bench], Figures]
    seconds: float


# What is asked for most comes first, what may hang or fail last.
SECTIONS: dict[str, Section] = {
    "machine": Section(sections.machine, 1),
    "presets": Section(sections.presets, 30),
    "memory": Section(sections.memory, 5),
    "embedded": Section(overhead.embedded, 20),
    "sd15": Section(overhead.stable_diffusion, 40),
    "crf": Section(stages.random_field, 15),
    "encoder": Section(stages.encoder, 10),
    "walks": Section(stages.walks, 10),
    "clustering": Section(stages.clustering, 10),
    "finish": Section(stages.finishing, 5),
    "batch": Section(sections.batch, 20),
    "masks": Section(sections.masks, 60),
    "sdxl": Section(overhead.sdxl, 70),
    "cuda_graphs": Section(tried.graphed, 5),
    "compile": Section(tried.compiled, 60),
}


class Claim(NamedTuple):
    """What a card should show: where its figure stands, and whether that is enough."""

    says: str
    place: tuple[str, ...]
    holds: Callable[[float], bool]


CLAIMS = (
    Claim("masks are the processor's: worst IoU at least 0.995", ("masks", "worst", "iou"), lambda x: x >= 0.995),
    Claim("`balanced` takes at most 0.25 s a photo", ("presets", "balanced", "seconds"), lambda x: x <= 0.25),
    Claim("the CRF is at least 20 times as fast as on the processor", ("crf", "times"), lambda x: x >= 20),
    Claim("beside SD 1.5 the loop takes at most 3 % of its time", ("sd15", "neither"), lambda x: x <= 0.03),
    Claim("a step waits at most 8 times, its models apart", ("embedded", "balanced", "waits"), lambda x: x <= 8),
    Claim("a run leaves nothing on the card (1 MiB at most)", ("memory", "grown_mb"), lambda x: x <= 1),
    Claim("two runs are equal but for rounding: IoU at least 0.999", ("memory", "two_runs_iou"), lambda x: x >= 0.999),
)


def check(
    folder: Path | None,
    device: str,
    quick: bool,
    budget: float,
    only: Sequence[str],
    say: Callable[[str], None],
    results: Figures | None = None,
) -> Figures:
    """Measure. Raises InputError for a folder without pictures and a device that is not there.

    Args:
        folder: of photos, see `photos.photos`. device: as torch names it. quick: small, for a check of the check.
        budget: seconds. only: names of `SECTIONS`; none for all. say: told what is under way.
        results: where they go, section by section, so that somebody else may read what is there so far.
    """
    started = time.monotonic()

    def left() -> float:
        return budget - (time.monotonic() - started)

    meter = Meter(device, quick)
    shown = photos(folder, 2 if quick else 30)
    bench = Bench(meter, [one.smaller(96) for one in shown] if quick else shown, left)
    bench.models  # noqa: B018  a device that is not there is said now
    results = {} if results is None else results
    for name, section in SECTIONS.items():
        if only and name not in (*only, "machine"):
            continue
        if left() < section.seconds and name != "machine":
            results[name] = {"skipped": f"{left():.0f} s were left, {section.seconds:.0f} are needed"}
            continue
        say(f"{name} ...")
        begun = time.monotonic()
        results[name] = {"error": "it was still under way when the time was up"}
        try:
            figures = section.measure(bench)
        except Exception as problem:  # whatever it is, the other sections are still worth their time
            lines = traceback.format_exc().strip().splitlines()[-6:]
            figures = {"error": f"{type(problem).__name__}: {problem}", "where": lines}
        results[name] = figures | {"took": time.monotonic() - begun}
        gc.collect()
        if meter.on_card:
            torch.cuda.empty_cache()
    conclude(results, time.monotonic() - started)
    return results


def conclude(results: Figures, seconds: float) -> None:
    """Add what is claimed of the figures so far, and how long they took."""
    results["claims"] = claims(results)
    results["seconds"] = seconds


def claims(results: Mapping[str, Any]) -> list[Figures]:
    """Every claim with its figure and whether it holds; None where the figure is missing."""
    found = []
    for claim in CLAIMS:
        value: Any = results
        for step in claim.place:
            value = value.get(step) if isinstance(value, Mapping) else None
        found.append({"claim": claim.says, "found": value, "holds": None if value is None else claim.holds(value)})
    return found


def write(results: Figures, path: Path) -> None:
    """The results as JSON, whole or not at all. Raises OSError."""
    with written(path) as temporary:
        temporary.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def table(results: Mapping[str, Any]) -> str:
    """The results as Markdown."""
    head = results.get("machine", {})
    lines = [
        f"Card: {head.get('card', 'none')}, torch {head.get('torch')}, {head.get('photos')} photos, "
        f"{results['seconds']:.0f} s in all.",
        "",
        "| claim | found | |",
        "|---|---|---|",
    ]
    words = {True: "holds", False: "**does not hold**", None: "not measured"}
    lines += [f"| {one['claim']} | {_figure(one['found'])} | {words[one['holds']]} |" for one in results["claims"]]
    lines += ["", "| what | seconds | MiB | |", "|---|---|---|---|"]
    for name in SECTIONS:
        lines += [f"| {' | '.join(row)} |" for row in _rows(results.get(name, {}), name)]
    return "\n".join(lines)


def _rows(values: Mapping[str, Any], place: str) -> Iterator[tuple[str, str, str, str]]:
    """(what, seconds, MiB, the rest) of a section and of what it holds; lists of rows are left to the JSON file."""
    single = {name: value for name, value in values.items() if not isinstance(value, (Mapping, list))}
    seconds, mb = (single.pop(name, None) for name in ("seconds", "mb"))
    single.pop("took", None)
    rest = ", ".join(f"{name.replace('_', ' ')} {_figure(value)}" for name, value in single.items())
    if rest or seconds is not None:
        yield place, _figure(seconds), _figure(mb), rest
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _rows(value, f"{place}, {name}")


def _figure(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
