"""`python -m paintseg bench --answers 20`: how long somebody waits who clicks on a photo, answer by answer."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

from .console import report

if TYPE_CHECKING:
    from torch import Tensor

    from ..config import Config
    from ..models import Models
    from ..prompts import Prompt


def measure_answers(
    image: Tensor, prompt: Prompt, models: Models, config: Config, options: argparse.Namespace
) -> dict[str, Any]:
    """Seconds to the first answer and to further ones, each for a new click, and to the photo without the object.

    The first click is the middle of the prompt's box; further ones lie in the box and around it, the former on the
    object and the latter not. A conversation has five of them. Model work alone: nothing is read, encoded or sent.
    """
    import torch

    from ..segmentation import Session
    from ..tasks.live import Conversation, Picture, Question, Show, quick_painter, respond

    height, width = image.shape[1:]
    x0, y0, x1, y1 = prompt.box or (0, 0, width, height)
    generator = torch.Generator().manual_seed(options.seed)
    timed: dict[str, list[tuple[float, float]]] = {"first": [], "further": [], "plate": []}

    def clock(
        kind: str, clicks: dict[str, Any], before: Conversation | None = None, show: Show = "mask"
    ) -> Conversation:
        question = Question(Picture("photo", "", "input"), "bench", clicks, show, 1024)
        wall, processor = time.perf_counter(), time.process_time()
        conversation = before or Conversation(Session(image, models.encoder, config))
        respond(conversation, question, quick_painter)
        timed[kind].append((time.perf_counter() - wall, time.process_time() - processor))
        return conversation

    models.encoder.encode(torch.zeros(1, 3, 2 * models.encoder.stride, 2 * models.encoder.stride))
    while len(timed["further"]) < options.answers:
        said = [{"x": (x0 + x1) / 2, "y": (y0 + y1) / 2, "label": 1}]
        conversation = clock("first", {"points": said})
        for number in range(5):
            across, down = torch.rand(2, generator=generator).tolist()
            x, y = x0 + (0.3 + 0.4 * across) * (x1 - x0), y0 + (0.3 + 0.4 * down) * (y1 - y0)
            if number % 2:  # left or right of the box
                x = x0 - 0.1 * (x1 - x0) if across < 0.5 else x1 + 0.1 * (x1 - x0)
            said = [*said, {"x": min(max(x, 0.5), width - 0.5), "y": y, "label": 1 - number % 2}]
            clock("further", {"points": said}, conversation)
        clock("plate", {"points": said}, conversation, "plate")
        if not options.quiet:
            report(f"{len(timed['further'])} further answers of {options.answers}")
    return {"answers": {kind: _summary(seconds) for kind, seconds in timed.items()}}


def table_of_answers(result: dict[str, Any]) -> str:
    """One result for a terminal."""
    width, height = result["photo"]
    lines = [
        f"{result['preset']}, photo {width} x {height}, {result['device']}, {result['threads']} threads",
        f"  {'':<11}{'median s':>10}{'p95 s':>8}{'CPU s':>8}",
    ]
    for kind, found in result["answers"].items():
        lines.append(
            f"  {kind:<11}{found['seconds']:10.3f}{found['p95_seconds']:8.3f}{found['cpu_seconds']:8.3f} "
            f"{found['count']:5d} answers"
        )
    return "\n".join(lines)


def _summary(timed: list[tuple[float, float]]) -> dict[str, Any]:
    wall, processor = (sorted(one[which] for one in timed) for which in (0, 1))
    return {
        "count": len(timed),
        "seconds": round(wall[len(wall) // 2], 4),
        "p95_seconds": round(wall[min(len(wall) - 1, int(0.95 * len(wall)))], 4),
        "cpu_seconds": round(processor[len(processor) // 2], 4),
        "p95_cpu_seconds": round(processor[min(len(wall) - 1, int(0.95 * len(wall)))], 4),
    }
