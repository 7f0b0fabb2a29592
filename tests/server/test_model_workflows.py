"""The workflows that need models: with stand-ins of random weights they run, without them they say what is missing.

Stable Diffusion 1.5 stands in for every checkpoint; Flux Fill has one block of either kind and CLIP-L's text alone
(T5-XXL would be 9.8 GB).
"""

import json

import pytest
from harness import random_models
from harness.client import Refused
from harness.convert import to_prompt
from harness.inprocess import load_pack
from harness.paths import ROOT

from .conftest import SMALL_BOX

SMALL = {"sampling.steps": 2, "steps": 2, "size": 64}
WORKFLOWS = sorted((ROOT / "workflows").glob("1[3-6] *.json"))
NAMES = [path.stem for path in WORKFLOWS]


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def models_of(workflow):
    """The model entries of all nodes."""
    return [model for node in workflow["nodes"] for model in node.get("properties", {}).get("models", [])]


@pytest.fixture(scope="module")
def stand_ins():
    """A random file for every model, by name."""
    load_pack()
    return {
        "512-inpainting-ema.safetensors": lambda: random_models.sd15_checkpoint(9),
        "sd_xl_base_1.0_inpainting_0.1.safetensors": lambda: random_models.sd15_checkpoint(9),
        "flux1-fill-dev.safetensors": random_models.flux_fill,
        "clip_l.safetensors": random_models.clip_l,
        "ae.safetensors": random_models.flux_vae,
        "big-lama.pt": random_models.lama_script,
    }


@pytest.fixture
def prompt_of(client, schemas, server, stand_ins, small_photo):
    """A workflow as a prompt for little models on the fast preset and a small photo; its models take their places."""

    def make(name):
        workflow = read(ROOT / "workflows" / f"{name}.json")
        for model in models_of(workflow):
            place = server.base / "models" / model["directory"] / model["name"]
            if model["name"] in stand_ins and not place.exists():
                random_models.link(stand_ins[model["name"]](), place)
        prompt = to_prompt(workflow, schemas)
        for node in prompt.values():
            small = SMALL if node["class_type"] in ("PaintSeg_DiffusionPainter", "BasicScheduler") else {}
            node["inputs"] |= {key: value for key, value in small.items() if key in node["inputs"]}
            if node["class_type"] == "PaintSeg_AMCPLoop":
                node["inputs"]["preset"] = "fast"
            elif node["class_type"] == "LoadImage":
                node["inputs"]["image"] = small_photo[0]
            elif node["class_type"] == "PaintSeg_PromptToMask":
                node["inputs"]["box"] = SMALL_BOX
        return prompt

    yield make
    client.free()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["13 Paint with Stable Diffusion", "14 Paint with SDXL", "16 Paint with LaMa"])
def test_workflow_runs_on_its_stand_ins(client, prompt_of, name):
    run = client.run(prompt_of(name))
    assert run.status == "success", run.error


@pytest.mark.slow
def test_flux_workflow_runs_with_one_text_encoder(client, prompt_of):
    prompt = prompt_of("15 Paint with Flux Fill")
    loader = next(node for node in prompt.values() if node["class_type"] == "DualCLIPLoader")
    loader |= {"class_type": "CLIPLoader", "inputs": {"clip_name": "clip_l.safetensors", "type": "stable_diffusion"}}
    run = client.run(prompt)
    assert run.status == "success", run.error


def test_sdxl_workflow_is_the_stable_diffusion_one_with_other_values(schemas):
    first, second = (to_prompt(read(path), schemas) for path in WORKFLOWS[:2])

    def wires(prompt):
        return {
            key: (
                node["class_type"],
                {name: value for name, value in node["inputs"].items() if isinstance(value, list)},
            )
            for key, node in prompt.items()
        }

    assert wires(first) == wires(second)


@pytest.mark.parametrize("path", WORKFLOWS, ids=NAMES)
def test_every_model_has_name_address_folder_and_hash_and_is_told_in_the_note(path):
    workflow = read(path)
    (note,) = [node for node in workflow["nodes"] if node["type"] == "MarkdownNote"]
    assert models_of(workflow)
    for model in models_of(workflow):
        assert model["url"].startswith("https://huggingface.co/")  # the dialog downloads from nowhere else
        assert model["url"].endswith(model["name"])
        assert (len(model["hash"]), model["hash_type"]) == (64, "sha256")
        assert f"[{model['name']}]({model['url']}) into `models/{model['directory']}`" in note["widgets_values"][0]


@pytest.mark.parametrize("path", WORKFLOWS, ids=NAMES)
def test_entries_are_those_of_the_widgets(path):
    for node in read(path)["nodes"]:
        for model in node.get("properties", {}).get("models", []):
            assert model["name"] in node["widgets_values"]


def test_a_missing_model_is_named(client, schemas):
    prompt = to_prompt(read(ROOT / "workflows" / "15 Paint with Flux Fill.json"), schemas)
    try:
        errors = client.post_json("/prompt", {"prompt": prompt, "client_id": client.id})["node_errors"]
    except Refused as refused:
        errors = refused.body["node_errors"]
    assert "t5xxl_fp16.safetensors" in json.dumps(errors)
