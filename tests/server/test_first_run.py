"""A node as it is dropped on the canvas, its sockets wired to what they are for: no default is refused."""

import pytest
from harness.paths import PHOTO

WIDGETS = {"INT", "FLOAT", "BOOLEAN", "STRING"}
NEED_MODELS = {"PaintSeg_DiffusionPainter", "PaintSeg_CLIPVisionEncoder", "PaintSeg_InpaintModelPainter"}
OURS = (
    "PromptToMask", "Discover", "AMCPLoop", "Candidates", "Objects", "Video", "AMCPStart", "AMCPStep",
    "ContrastivePotential", "FastPainter", "DINOEncoder", "RemoveObject", "CutOut", "Amodal", "Layers", "Reassemble",
    "SaveLayers",
)  # fmt: skip
NEED_A_CLICK = {"PaintSeg_Click"}
EITHER = {"PaintSeg_Objects": ["prompt"], "PaintSeg_Amodal": ["prompt"]}  # optional, but one of two must be wired


@pytest.fixture
def drop(schemas, graph):
    """Adds a node with its widgets as they come; returns its id."""
    photo = graph.add("LoadImage", image=PHOTO.name)
    small = graph.add("ImageScaleToTotalPixels", image=[photo, 0], upscale_method="area", megapixels=0.05,
                      resolution_steps=1)  # fmt: skip

    def sources(kind, name):
        if "IMAGE" in kind.split(",") and name in ("layers", "layer"):
            return [drop_one("PaintSeg_CutOut"), 0]
        if kind == "IMAGE":
            return [small, 0]
        if kind == "MASK":
            return [drop_one("PaintSeg_PromptToMask"), 1]
        if kind == "PAINTSEG_PROMPT":
            return [drop_one("PaintSeg_PromptToMask"), 0]
        if kind == "PAINTSEG_STATE":
            return [drop_one("PaintSeg_AMCPStart"), 0]
        raise LookupError(f"nothing obvious to wire to {name}, {kind}")

    def value(node, name, spec):
        kind, options = spec[0], spec[1]
        if kind == "COMBO":
            return options.get("default", options["options"][0])
        if kind == "COMFY_DYNAMICCOMBO_V3":
            return options["options"][0]["key"]
        return options["default"] if kind in WIDGETS else sources(kind, name)

    def drop_one(node, **wired):
        inputs = schemas[node]["input"]
        needed = dict(inputs.get("required", {}))
        needed |= {name: inputs["optional"][name] for name in EITHER.get(node, []) if name not in wired}
        given = {name: value(node, name, spec) for name, spec in needed.items() if name not in wired}
        if "box" in inputs.get("optional", {}):
            given["box"] = inputs["optional"]["box"][1]["default"]
        return graph.add(node, **given, **wired)

    return drop_one


def finish(graph, client, schemas, node):
    """Give the node's outputs to something that shows them, and run."""
    shows = {"IMAGE": ("PreviewImage", "images"), "MASK": ("MaskPreview", "mask")}
    kind = graph[node]["class_type"]
    for slot, output in enumerate(schemas[kind]["output"]):
        if output in shows:
            preview, name = shows[output]
            graph.add(preview, **{name: [node, slot]})
        elif output in ("PAINTSEG_PAINTER", "PAINTSEG_ENCODER"):
            graph.add("PaintSeg_AMCPLoop", image=["2", 0], prompt=[prompt_of(graph), 0], preset="fast", seed=0,
                      **{output.removeprefix("PAINTSEG_").lower(): [node, slot]})  # fmt: skip
        elif output == "PAINTSEG_STATE" and kind == "PaintSeg_AMCPStart":
            graph.add("PaintSeg_AMCPStep", state=[node, slot], direction="auto")
    return client.run(graph)


def prompt_of(graph):
    """A prompt with its box as it comes; the node that makes it."""
    box = {"x": 64, "y": 64, "width": 100, "height": 100}
    return graph.add("PaintSeg_PromptToMask", image=["2", 0], kind="box", box=box)


@pytest.mark.slow
@pytest.mark.parametrize("node", [f"PaintSeg_{name}" for name in OURS])
def test_a_dropped_node_runs_on_its_defaults(client, schemas, graph, drop, node):
    if node == "PaintSeg_Candidates":  # a box says how large the object is; candidates are for points
        image = {"image": ["2", 0], "kind": "point", "kind.x": 100, "kind.y": 150}
        dropped = drop(node, prompt=[graph.add("PaintSeg_PromptToMask", **image), 0])
    else:
        dropped = drop(node)
    run = finish(graph, client, schemas, dropped)
    assert run.status == "success", run.error


def test_no_node_was_forgotten(schemas):
    ours = {node for node in schemas if node.startswith("PaintSeg_")}
    assert ours == {f"PaintSeg_{name}" for name in OURS} | NEED_MODELS | NEED_A_CLICK


@pytest.mark.slow
def test_a_dropped_click_node_asks_for_a_click(client, schemas, graph, drop):
    run = finish(graph, client, schemas, drop("PaintSeg_Click"))
    assert run.status == "error"
    assert "nothing says where the object is: click on it in the photo" in run.error["exception_message"]
