"""Spreading many pieces of work over a Ray cluster.

Ray Data does it all: it queues, keeps the workers busy, starts killed workers anew and gives their pieces to others
(https://docs.ray.io/en/latest/data/data.html). Nothing here schedules anything.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from ..errors import InputError, WorkerError
from ..io.packages import installed, need

ENGINES = ("here", "ray")

Work = Callable[[Any], Any]
"""A piece of work, plain values as JSON has them, to its result, plain values too."""


def work_on_ray(
    pieces: Sequence[Any], factory: str, arguments: dict[str, Any], workers: int, threads: int = 1, device: str = "cpu"
) -> Generator[Any, None, None]:
    """What the work makes of every piece, in the order in which they are done.

    A piece whose worker was killed is done anew by another, so doing one twice must do no harm.

    Args:
        pieces: plain values as JSON has them.
        factory: "module:function"; called once in every worker with `arguments`, the function loads what it needs and
            returns the `Work`.
        arguments: anything that can be pickled.
        workers: processes; on a GPU each takes one GPU.
        threads: CPU threads of a worker.

    Raises InputError without Ray, for a cluster too small, and what the work raises of that kind; WorkerError when
    the cluster gave up.
    """
    ray = connect()
    from ray.data import DataContext, from_items

    gpus = 1 if device.startswith("cuda") else 0
    workers = min(workers, len(pieces))
    there = ray.cluster_resources()
    for name, needed in (("CPU", workers * threads), ("GPU", workers * gpus)):
        if there.get(name, 0) < needed:
            raise InputError(
                f"{workers} workers of {threads} threads need {needed} {name}s and the cluster has "
                f"{there.get(name, 0):g}; give fewer --jobs or fewer --threads"
            )

    class Worker:
        """A process of the cluster, with the models in it."""

        def __init__(self) -> None:
            self.answer = answering(factory, arguments, threads)

        def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
            return {"answer": [self.answer(piece) for piece in batch["piece"]]}

    DataContext.get_current().enable_progress_bars = False
    # A batch is one piece: what a killed worker had in hand is all that is done twice.
    items = [{"piece": json.dumps(piece)} for piece in pieces]
    done = from_items(items, override_num_blocks=min(len(items), 1000)).map_batches(
        Worker, batch_size=1, batch_format="numpy", concurrency=workers, num_cpus=threads, num_gpus=gpus
    )
    try:
        for row in done.iter_rows():
            answer = json.loads(row["answer"])
            if "refused" in answer:
                raise InputError(answer["refused"])
            yield answer["result"]
    except ray.exceptions.RayError as error:
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise WorkerError(f"the Ray cluster gave up ({said[-1].strip()}); run again to go on") from error


def answering(factory: str, arguments: dict[str, Any], threads: int) -> Callable[[str], str]:
    """The work as a worker does it: text to text, a refusal being an answer too, since Ray retries what fails."""
    import torch

    torch.set_num_threads(threads)
    module, _, name = factory.partition(":")
    work: Work = getattr(import_module(module), name)(**arguments)

    def answer(piece: str) -> str:
        try:
            return json.dumps({"result": work(json.loads(piece))})
        except InputError as error:
            return json.dumps({"refused": str(error)})

    return answer


def called(work: Work) -> Work:
    """The factory of work that can be pickled and has nothing to load."""
    return work


def connect(**settings: Any) -> Any:
    """The module ray, connected to the cluster that RAY_ADDRESS names, to one running here, or to one of its own.

    `settings` go to `ray.init`. Raises InputError when Ray is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if installed("ray"):
        need("ray")
    try:
        import ray
    except ImportError as missing:
        raise InputError('--engine ray needs Ray; install "paintseg[ray]" here and on the cluster') from missing
    if not ray.is_initialized():
        # Workers must find this very package, also where it is not installed but run from a checkout.
        home = str(Path(__file__).resolve().parents[2])
        paths = [home, *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {"env_vars": {"PYTHONPATH": os.pathsep.join(paths)}}
        ray.init(**{"runtime_env": environment, "log_to_driver": False, "logging_level": "error", **settings})
    return ray
