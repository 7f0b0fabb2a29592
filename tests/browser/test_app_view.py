"""Workflows as forms (App mode): what to fill in, and Run, whatever the style of nodes."""

import json

import pytest
from harness.paths import ROOT

ARTEFACTS = ROOT / "output" / "test-artifacts"
ASKED = {
    "01 Quickstart": ["image", "clicks", "preset"],
    "02 Remove an object": ["image", "clicks", "preset"],
    "03 Find the subject by itself": ["image", "preset"],
    "04 Point at it": ["image", "clicks", "preset"],
    "07 A photo as layers": ["image", "editor_state", "names"],
    "08 Move an object": ["image", "preset", "picture"],
}


def switch(desk):
    desk.page.evaluate("app.extensionManager.command.execute('Comfy.ToggleLinear')")


@pytest.mark.parametrize("name", ASKED)
def test_the_form_asks_for_what_matters_and_has_run(desk, name):
    workflow = json.loads((ROOT / "workflows" / f"{name}.json").read_text(encoding="utf-8"))
    desk.page.evaluate("([workflow, name]) => app.loadGraphData(workflow, true, true, name)", [workflow, name])
    assert not desk.page.get_by_test_id("linear-run-button").is_visible()  # it opened as a graph
    switch(desk)
    desk.page.get_by_test_id("linear-run-button").wait_for()
    items = desk.page.get_by_test_id("app-mode-widget-item")
    items.nth(len(ASKED[name]) - 1).wait_for()
    desk.page.screenshot(path=ARTEFACTS / f"app-{name[:2]}-{desk.style}.png")
    keys = [item.get_attribute("data-widget-key").split(":")[-1] for item in items.all()]
    switch(desk)
    assert keys == ASKED[name]
