"""The same work on a cluster of two workers: the same results, and nobody's death loses a photo."""

import csv
import json
import os
import signal
from functools import partial
from pathlib import Path

import pytest

from paintseg.__main__ import main
from paintseg.cli.bench import made_up_photo
from paintseg.errors import InputError
from paintseg.eval.__main__ import main as evaluation
from paintseg.io.formats import to_image
from paintseg.tasks.ray_cluster import connect, work_on_ray

pytest.importorskip("ray", reason="Ray is not installed; scripts/test --all installs it")
pytestmark = pytest.mark.long

SMALL = ["--preset", "fast", "--size", "64", "--set", "encoder_size=56", "--set", "photo_size=56", "--threads", "1"]
COUNT = 6


@pytest.fixture(scope="module", autouse=True)
def cluster():
    """Two cores' worth of a cluster of our own, with 200 MB for objects."""
    monkeypatch = pytest.MonkeyPatch()
    # it would be somebody's real cluster
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    for attempt in range(3):
        try:
            ray = connect(address="local", num_cpus=2, object_store_memory=200 * 2**20, include_dashboard=False)
            break
        except Exception as error:  # of no type of its own; Ray's parts have 15 s to start, however busy we are
            if attempt == 2:
                pytest.skip(f"Ray does not start here: {error}")
    yield ray
    ray.shutdown()
    monkeypatch.undo()


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for number in range(COUNT):
        to_image(made_up_photo(80, 52, number)[0]).save(folder / f"{number}.png")
    return folder


def segment(photos, target, *arguments):
    return main(["segment", str(photos), "--box", "14,20,66,60", "-o", str(target), *SMALL, "-q", *arguments])


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.png")}


def test_a_cluster_writes_the_very_masks_one_process_writes(photos, tmp_path, monkeypatch):
    monkeypatch.chdir(photos.parent)
    assert segment(photos.name, tmp_path / "one") == 0
    assert segment(photos.name, tmp_path / "two", "--engine", "ray", "--jobs", "2") == 0
    assert len(contents(tmp_path / "one")) == COUNT
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def deadly(folder):
    """Work whose first worker is killed, as by the system for want of memory, with the piece 3 in hand."""

    def work(piece):
        died = Path(folder, "died")
        if piece == 3 and not died.exists():
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        Path(folder, f"{piece}-{os.getpid()}").touch()
        return piece * 10

    return work


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_what_a_killed_worker_had_in_hand_is_done_by_another(tmp_path):
    found = work_on_ray(range(COUNT), "paintseg.tasks.ray_cluster:called", {"work": deadly(str(tmp_path))}, 2)
    assert sorted(found) == [10 * piece for piece in range(COUNT)]
    assert (tmp_path / "died").exists()
    done = [path.name.split("-")[0] for path in tmp_path.glob("*-*")]
    assert sorted(set(done)) == [str(piece) for piece in range(COUNT)]


def test_a_refusal_is_the_work_s_own_sentence():
    def refuse(piece):
        raise InputError(f"piece {piece} is nothing")

    with pytest.raises(InputError, match="piece 7 is nothing"):
        list(work_on_ray([7], "paintseg.tasks.ray_cluster:called", {"work": refuse}, 1))


def test_more_workers_than_the_cluster_has_cores_for_are_refused():
    with pytest.raises(InputError, match="need 8 CPUs and the cluster has 2"):
        list(work_on_ray(range(9), "paintseg.tasks.ray_cluster:called", {"work": partial(int)}, 4, threads=2))


def test_the_evaluation_on_a_cluster_has_the_rows_of_one_process(photos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "set" / "images").mkdir(parents=True)
    (tmp_path / "set" / "masks").mkdir()
    with open("manifest.csv", "w", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(
            ["dataset", "stem", "image", "x0", "y0", "x1", "y1", "centroid_x", "centroid_y", "inner_x", "inner_y"]
        )
        for number in range(3):
            to_image(made_up_photo(80, 52, number)[0]).save(f"set/images/{number}.png")
            to_image(made_up_photo(80, 52, number)[0].mean(0) > 0.5).save(f"set/masks/{number}.png")
            writer.writerow(["set", number, f"{number}.png", 14, 20, 66, 60, 40, 40, 40, 40])
    found = []
    for engine in ("here", "ray"):
        words = [".", "--method", "box", "--engine", engine, "--jobs", "2" if engine == "ray" else "1", "-q"]
        assert evaluation([*words, "--threads", "1", "--json", f"{engine}.json", "--csv", f"{engine}.csv"]) == 0
        found.append(json.loads(Path(f"{engine}.json").read_text())[0]["mean_iou"])
    assert found[0] == found[1] > 0
