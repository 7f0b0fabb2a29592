"""Measuring tasks on instances: in this process or in several, going on where an earlier run stopped."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import asdict, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch

from ..discovery import coarse_mask
from ..errors import InputError, WorkerError
from ..prompts import Prompt
from .datasets import Instance
from .methods import Method, load_models, make_method
from .metrics import intersection_over_union
from .prompting import make_prompt
from .records import Records, Row
from .task import Task

Work = tuple[Task, Instance]


def photos_key(folder: Path) -> str:
    """What tells one folder of photos from another: a hash of its manifest."""
    return sha256((folder / "manifest.csv").read_bytes()).hexdigest()


def evaluate(work: Sequence[Work], photos: str, records: Records, device: str = "cpu", jobs: int = 1,
             threads: int | None = None, progress: Callable[[Row, bool], None] | None = None,
             engine: str = "here") -> list[Row]:
    """Measure every (task, instance), those in `records` excepted.

    Args:
        work: what to measure.
        photos: from `photos_key`.
        records: finished rows; new ones are added as they come.
        device: where the models run.
        jobs: processes; the rows are the same for any number.
        threads: CPU threads of each process; None shares the machine's cores among the processes.
        progress: called with every row and whether it is new.
        engine: "here", or "ray" for `jobs` workers of a Ray cluster, which must see the photos under the same names.

    Returns:
        A row per piece of work, in its order.

    Raises InputError when a method cannot be had here, WorkerError when a process was killed.
    """
    keys = {task: task.key(photos) for task in dict.fromkeys(task for task, _ in work)}
    places = [(keys[task], instance.dataset, instance.stem) for task, instance in work]
    missing: dict[tuple[str, str, str], Work] = {}
    for place, piece in zip(places, work, strict=True):
        if records.find(place) is None:
            missing.setdefault(place, piece)
    if progress is not None:
        for place in places:
            if place not in missing:
                progress(records.find(place), False)
    threads = threads or max(1, (os.cpu_count() or 1) // jobs if jobs > 1 else torch.get_num_threads())
    pieces = [(keys[task], task, instance, device) for task, instance in missing.values()]
    if engine == "ray" and pieces:
        rows = _on_ray(pieces, jobs, threads)
    else:
        rows = _here(pieces, threads) if min(jobs, len(pieces)) < 2 else _spread(pieces, jobs, threads)
    with closing(rows):  # whatever happens below ends the processes at once
        for row in rows:
            records.add(row)
            if progress is not None:
                progress(row, True)
    return [records.find(place) for place in places]


def measure(key: str, task: Task, instance: Instance, device: str) -> Row:
    """One row. A method that finds nothing, for a reason it can say, gets the IoU of an empty mask.

    Raises InputError when photo or mask cannot be read or differ in size.
    """
    image, truth, note = instance.image(), instance.mask(), ""
    if tuple(image.shape[1:]) != truth.shape:
        raise InputError(f"the photo {instance.image_path} has {image.shape[2]} x {image.shape[1]} pixels, "
                         f"its mask {truth.shape[1]} x {truth.shape[0]}")
    started = time.perf_counter()
    try:
        _, mask = predict(task, instance, image, device)
    except InputError as error:
        mask, note = np.zeros(truth.shape, bool), str(error)
    seconds = time.perf_counter() - started
    return Row(key=key, method=task.method, prompt=task.prompt, preset=task.shown_preset,
               variant=task.variant, noise=task.noise, seed=task.seed, dataset=instance.dataset,
               stem=instance.stem, iou=round(intersection_over_union(mask, truth), 6),
               seconds=round(seconds, 3), note=note)


def predict(task: Task, instance: Instance, image: torch.Tensor, device: str) -> tuple[Prompt, np.ndarray]:
    """The prompt for an instance and the mask, H x W bool, in its photo 3 x H x W. Raises InputError."""
    prompt = make_prompt(instance, task.prompt, tuple(image.shape[1:]), task.noise, task.seed,
                         lambda: coarse_mask(image, load_models(device, task.encoder).encoder))
    return prompt, _method(task, device)(image, prompt)


@lru_cache(maxsize=32)
def _method(task: Task, device: str) -> Method:
    return make_method(task, device)


def _here(pieces: Sequence[tuple[str, Task, Instance, str]], threads: int) -> Iterator[Row]:
    torch.set_num_threads(threads)
    for piece in pieces:
        _method(piece[1], piece[3])  # raises when it cannot be had, rather than counting as a failure
        yield measure(*piece)


def _spread(pieces: Sequence[tuple[str, Task, Instance, str]], jobs: int, threads: int) -> Iterator[Row]:
    for _, task, _, device in {piece[1]: piece for piece in pieces}.values():
        _method(task, device)
    others = set(multiprocessing.active_children())
    with ProcessPoolExecutor(min(jobs, len(pieces)), mp_context=multiprocessing.get_context("spawn"),
                             initializer=_start_worker, initargs=(threads,)) as pool:
        futures: list[Future[Row]] = [pool.submit(measure, *piece) for piece in pieces]
        try:
            for future in futures:
                yield future.result()
        except BrokenProcessPool as error:
            raise WorkerError("a process of the evaluation was killed, perhaps for want of memory; "
                              "run again to go on, with fewer --jobs") from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in set(multiprocessing.active_children()) - others:
                process.terminate()


def _on_ray(pieces: Sequence[tuple[str, Task, Instance, str]], jobs: int, threads: int) -> Iterator[Row]:
    from ..engines import work_on_ray

    there = [(key, task, replace(instance, image_path=instance.image_path.absolute(),
                                 mask_path=instance.mask_path.absolute()), device)
             for key, task, instance, device in pieces]
    rows = work_on_ray(range(len(there)), f"{__name__}:ray_worker", {"pieces": there}, jobs, threads, pieces[0][3])
    with closing(rows):
        for row in rows:
            yield Row(**row)


def ray_worker(pieces: Sequence[tuple[str, Task, Instance, str]]) -> Callable[[int], dict[str, object]]:
    """The work of one process of a cluster: the number of a piece to its row, as plain values."""
    return lambda number: asdict(measure(*pieces[number]))


def _start_worker(threads: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    torch.set_num_threads(threads)
