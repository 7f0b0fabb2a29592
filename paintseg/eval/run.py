"""Measuring tasks on instances: in this process or in several, going on where an earlier run stopped."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import asdict
from functools import lru_cache, partial
from hashlib import sha256
from threading import Thread

import numpy as np
import torch

from ..errors import InputError, WorkerError
from ..locate.discovery import coarse_mask
from ..ops.images import size_of
from ..prompts import Prompt
from .clicks import Turn, converse, prompt_of
from .datasets import Instance, check_sizes
from .methods import cached_models, make_method
from .metrics import marks
from .prompting import make_prompt
from .records import Place, Records, Row
from .task import CLICKS, Method, Task

Work = tuple[Task, Instance]
Job = tuple[str, Task, Instance, str]
"""What `measure` takes."""
Rows = tuple[Row, ...]
"""Of one instance: one, or one per click."""


def places_of(work: Sequence[Work]) -> list[Place]:
    """Where the records have each piece of work: a changed parameter, photo or human mask is another place.

    Raises InputError for photos and masks that cannot be read.
    """
    tasks = {task: task.key() for task in dict.fromkeys(task for task, _ in work)}
    contents = {instance: instance.content() for instance in dict.fromkeys(instance for _, instance in work)}
    return [
        (sha256((tasks[task] + contents[instance]).encode()).hexdigest()[:12], instance.dataset, instance.stem)
        for task, instance in work
    ]


def evaluate(
    work: Sequence[Work],
    records: Records,
    progress: Callable[[Sequence[Row], bool], None],
    device: str = "cpu",
    jobs: int = 1,
    threads: int | None = None,
    engine: str = "here",
) -> list[Rows]:
    """Measure every (task, instance), those in `records` excepted.

    Args:
        records: finished rows; new ones are added as they come.
        progress: called with the rows of every piece of work and whether they are new.
        jobs: processes; the rows are the same for any number.
        threads: CPU threads of each process; None shares the machine's cores among the processes.
        engine: "here", or "ray" for `jobs` workers of a Ray cluster, which must see the photos under the same names.

    Returns the rows of every piece of work, in its order: one, or one per click.

    Raises InputError when a method does not run here or a photo cannot be read, WorkerError when a process was killed.
    """
    places = places_of(work)
    missing: dict[Place, Work] = {}
    for place, piece in zip(places, work, strict=True):
        if place in records.rows:
            progress(records.rows[place], False)
        else:
            missing.setdefault(place, piece)
    threads = threads or threads_each(jobs)
    pieces = [(place[0], task, instance, device) for place, (task, instance) in missing.items()]
    if engine == "ray" and pieces:
        finished = _on_ray(pieces, jobs, threads)
    else:
        finished = _here(pieces, threads) if min(jobs, len(pieces)) < 2 else _spread(pieces, jobs, threads)
    with closing(finished):  # whatever happens below ends the processes at once
        for rows in finished:
            records.add(rows)
            progress(rows, True)
    return [records.rows[place] for place in places]


def threads_each(jobs: int) -> int:
    """CPU threads of each of so many processes, which share the machine's cores."""
    return max(1, (os.cpu_count() or 1) // jobs) if jobs > 1 else torch.get_num_threads()


def measure(key: str, task: Task, instance: Instance, device: str) -> Rows:
    """The rows of one instance. A method that finds nothing, for a reason it can say, gets the marks of an empty mask.

    Raises InputError when photo or mask cannot be read or differ in size, and when there is no object to click on.
    """
    image, truth = instance.image(), instance.mask()
    check_sizes(instance.image_path, size_of(image), truth.shape)
    told = {name: getattr(task, name) for name in ("method", "prompt", "mosaic", "variant", "noise", "seed")}
    same = partial(Row, key=key, preset=task.shown_preset, dataset=instance.dataset, stem=instance.stem, **told)
    if task.prompt == CLICKS:
        turns = _conversation(task, image, truth, device)
        if not turns:
            raise InputError(f"the mask {instance.mask_path} has no object to click on")
        return tuple(
            same(
                **asdict(turn.marks),
                seconds=round(turn.seconds, 3),
                note=turn.note,
                click=number,
                clicks=len(turns),
                clicked="{} {:g} {:g}".format("-+"[turn.positive], *turn.point),
            )
            for number, turn in enumerate(turns, start=1)
        )
    started, note = time.perf_counter(), ""
    try:
        _, mask = predict(task, instance, image, device)
    except InputError as error:
        mask, note = np.zeros(truth.shape, bool), str(error)
    seconds = time.perf_counter() - started
    return (same(**asdict(marks(mask, truth)), seconds=round(seconds, 3), note=note),)


def predict(task: Task, instance: Instance, image: torch.Tensor, device: str) -> tuple[Prompt, np.ndarray]:
    """The prompt for an instance and the mask, H x W bool, in its photo 3 x H x W. Raises InputError.

    Of a conversation it is the prompt of all clicks and the answer to the last.
    """
    size = size_of(image)
    if task.prompt == CLICKS:
        turns = _conversation(task, image, instance.mask(), device)
        return prompt_of([(turn.point, turn.positive) for turn in turns], size), turns[-1].mask
    prompt = make_prompt(
        instance,
        task.prompt,
        size,
        task.noise,
        task.seed,
        lambda: coarse_mask(image, cached_models(device, task.encoder).encoder),
    )
    return prompt, _method(task, device)(image, prompt)


def _conversation(task: Task, image: torch.Tensor, truth: np.ndarray, device: str) -> list[Turn]:
    return list(converse(image, truth, _method(task, device), task.clicks, task.stop))


@lru_cache(maxsize=32)
def _method(task: Task, device: str) -> Method:
    return make_method(task, device)


def _here(pieces: Sequence[Job], threads: int) -> Generator[Rows, None, None]:
    torch.set_num_threads(threads)
    for piece in pieces:
        _method(piece[1], piece[3])  # raises when it does not run, rather than counting as a failure
        yield measure(*piece)


def _spread(pieces: Sequence[Job], jobs: int, threads: int) -> Generator[Rows, None, None]:
    for _, task, _, device in {piece[1]: piece for piece in pieces}.values():
        _method(task, device)
    others = set(multiprocessing.active_children())
    with ProcessPoolExecutor(
        min(jobs, len(pieces)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(threads,),
    ) as pool:
        futures: list[Future[Rows]] = [pool.submit(measure, *piece) for piece in pieces]
        try:
            for future in futures:
                yield future.result()
        except BrokenProcessPool as error:
            raise WorkerError(
                "a process of the evaluation was killed, perhaps for want of memory; "
                "run again to go on, with fewer --jobs"
            ) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in set(multiprocessing.active_children()) - others:
                process.terminate()


def _on_ray(pieces: Sequence[Job], jobs: int, threads: int) -> Generator[Rows, None, None]:
    from ..tasks.ray_cluster import work_on_ray

    found = work_on_ray(range(len(pieces)), f"{__name__}:ray_worker", {"pieces": pieces}, jobs, threads, pieces[0][3])
    with closing(found):
        for rows in found:
            yield tuple(Row(**row) for row in rows)


def ray_worker(pieces: Sequence[Job]) -> Callable[[int], list[dict[str, object]]]:
    """The work of one process of a cluster: the number of a piece to its rows, as plain values."""
    return lambda number: [asdict(row) for row in measure(*pieces[number])]


def _start_worker(threads: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    torch.set_num_threads(threads)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when the one that started it was killed, which leaves no time to say so: a gigabyte each."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
