"""`python -m paintseg bench --size 512 --preset paper --json out.json`: seconds per stage, and the memory."""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from .console import report
from .method import add_half, chosen_models, read_config
from .parameters import add_parameters, check_least, numbers, split
from .prompting import box

if TYPE_CHECKING:
    from torch import Tensor

    from ..config import Config
    from ..models import Models
    from ..prompts import Prompt


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--size", default="512", metavar="PIXELS", help="side of the made-up photo; several with commas (default 512)"
    )
    parser.add_argument(
        "--object", type=int, metavar="PIXELS", help="side of its object (default: three fifths of the photo's)"
    )
    parser.add_argument("--photo", type=Path, help="a photo instead, with --box")
    parser.add_argument("--box", type=box, metavar="X0,Y0,X1,Y1", help="the object in --photo")
    add_parameters(parser, several=True)
    parser.add_argument("--steps", metavar="T", help="steps instead of the presets'; several with commas")
    parser.add_argument(
        "--answers", type=int, default=0, metavar="N", help="instead: the first and N further answers to clicks"
    )
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="runs, the median counts (default 3)")
    parser.add_argument("--seed", type=int, default=0, help="of photo and method (default 0)")
    parser.add_argument("--device", default="cpu", help="where the models run: cpu (default) or cuda")
    add_half(parser)
    parser.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: what torch chooses)")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="the numbers, an object; a list of them for several sizes or presets"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress")


def run(options: argparse.Namespace) -> None:
    """Measure every preset at every size."""
    from ..io.pictures import check_folder, write_json

    if (options.photo is None) != (options.box is None):
        raise InputError("--photo and --box go together")
    if options.answers < 0:
        raise InputError(f"--answers must be 0 or more, not {options.answers}")
    check_least(options, "repeat")
    sizes = [0] if options.photo else _sizes(options)
    if options.json:
        check_folder(options.json, "--json")
    configs = _configs(options)
    models = chosen_models(options)
    results = []
    for size in sizes:
        image, prompt = _scene(options, size)
        for name, config in configs:
            found = {"preset": name, "photo": list(image.shape[1:][::-1]), "object": list(prompt.box or ())}
            found |= where(options.device) | {"settings": asdict(config)}
            if options.answers:
                from . import answering

                found |= answering.measure_answers(image, prompt, models, config, options)
                shown = answering.table_of_answers(found)
            else:
                found |= measure(image, prompt, models, config, options)
                shown = table(found)
            results.append(found)
            print(shown, end="\n\n", flush=True)
    if options.json:
        write_json(options.json, results[0] if len(results) == 1 else results)


def measure(
    image: Tensor, prompt: Prompt, models: Models, config: Config, options: argparse.Namespace
) -> dict[str, Any]:
    """Seconds per stage of the median run, calls, and peak memory, as plain values for JSON."""
    import torch

    from ..segmentation import segment
    from .profiling import StageClock, peak_gpu_mb, peak_memory_mb, reset_peak_memory

    cuda = options.device.startswith("cuda")
    warm_up = replace(config, steps=1, paintings=1)
    segment(image, prompt, models.painter, models.encoder, warm_up, options.seed)
    reset_peak_memory()
    clocks = []
    for number in range(options.repeat):
        with StageClock(torch.cuda.synchronize if cuda else None, peak_gpu_mb if cuda else None) as clock:
            segment(image, prompt, models.painter, models.encoder, config, options.seed)
        clocks.append(clock)
        if not options.quiet:
            report(f"run {number + 1} of {options.repeat}: {sum(clock.seconds.values()):.2f} s")
    # a device's work is not on the CPU's clock, and on the CPU other people's work is not on ours
    kept = "seconds" if cuda else "cpu_seconds"
    clocks.sort(key=lambda clock: sum(getattr(clock, kept).values()))
    median = clocks[len(clocks) // 2]
    booked, memory = getattr(median, kept), peak_memory_mb()
    total = max(sum(booked.values()), 1e-9)
    found = {
        "stages": {stage: round(seconds, 4) for stage, seconds in median.seconds.items()},
        "cpu_stages": {stage: round(seconds, 4) for stage, seconds in median.cpu_seconds.items()},
        "shares": {stage: round(seconds / total, 4) for stage, seconds in booked.items()},
        "calls": median.calls,
        "seconds": round(sum(median.seconds.values()), 4),
        "cpu_seconds": round(sum(median.cpu_seconds.values()), 4),
        "memory_mb": {stage: round(memory, 1) for stage, memory in median.peak_mb.items()},
        "peak_memory_mb": None if memory is None else round(memory, 1),
        "runs": options.repeat,
    }
    if cuda:
        found["gpu_memory_mb"] = {stage: round(memory, 1) for stage, memory in median.device_mb.items()}
        found["peak_gpu_memory_mb"] = max(found["gpu_memory_mb"].values())
    return found


def table(result: dict[str, Any]) -> str:
    """One result for a terminal."""
    width, height = result["photo"]
    steps, paintings = result["settings"]["steps"], result["settings"]["paintings"]
    lines = [
        f"{result['preset']}, {steps} steps of {paintings}, photo {width} x {height}, {result['device']}, "
        f"{result['threads']} threads",
        f"  {'':<11}{'seconds':>9}{'CPU s':>9}{'share':>8}{'MiB':>7}",
    ]
    for stage, seconds in result["stages"].items():
        memory = f"{result['memory_mb'][stage]:7.0f}" if stage in result["memory_mb"] else " " * 7
        calls = f"{result['calls'][stage]:5d} calls" if stage in result["calls"] else ""
        lines.append(
            f"  {stage:<11}{seconds:9.3f}{result['cpu_stages'][stage]:9.3f}"
            f"{result['shares'][stage]:8.1%}{memory} {calls}".rstrip()
        )
    peak = "" if result["peak_memory_mb"] is None else f"{'':8}{result['peak_memory_mb']:7.0f}"
    lines.append(f"  {'all':<11}{result['seconds']:9.3f}{result['cpu_seconds']:9.3f}{peak}")
    if "peak_gpu_memory_mb" in result:
        stages = ", ".join(f"{stage} {memory:.0f}" for stage, memory in result["gpu_memory_mb"].items())
        lines.append(f"  {result['gpu']}: peak {result['peak_gpu_memory_mb']:.0f} MiB ({stages})")
    return "\n".join(lines)


def where(device: str) -> dict[str, Any]:
    """The device and the machine that something is measured on, as plain values."""
    import torch

    gpu = {"gpu": torch.cuda.get_device_name()} if device.startswith("cuda") else {}
    return {
        "device": device,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        **gpu,
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    }


def made_up_photo(size: int, side: int, seed: int = 0) -> tuple[Tensor, Prompt]:
    """A photo size x size, texture at all scales, with an oval object `side` pixels wide, and its box."""
    import torch

    from ..prompts import box_prompt

    generator = torch.Generator().manual_seed(seed)
    background, texture = _clouds(size, generator), _clouds(size, generator)
    axis = (torch.arange(size) + 0.5 - size / 2) / (side / 2)
    oval = axis[None] ** 2 + (axis[:, None] / 0.8) ** 2 <= 1
    tint = torch.tensor([0.9, 0.5, 0.2]).view(3, 1, 1)
    image = torch.where(oval, 0.6 * tint + 0.4 * texture, background)
    start, end = (size - side) / 2, (size + side) / 2
    reach = 0.4 * side
    return image, box_prompt((start, size / 2 - reach, end, size / 2 + reach), (size, size))


def _clouds(size: int, generator) -> Tensor:
    import torch
    import torch.nn.functional as F

    image, cells = torch.zeros(1, 3, size, size), 3
    while cells <= min(size, 512):
        grid = torch.rand(1, 3, cells, cells, generator=generator) - 0.5
        image += F.interpolate(grid, (size, size), mode="bicubic", align_corners=False) * (3 / cells) ** 0.8
        cells *= 2
    return (0.5 + 0.5 * image[0]).clamp(0, 1)


def _configs(options: argparse.Namespace) -> list[tuple[str, Config]]:
    """Every preset with every number of steps asked for."""
    found = []
    for name in split([options.preset]):
        # here --size is the photo's, not the painter's
        config = read_config(argparse.Namespace(**vars(options) | {"preset": name, "size": None}))
        steps = numbers(options.steps, "--steps", int) or [config.steps]
        found += [(name, replace(config, steps=number)) for number in steps]
    return found


def _sizes(options: argparse.Namespace) -> Sequence[int]:
    sizes = numbers(options.size, "--size", int)
    for size in sizes:
        side = options.object or size * 3 // 5
        if not 32 <= size <= 16384:
            raise InputError(f"--size must be 32 to 16384, not {size}")
        if not 8 <= side <= size:
            raise InputError(f"--object must be 8 to {size}, the photo's side, not {side}")
    return sizes


def _scene(options: argparse.Namespace, size: int) -> tuple[Tensor, Prompt]:
    from ..io.reading import read_photo
    from ..ops.images import size_of
    from ..prompts import box_prompt

    if options.photo is None:
        return made_up_photo(size, options.object or size * 3 // 5, options.seed)
    image = read_photo(options.photo)
    return image, box_prompt(options.box, size_of(image))
