"""Graphs in the form ComfyUI's HTTP interface takes, built from small pieces."""

import io

import numpy as np
import pytest
from harness.client import Client
from harness.paths import PHOTO
from PIL import Image

BOX = {"x": 346, "y": 0, "width": 136, "height": 298}
SMALL_SIDE, SMALL_BOX = 160, {"x": 108, "y": 0, "width": 43, "height": 93}


class Graph(dict):
    """A prompt under construction: `add` returns the node's id, `out` refers to one of its outputs."""

    def add(self, kind, /, **inputs):
        key = str(len(self) + 1)
        self[key] = {"class_type": kind, "inputs": inputs}
        return key

    def prompt(self, box=BOX, image=PHOTO.name):
        """A photo, the bundled one, with a box; the ids of LoadImage and PromptToMask."""
        photo = self.add("LoadImage", image=image)
        return photo, self.add("PaintSeg_PromptToMask", image=[photo, 0], kind="box", box=box)

    def method(self, kind, photo, prompt, /, **inputs):
        """A node that takes photo, prompt and the method's parameters."""
        wired = {"image": [photo, 0], "prompt": [prompt, 0]}
        return self.add(kind, **{**wired, "preset": "fast", "seed": 7, **inputs})

    def mask_preview(self, node, slot):
        return self.add("MaskPreview", mask=[node, slot])


@pytest.fixture(scope="session")
def small_photo(server, tmp_path_factory):
    """The bundled photo in a tenth of its pixels, in the server's input folder; its name and its file. What is claimed
    of wires and models holds in it, where large networks paint in a tenth of the time."""
    file = tmp_path_factory.mktemp("photos") / "small.png"
    Image.open(PHOTO).convert("RGB").resize((SMALL_SIDE, SMALL_SIDE)).save(file)
    return Client(server.url).upload(file), file


@pytest.fixture
def graph():
    return Graph()


@pytest.fixture
def shown(client):
    """Reads the pictures that a node of a finished run shows."""

    def read(run, node):
        assert run.status == "success", run.error
        pictures = run.outputs[node]["images"]
        return [np.asarray(Image.open(io.BytesIO(client.download(picture)))) for picture in pictures]

    return read
