"""`scripts/examples/reproduce_paper.py`: the paper's tables beside measured ones."""

import runpy

import numpy as np
import pytest
from harness.paths import ROOT
from PIL import Image
from reproduction.paper import FIGURES, NAMES, cells, table

import paintseg.eval.run
from paintseg.cli.bench import made_up_photo
from paintseg.errors import InputError
from paintseg.eval.records import Row
from paintseg.eval.task import Task
from paintseg.io.formats import to_image

main = runpy.run_path(str(ROOT / "scripts" / "examples" / "reproduce_paper.py"))["main"]
SMALL = [word for name in ("size=128", "encoder_size=112", "photo_size=112", "steps=1") for word in ("--set", name)]
PAPER = Task(preset="paper", painter="phi,psi", encoder="vit_small_patch8_224.dino=x")


def a_set(folder, photos, masks, count=2):
    """A set of one object a photo, an oval of 60 px in 120."""
    for kind in (photos, masks):
        (folder / kind).mkdir(parents=True)
    ys, xs = (np.mgrid[:120, :120] + 0.5 - 60) / 30
    oval = np.where(xs**2 + (ys / 0.8) ** 2 <= 1, 255, 0).astype(np.uint8)
    for number in range(count):
        to_image(made_up_photo(120, 60, seed=number)[0]).save(folder / photos / f"{number:04d}.jpg")
        Image.fromarray(oval).save(folder / masks / f"{number:04d}.png")


def rows(*shares):
    plain = {"key": "", "method": "", "prompt": "", "mosaic": 1, "preset": "", "variant": "", "noise": 0.0, "seed": 0}
    rest = {"dataset": "ecssd", "boundary_iou": 0.0, "pieces": 1, "seconds": 1.0}
    return [Row(**plain, **rest, stem=str(number), iou=share) for number, share in enumerate(shares)]


def test_every_figure_of_the_paper_has_its_cell():
    found = cells(NAMES, PAPER)
    count = {name: sum(cell.table == name for cell in found) for name in {cell.table for cell in found}}
    assert count == {
        **{"1": 2, "2": 3, "3": 2, "4": 4, "5": 12, "6a": 3, "6b": 4, "6c": 3, "6d": 4, "A": 6, "B": 2},
        "others": 2,
    }
    assert {cell.paper for cell in found if cell.table == "6c"} == set(FIGURES["table6c"].values())
    assert [cell.task.iterations for cell in found if cell.table == "6c"] == [10, 30, 50]
    assert all(cell.paper is not None for cell in found if cell.table != "others")


def test_what_the_embedded_models_have_not_is_left_out():
    found = {cell.table for cell in cells(NAMES, Task(preset="paper"))}
    assert not found & {"6c", "B"} and "6d" in found


def test_unknown_tables_are_refused():
    with pytest.raises(InputError, match="the table must be one of"):
        cells(["7"], PAPER)


def test_the_table_has_means_and_standard_errors_beside_the_papers():
    said = table([(cells(["4"], PAPER)[0], rows(0.5, 0.7)), (cells(["others"], PAPER)[0], [])])
    assert "| 4 | I only | ECSSD | 78.4 | 60.0 +- 10.0 | 2 |" in said
    assert "| others | SBD | SBD |  |  |  |" in said


@pytest.mark.slow
def test_tables_are_measured_on_what_is_there_and_gone_on_with(tmp_path, capsys, monkeypatch):
    a_set(tmp_path / "sets" / "ECSSD", "images", "ground_truth_mask")
    a_set(tmp_path / "sets" / "GrabCut", "data_GT", "boundary_GT")
    argv = ["--sets", str(tmp_path / "sets"), "--work", str(tmp_path / "work"), "--device", "cpu", "--limit", "1", "-q"]
    assert main([*argv, "--preset", "fast", *SMALL, "--tables", "1,2"]) == 0
    first = capsys.readouterr()
    lines = [line for line in first.out.splitlines() if line.startswith("| ") and "table" not in line]
    assert [line.split(" | ")[2] for line in lines] == ["DUTS-TE", "ECSSD", "GrabCut", "Berkeley", "DAVIS"]
    assert [line.rstrip(" |").endswith(" 1") for line in lines] == [False, True, True, False, False]
    assert "holds no folder of duts_te; its cells stay empty" in first.err

    def fail(*_):
        raise RuntimeError("measured twice")

    monkeypatch.setattr(paintseg.eval.run, "measure", fail)
    assert main([*argv, "--preset", "fast", *SMALL, "--tables", "1,2"]) == 0
    assert capsys.readouterr().out == first.out


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["--phi", "a"], "give that too"),
        (["--painters", "{empty}"], "holds neither diffusers pipelines nor checkpoints"),
        (["--painters", "{full}", "--psi", "b"], "--psi must be one of a.safetensors"),
        (["--tables", "7"], "the table must be one of"),
        (["--limit", "0"], "must be at least 1"),
        (["--tables", "3"], "holds none of the sets"),
    ],
)
def test_what_is_wrong_is_named(argv, says, tmp_path, capsys):
    places = {"empty": tmp_path / "empty", "full": tmp_path / "full"}
    for place in places.values():
        place.mkdir()
    (places["full"] / "a.safetensors").touch()
    argv = [word.format(**places) for word in argv]
    assert main(["--sets", str(places["empty"]), "--work", str(tmp_path / "work"), "--device", "cpu", *argv]) == 2
    assert says in capsys.readouterr().err
