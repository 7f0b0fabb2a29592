"""Hundreds of prompts, good and bad, in one server: none fails that should not, memory stays, nothing is left."""

import json
import os
import random
from itertools import cycle, islice
from pathlib import Path

import pytest
from harness.client import Client
from harness.paths import PHOTO
from harness.server import Server

PROMPTS = int(os.environ.get("PAINTSEG_SOAK_PROMPTS", "200"))
WARM_UP = PROMPTS // 4
FLAT = 50e6  # bytes
SIDE = 96
KINDS = (
    "prompt",
    "cut out",
    "bad box",
    "remove",
    "segment",
    "bad points",
    "save",
    "objects",
    "bad size",
    "interrupted",
)


class Bench:
    """Builds the prompts of each kind; what is random is drawn anew for each, so that nothing comes from a cache."""

    def __init__(self, graph):
        self.new, self.random = graph, random.Random(0)

    def photo(self, graph, side=SIDE):
        whole = graph.add("LoadImage", image=PHOTO.name)
        size = {"width": side, "height": side}
        return [graph.add("ImageScale", image=[whole, 0], upscale_method="area", crop="disabled", **size), 0]

    def boxed(self, graph, photo, text=None):
        x, y = self.random.randrange(20), self.random.randrange(20)
        boxes = text or json.dumps([[x + 40, y, x + 75, y + 60]])
        return [graph.add("PaintSeg_PromptToMask", image=photo, kind="box", boxes=boxes), 0]

    def make(self, kind):
        graph = self.new()
        photo = self.photo(graph)
        prompt = self.boxed(graph, photo, "[[900, 900, 950, 950]]" if kind == "bad box" else None)
        seed = self.random.randrange(2**32)
        method = {"image": photo, "prompt": prompt, "preset": "fast", "seed": seed}
        if kind == "bad points":
            graph.add("PaintSeg_PromptToMask", image=photo, kind="point", **{"kind.x": 1, "kind.y": 1}, points="[{")
        elif kind in ("segment", "interrupted"):
            graph.add("PaintSeg_AMCPLoop", **method, steps=1 if kind == "segment" else 40)
        elif kind == "objects":
            graph.add("PaintSeg_Objects", **method, steps=1)
        elif kind == "bad size":
            graph.add("PaintSeg_AMCPLoop", **method | {"image": self.photo(graph, 64)})
        elif kind in ("cut out", "save"):
            cut = graph.add("PaintSeg_CutOut", image=photo, mask=[prompt[0], 1], soften=0.5)
            if kind == "save":
                graph.add("PaintSeg_SaveLayers", layers=[cut, 0], filename_prefix="soak", format="OpenRaster")
            else:
                graph.add("PreviewImage", images=[cut, 0])
        elif kind == "remove":
            removal = {"image": photo, "mask": [prompt[0], 1], "seed": seed, "candidates": 1, "shadow": False}
            plate = graph.add("PaintSeg_RemoveObject", **removal)
            graph.add("PreviewImage", images=[plate, 0])
        return graph


def memory(server):
    """Bytes the server holds now."""
    import psutil

    return psutil.Process(server.pid).memory_info().rss


def pictures(run):
    """Names of the files that a run says it has written."""
    return {
        Path(one["subfolder"]) / one["filename"] for output in run.outputs.values() for one in output.get("images", [])
    }


def run_one(client, kind, graph):
    queued = client.queue(graph)
    events = []
    for event in client.follow(queued):
        events.append(event)
        if kind == "interrupted" and event.kind == "progress" and event.data.get("max") == 40:
            client.interrupt()
            kind = "stopping"
    return client.finished(queued, events)


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_hundreds_of_prompts_leave_the_server_as_it_was(tmp_path, graph):
    told, held, kinds = set(), [], {}
    with Server(tmp_path) as server, Client(server.url) as client:
        bench, inputs = Bench(type(graph)), None
        for number, kind in enumerate(islice(cycle(KINDS), PROMPTS), start=1):
            run = run_one(client, kind, bench.make(kind))
            wanted = "error" if kind.startswith("bad") else "interrupted" if kind == "interrupted" else "success"
            assert run.status == wanted, (number, kind, run.error)
            if wanted == "error":
                sentence = run.error["exception_message"].strip()
                assert sentence and "\n" not in sentence
            told |= pictures(run)
            kinds[kind] = kinds.get(kind, 0) + 1
            if number == WARM_UP:
                inputs = sorted((tmp_path / "input").iterdir())
            if number >= WARM_UP and number % 5 == 0:
                held.append(memory(server))
        assert sorted((tmp_path / "input").iterdir()) == inputs
        saved = [path.name for path in (tmp_path / "output").iterdir()]
        assert len(saved) == kinds["save"] and all(name.startswith("soak_") and name.endswith(".ora") for name in saved)
        left = {path.relative_to(tmp_path / "temp") for path in (tmp_path / "temp").rglob("*") if path.is_file()}
        assert left <= told  # previews that ComfyUI keeps until it starts anew, and nothing else
    start, end = sum(held[:3]) / 3, sum(held[-3:]) / 3
    figures = {
        "prompts": PROMPTS,
        "refused": sum(kinds[kind] for kind in kinds if kind.startswith("bad")),
        "interrupted": kinds["interrupted"],
        "memory_start_mb": round(start / 1e6),
        "memory_end_mb": round(end / 1e6),
        "memory_most_mb": round(max(held) / 1e6),
    }
    print(f"soak: {figures}")
    if report := os.environ.get("PAINTSEG_FIGURES"):
        with open(report, "a", encoding="utf-8") as file:
            file.write(json.dumps({"soak": figures}) + "\n")
    assert abs(end - start) <= FLAT
