"""The paper's tables as tasks, with its figures: Li et al. 2023 (arXiv 2305.19406), tables 1 to 6, A and B.

Table 5 does not name its sets; ECSSD's coarse masks have the figure of Table 1, so all of it is measured on ECSSD.
Scribbles need strokes, which only some sets have; a cell without them stays empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from paintseg.errors import InputError
from paintseg.eval.ablations import variants
from paintseg.eval.records import Row
from paintseg.eval.report import Summary, percent
from paintseg.eval.task import Task

from .layouts import LAYOUTS

FIGURES: dict[str, dict[str, float]] = {
    "table4": {"I only": 78.4, "O only": 77.9, "I and O": 79.5, "I and O, constrained": 80.6},
    "table6a": {"k = 2": 80.6, "k = 3": 72.3, "k = 4": 61.5},
    "table6b": {"T = 3": 78.4, "T = 4": 79.1, "T = 5": 80.6, "T = 6": 80.5},
    "table6c": {"Iter = 10": 77.3, "Iter = 30": 78.7, "Iter = 50": 80.6},
    "table6d": {"rate = 0.9": 69.2, "rate = 1.0": 72.4, "rate = 1.1": 80.6, "rate = 1.2": 80.0},
    "tableA": {"N = 1": 78.8, "N = 2": 79.2, "N = 3": 79.6, "N = 4": 80.1, "N = 5": 80.6, "N = 6": 80.8},
}
"""Ablations on ECSSD with TokenCut's masks, by the names of `ablations.variants`."""
ABLATIONS = {"4": ("table4",), "6": ("table6a", "table6b", "table6c", "table6d"), "A": ("tableA",)}
MAIN = {
    "1": ("auto", {"duts_te": 67.0, "ecssd": 80.6}),
    "2": ("point", {"grabcut": 84.4, "berkeley": 70.0, "davis": 69.4}),
    "3": ("box", {"pascal_voc": 59.7, "coco_mval": 69.6}),
}
NOISY = {
    "point": (60.8, 60.4, 58.9),
    "strokes": (64.3, 63.7, 62.7),
    "box": (71.0, 70.7, 70.1),
    "auto": (80.6, 80.0, 79.3),
}
PROJECTORS = (80.0, 80.6)
"""Table B: DINOv2 ViT-S/14, which is embedded here, and DINO ViT-S/8."""
OTHERS = ("sbd", "part_image_net")
"""Sets the paper has no figure for; measured with boxes."""
NAMES = ("1", "2", "3", "4", "5", "6", "A", "B", "others")


@dataclass(frozen=True)
class Cell:
    """A figure of a table.

    Attributes:
        table: "1" to "6", "A", "B" or "others". row: what stands beside it. dataset: of `LAYOUTS`.
        task: that measures it. paper: mean IoU in percent; None where the paper has none.
    """

    table: str
    row: str
    dataset: str
    task: Task
    paper: float | None


def cells(names: Sequence[str], base: Task) -> list[Cell]:
    """The cells of some tables, each varying `base`. Raises InputError for unknown names.

    Without a diffusion model Table 6c is left out, and Table B without another encoder.
    """
    found: list[Cell] = []
    coarse = replace(base, prompt="auto")
    for name in names:
        if name in MAIN:
            prompt, figures = MAIN[name]
            task = replace(base, prompt=prompt)
            found += [Cell(name, LAYOUTS[key].title, key, task, figure) for key, figure in figures.items()]
        elif name in ABLATIONS:
            for part in ABLATIONS[name]:
                if part != "table6c" or base.painter != "embedded":
                    found += [
                        Cell(part.removeprefix("table"), task.variant, "ecssd", task, FIGURES[part][task.variant])
                        for task in variants([part], coarse)
                    ]
        elif name == "5":
            for kind, levels in NOISY.items():
                for task, figure in zip(variants(["table5"], replace(base, prompt=kind)), levels, strict=True):
                    found.append(Cell("5", f"{kind}, {task.variant}", "ecssd", task, figure))
        elif name == "B":
            if base.encoder != "embedded":
                tasks = variants(["tableB"], coarse)
                found += [
                    Cell("B", task.variant, "ecssd", task, figure)
                    for task, figure in zip(tasks, PROJECTORS, strict=True)
                ]
        elif name == "others":
            task = replace(base, prompt="box")
            found += [Cell("others", LAYOUTS[key].title, key, task, None) for key in OTHERS]
        else:
            raise InputError(f"the table must be one of {', '.join(NAMES)}, not {name!r}")
    return found


def table(measured: Iterable[tuple[Cell, Sequence[Row]]]) -> str:
    """Markdown: every cell's figure beside the paper's, with standard error and number of objects.

    `measured`: cells with their rows; none where it could not be measured.
    """
    lines = ["| table | | set | paper | here | objects |", "|---|---|---|---|---|---|"]
    for cell, rows in measured:
        here, count = "", ""
        if rows:
            found = Summary(cell.task, cell.dataset, tuple((row,) for row in rows))
            here, count = f"{percent(found.mean('iou'))} +- {percent(found.standard_error)}", str(len(rows))
        paper = "" if cell.paper is None else f"{cell.paper:.1f}"
        title = LAYOUTS[cell.dataset].title
        lines.append(f"| {cell.table} | {cell.row} | {title} | {paper} | {here} | {count} |")
    return "\n".join(lines)
