"""Graphs in the form ComfyUI's HTTP interface takes, built from small pieces."""

import io

import numpy as np
import pytest
from harness.paths import PHOTO
from PIL import Image

BOX = {"x": 346, "y": 0, "width": 136, "height": 298}


class Graph(dict):
    """A prompt under construction: `add` returns the node's id, `out` refers to one of its outputs."""

    def add(self, kind, /, **inputs):
        key = str(len(self) + 1)
        self[key] = {"class_type": kind, "inputs": inputs}
        return key

    def prompt(self, box=BOX):
        """The bundled photo with a box; the ids of LoadImage and PromptToMask."""
        photo = self.add("LoadImage", image=PHOTO.name)
        return photo, self.add("PaintSeg_PromptToMask", image=[photo, 0], kind="box", box=box)

    def method(self, kind, photo, prompt, /, **inputs):
        """A node that takes photo, prompt and the method's parameters."""
        wired = {"image": [photo, 0], "prompt": [prompt, 0]}
        return self.add(kind, **{**wired, "preset": "fast", "seed": 7, **inputs})

    def mask_preview(self, node, slot):
        return self.add("MaskPreview", mask=[node, slot])


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
