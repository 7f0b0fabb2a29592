"""What `scripts/demo` does once all is installed: a photo through a real ComfyUI, or a server to use."""

from __future__ import annotations

import io
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from PIL import Image

from . import contact
from .client import Client, Run
from .console import Console, SetupError
from .convert import to_prompt
from .paths import CACHE, HUMAN_MASK, OUTPUT, PACK_NAME, PHOTO, ROOT
from .server import Server

WORKFLOW = ROOT / "workflows" / "02 Remove an object.json"
BASE = CACHE / "comfy-base"
RESULTS = {"Mask": "mask.png", "Clean plate": "plate.png", "Cut-out": "cutout.png"}  # titles in the workflow


def once(port: int) -> int:
    """Run the workflow on the bundled photo, write the results to `output/`, print what was measured."""
    start = time.monotonic()
    with _server(port) as server, Client(server.url) as client:
        client.upload(PHOTO)
        prompt = to_prompt(json.loads(WORKFLOW.read_text(encoding="utf-8")), client.object_info())
        print(f"==> {WORKFLOW.relative_to(ROOT)} on {PHOTO.relative_to(ROOT)}", flush=True)
        run = _watched(client, prompt)
        images = {name: _image(client, run, prompt, title) for title, name in RESULTS.items()}
        peak = server.peak_memory()
    images["mask.png"] = images["mask.png"].convert("L")
    photo = Image.open(PHOTO)
    images["contact.jpg"] = contact.sheet(photo, _clicks(prompt), *(images[name] for name in RESULTS.values()))
    for name, image in images.items():
        _write(OUTPUT / name, image)
    fit = contact.iou(images["mask.png"], Image.open(HUMAN_MASK))
    print(f"Overlap with the mask drawn by hand (IoU): {fit:.3f}")
    print(f"Time: {_seconds(run):.0f} s for the workflow, {time.monotonic() - start:.0f} s with ComfyUI's start")
    print(f"Memory: {peak / 1e9:.1f} GB at most in ComfyUI")
    print(f"Written to {OUTPUT}: {', '.join(images)}")
    return 0


def serve(port: int) -> int:
    """Leave ComfyUI running, print the address of the opened workflow, stop on Ctrl-C."""
    with _server(port) as server, Client(server.url) as client:
        client.upload(PHOTO)
        # Boxes are drawn on the photo in ComfyUI's modern nodes only, and a new user is greeted by the templates (an
        # address that opens one takes no title with spaces). The settings are this demo's own.
        client.post_json("/settings", {"Comfy.VueNodes.Enabled": True, "Comfy.TutorialCompleted": False})
        print(f"ComfyUI answers at {server.url}")
        print(f"Choose {PACK_NAME} there, {WORKFLOW.stem}, and press Run. Ctrl-C stops the server.", flush=True)
        try:
            server.wait()
        except KeyboardInterrupt:
            print("\nStopping ComfyUI.")
            return 0
    raise SetupError(f"ComfyUI ended by itself; its log is {server.log}.")


class _Progress:
    """One line that is rewritten on a terminal, and a line per change elsewhere."""

    def __init__(self) -> None:
        self._shown = ""

    def show(self, text: str) -> None:
        if text == self._shown:
            return
        if sys.stdout.isatty():
            print(f"\r    {text:<90}", end="", flush=True)
        else:
            print(f"    {text}", flush=True)
        self._shown = text

    def close(self) -> None:
        if sys.stdout.isatty():
            print()


def _server(port: int) -> Server:
    console = Console()
    console.line("==> Starting ComfyUI")
    start = time.monotonic()
    told = [start]

    def waiting() -> None:
        if time.monotonic() - told[0] >= 5:
            told[0] = time.monotonic()
            console.detail(f"... {told[0] - start:.0f} s")

    return Server(BASE, port=port, waiting=waiting)


def _watched(client: Client, prompt: dict[str, Any]) -> Run:
    """Run `prompt` with a progress line: seconds since the start, the node, how far it is."""
    progress, node, step, start = _Progress(), "", "", time.monotonic()
    prompt_id = client.queue(prompt)
    events = []
    try:
        for event in client.follow(prompt_id):
            events.append(event)
            if event.kind == "executing" and event.data.get("node"):
                node, step = prompt[event.data["node"]]["_meta"]["title"], ""
            elif event.kind == "progress":
                step = f", {100 * event.data['value'] / event.data['max']:.0f} %"
            else:
                continue
            progress.show(f"{time.monotonic() - start:3.0f} s  {node}{step}")
    except (TimeoutError, ConnectionError) as lost:
        raise SetupError(f"{lost} ({BASE / 'comfyui.log'}).") from lost
    finally:
        progress.close()
    run = client.finished(prompt_id, events)
    if run.status != "success":
        what = run.error.get("exception_message", run.status).strip()
        raise SetupError(f"The workflow ended at {run.error.get('node_type', 'a node')}: {what}")
    return run


def _image(client: Client, run: Run, prompt: dict[str, Any], title: str) -> Image.Image:
    """The first picture shown by the node with this title."""
    node = next((key for key, value in prompt.items() if value["_meta"]["title"] == title), None)
    shown = run.outputs.get(node or "", {}).get("images")
    if not shown:
        raise SetupError(f"The workflow {WORKFLOW.name} shows no picture in a node titled {title}.")
    return Image.open(io.BytesIO(client.download(shown[0])))


def _clicks(prompt: dict[str, Any]) -> list[tuple[float, float]]:
    """The points on the object in the workflow, (x, y)."""
    said = (node["inputs"]["clicks"] for node in prompt.values() if node["class_type"] == "PaintSeg_Click")
    return [(one["x"], one["y"]) for one in json.loads(next(said))["points"] if one["label"]]


def _seconds(run: Run) -> float:
    """How long ComfyUI took, by its own clock."""
    stamps = [event.data["timestamp"] for event in run.events if "timestamp" in event.data]
    return (max(stamps) - min(stamps)) / 1000


def _write(path: Path, image: Image.Image) -> None:
    """Save under another name first: no reader ever sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"unfinished-{path.name}")
    image.save(unfinished, **({"quality": 92} if path.suffix == ".jpg" else {}))
    os.replace(unfinished, path)
