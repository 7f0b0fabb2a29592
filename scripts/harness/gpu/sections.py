"""What is measured, section by section. Each takes a `Bench` and returns plain values for JSON."""

from __future__ import annotations

import gc
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from paintseg.cli.bench import made_up_photo
from paintseg.cli.profiling import StageClock, peak_gpu_mb
from paintseg.config import Config, preset
from paintseg.models import Models, load_models
from paintseg.ops.overlap import intersection_over_union
from paintseg.prompts import Prompt
from paintseg.segmentation import Result, segment

from .meter import Meter
from .photos import Shown

PRESETS = ("fast", "balanced", "best", "paper")
SMALL = {"size": 64, "encoder_size": 56, "photo_size": 56, "steps": 2, "paintings": 1}
Figures = dict[str, Any]


@dataclass
class Bench:
    """What sections work with.

    Attributes:
        meter: of the device. photos: with prompts. left: seconds of the time given that are left.
    """

    meter: Meter
    photos: list[Shown]
    left: Callable[[], float]

    @cached_property
    def models(self) -> Models:
        """The embedded models on the device."""
        return load_models(self.meter.device)

    @cached_property
    def reference(self) -> Models:
        """The embedded models on the processor."""
        return load_models()

    def config(self, name: str, **changes: Any) -> Config:
        """A preset, small where figures do not matter."""
        return preset(name, **{**(SMALL if self.meter.quick else {}), **changes})

    def found(self, image: torch.Tensor, prompt: Prompt, config: Config, models: Models | None = None) -> Result:
        """The object, by the models of the device unless others are given."""
        chosen = models or self.models
        return segment(image, prompt, chosen.painter, chosen.encoder, config)


def machine(bench: Bench) -> Figures:
    """Which card, which versions."""
    said: Figures = {
        "device": bench.meter.device,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}, {torch.get_num_threads()} threads",
        "photos": len(bench.photos),
    }
    if bench.meter.on_card:
        card = torch.cuda.get_device_properties(bench.meter.device)
        said |= {"card": card.name, "memory_mb": card.total_memory / 2**20, "cuda": torch.version.cuda}
        said["capability"] = f"{card.major}.{card.minor}"
    return said


def masks(bench: Bench) -> Figures:
    """Masks of the device beside those of the processor: IoU between them, the worst named."""
    config, rows, most = bench.config("balanced"), [], bench.left() / 3
    started = time.perf_counter()
    for photo in bench.photos[: 1 if bench.meter.quick else 20]:
        for kind, prompt in (("box", photo.box), ("point", photo.point)):
            there = bench.found(photo.image, prompt, config).mask
            here = bench.found(photo.image, prompt, config, bench.reference).mask
            both = intersection_over_union(there.numpy(), here.numpy())
            rows.append({"photo": photo.name, "prompt": kind, "iou": both, "pixels": int((there ^ here).sum())})
        if time.perf_counter() - started > most:
            break
    worst = min(rows, key=lambda row: row["iou"])
    return {"n": len(rows), "worst": worst, "mean_iou": sum(row["iou"] for row in rows) / len(rows), "rows": rows}


def presets(bench: Bench) -> Figures:
    """Seconds of a photo with every preset, and seconds and memory of the stages."""
    figures: Figures = {}
    photo, meter = bench.photos[0], bench.meter
    for name in PRESETS:
        config = bench.config(name)

        def run(chosen: Config = config) -> Result:
            return bench.found(photo.image, photo.box, chosen)

        figures[name] = meter.seconds(run, repeat=3 if name in ("best", "paper") else 7)
        with StageClock(meter.wait if meter.on_card else None, peak_gpu_mb if meter.on_card else None) as clock:
            run()
        figures[name] |= {"stages": clock.seconds, "stages_mb": clock.device_mb}
    return figures


def batch(bench: Bench) -> Figures:
    """Sixteen photos in a row, and one of 4096 px."""
    config = bench.config("balanced")
    rows = [bench.photos[number % len(bench.photos)] for number in range(1 if bench.meter.quick else 16)]
    taken = bench.meter.seconds(lambda: [bench.found(one.image, one.box, config) for one in rows], repeat=1)
    side = 600 if bench.meter.quick else 4096
    image, prompt = made_up_photo(side, side * 2 // 5)
    large = bench.meter.seconds(lambda: bench.found(image, prompt, config), repeat=3)
    return {"photos": len(rows), "each": (taken["seconds"] or 0) / len(rows), "mb": taken["mb"], f"{side} px": large}


def memory(bench: Bench) -> Figures:
    """Whether a run leaves anything on the card, and whether two runs are equal."""
    config, photo = bench.config("balanced"), bench.photos[0]
    if not bench.meter.quick:
        bench.found(photo.image, photo.box, config)  # models and libraries keep what they make at first
    gc.collect()
    before = bench.meter.held()
    first, second = (bench.found(photo.image, photo.box, config) for _ in range(2))
    same = intersection_over_union(first.mask.numpy(), second.mask.numpy())
    apart = float((first.soft - second.soft).abs().max())
    del first, second
    gc.collect()
    after = bench.meter.held()
    grown = None if before is None or after is None else after - before
    return {"before_mb": before, "after_mb": after, "grown_mb": grown, "two_runs_iou": same, "two_runs_apart": apart}
