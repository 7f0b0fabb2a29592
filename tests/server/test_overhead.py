"""What ComfyUI and the nodes add to the library's own work, in CPU seconds of one thread, which wait for nobody."""

import json
import os
import statistics
import time

import psutil
import pytest
import torch
from harness.client import Client
from harness.paths import PHOTO
from harness.server import Server

from paintseg.config import preset
from paintseg.io.reading import read_photo
from paintseg.models import load_models
from paintseg.prompts import box_prompt
from paintseg.segmentation import segment

from .conftest import BOX

RUNS = 3


def cpu_seconds(process):
    times = process.cpu_times()
    return times.user + times.system


@pytest.mark.long
def test_a_node_costs_little_more_than_the_library(tmp_path, monkeypatch, graph):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    photo, prompt = graph.prompt()
    loop = graph.method("PaintSeg_AMCPLoop", photo, prompt)
    graph.mask_preview(loop, 0)
    in_server, alone = [], []
    with Server(tmp_path) as server, Client(server.url) as client:
        process = psutil.Process(server.pid)
        for seed in range(RUNS + 1):
            graph[loop]["inputs"]["seed"] = seed
            before = cpu_seconds(process)
            assert client.run(graph).status == "success"
            in_server.append(cpu_seconds(process) - before)

    image, models, threads = read_photo(PHOTO), load_models(), torch.get_num_threads()
    box = box_prompt((BOX["x"], BOX["y"], BOX["x"] + BOX["width"], BOX["y"] + BOX["height"]), tuple(image.shape[1:]))
    try:
        torch.set_num_threads(1)
        for seed in range(RUNS + 1):
            before = time.process_time()
            segment(image, box, models.painter, models.encoder, preset("fast"), seed)
            alone.append(time.process_time() - before)
    finally:
        torch.set_num_threads(threads)

    # The first runs load models.
    whole, library = statistics.median(in_server[1:]), statistics.median(alone[1:])
    figures = {"cpu_s": round(whole, 2), "of_the_library": round(library, 2), "overhead": round(whole - library, 2)}
    print(f"one photo with fast: {figures}")
    if report := os.environ.get("PAINTSEG_FIGURES"):
        with open(report, "a", encoding="utf-8") as file:
            file.write(json.dumps({"fast in ComfyUI": figures}) + "\n")
    # In shares of the library's time, which any processor keeps. What is added is loading, previews and their PNGs; a
    # photo encoded once more, or a plate that nobody asked for, adds as much as the library takes.
    assert whole - library < 0.75 * library
