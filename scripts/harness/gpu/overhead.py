"""The loop beside its models: its share of the time, and what it makes a card wait for."""

from __future__ import annotations

import time

import torch

from paintseg.amcp import loop as amcp
from paintseg.config import Config
from paintseg.painters import Painter
from paintseg.segmentation import begin, finish

from .diffusion import SD15, SDXL, TINY, Shape
from .meter import Counts, apart, count
from .painter import SizedPainter
from .sections import Bench, Figures

STEPS = 20


def stable_diffusion(bench: Bench) -> Figures:
    """With a painter of the size of Stable Diffusion 1.5."""
    return _with(bench, SD15)


def sdxl(bench: Bench) -> Figures:
    """With a painter of the size of SDXL."""
    return _with(bench, SDXL)


def embedded(bench: Bench) -> Figures:
    """With the embedded painter, by preset."""
    return {
        name: _share(bench, bench.models.painter, bench.config(name))
        | _waits(bench, bench.models.painter, bench.config(name))
        for name in ("balanced", "paper")
    }


def _with(bench: Bench, shape: Shape) -> Figures:
    quick, dtype = bench.meter.quick, torch.float16 if bench.meter.on_card else torch.float32
    painter = SizedPainter(TINY if quick else shape, bench.meter.device, dtype, 2 if quick else STEPS)
    config = bench.config("balanced", **({} if quick else {"size": painter.size}))
    figures: Figures = {"parameters": painter.parameters, "steps_of_sampler": painter.steps, "held_mb": None}
    figures["held_mb"] = bench.meter.held()
    try:
        return figures | _share(bench, painter, config) | _waits(bench, painter, config)
    finally:
        del painter
        if bench.meter.on_card:
            torch.cuda.empty_cache()


def _share(bench: Bench, painter: Painter, config: Config) -> Figures:
    """Seconds of the loop, of its painter, of its encoder, and the share of what is neither."""
    photo = bench.photos[0]
    phi, encoder = apart(painter, bench.models.encoder, bench.meter)
    runs = []
    for _ in range(1 if bench.meter.quick else 3):
        first = begin(photo.image, photo.box, phi, encoder, config)
        phi.seconds = encoder.seconds = 0.0
        bench.meter.wait()
        started = time.perf_counter()
        last = list(amcp.run(first, phi, phi, encoder))[-1]
        bench.meter.wait()
        runs.append((time.perf_counter() - started, phi.seconds, encoder.seconds))
    started = time.perf_counter()
    finish(last)
    bench.meter.wait()
    finished = time.perf_counter() - started
    whole, painted, encoded = min(runs)
    return {
        "steps": config.steps,
        "loop": whole,
        "painter": painted,
        "encoder": encoded,
        "neither": (whole - painted - encoded) / whole,
        "finish": finished,
    }


def _waits(bench: Bench, painter: Painter, config: Config) -> Figures:
    """Waits and copies of one step, the second, when nothing is done for the first time."""
    photo = bench.photos[0]
    phi, encoder = apart(painter, bench.models.encoder, bench.meter, waits=False)
    first = begin(photo.image, photo.box, phi, encoder, config)
    second = amcp.step(first, config.direction(0), phi, encoder)
    found: Counts | None = count(bench.meter, lambda: amcp.step(second, config.direction(1), phi, encoder))
    if found is None:
        return {"waits": None}
    return {
        "waits": found.waits,
        "of_the_loop": dict(found.loop),
        "of_the_models": dict(found.models),
        "places": dict(found.places.most_common(20)),
    }
