"""Every bundled workflow, as a file, converted and run."""

import json

import pytest
from harness.convert import NotConvertible, to_prompt
from harness.paths import ROOT

WORKFLOWS = sorted((ROOT / "workflows").glob("*.json"))


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def needs_models(path):
    """Whether it names files to download; those run in test_model_workflows."""
    return any(node.get("properties", {}).get("models") for node in read(path)["nodes"])


COMPLETE = [path for path in WORKFLOWS if not needs_models(path)]


@pytest.mark.parametrize("path", COMPLETE, ids=lambda path: path.stem)
def test_bundled_workflow_runs(client, path):
    run = client.run(to_prompt(read(path), client.object_info()))
    assert run.status == "success", run.error


def test_values_that_fit_no_widget_are_refused(client):
    node = {"id": 1, "type": "SolidMask", "mode": 0, "widgets_values": [1.0, 64, 64, "odd"]}
    with pytest.raises(NotConvertible, match="holds values no widget takes"):
        to_prompt({"nodes": [node], "links": []}, client.object_info())


def test_missing_values_are_refused(client):
    node = {"id": 1, "type": "SolidMask", "mode": 0, "widgets_values": [1.0]}
    with pytest.raises(NotConvertible, match="fewer values than it has widgets"):
        to_prompt({"nodes": [node], "links": []}, client.object_info())


def test_muted_nodes_and_notes_are_left_out(client):
    note = {"id": 1, "type": "Note", "mode": 0, "widgets_values": ["hello"]}
    muted = {"id": 2, "type": "SolidMask", "mode": 2, "widgets_values": [1.0, 64, 64]}
    assert to_prompt({"nodes": [note, muted], "links": []}, client.object_info()) == {}
