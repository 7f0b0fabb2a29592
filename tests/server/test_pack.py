"""The pack as a running ComfyUI sees it."""

import re
import urllib.error
import urllib.request
from urllib.parse import quote

import pytest
from harness import comfyui
from harness.paths import PACK_NAME, ROOT

IDS = {
    "PaintSeg_PromptToMask",
    "PaintSeg_AMCPLoop",
    "PaintSeg_AMCPStep",
    "PaintSeg_ContrastivePotential",
    "PaintSeg_FastPainter",
    "PaintSeg_DINOEncoder",
}
WORKFLOWS = sorted(path.stem for path in (ROOT / "workflows").glob("*.json"))


@pytest.fixture(scope="module")
def ours(schemas):
    """The schemas of this pack's nodes, by id."""
    return {key: value for key, value in schemas.items() if value["python_module"].endswith(PACK_NAME)}


def test_pack_loads_without_a_complaint(server, ours):
    start = server.log.read_text(encoding="utf-8").partition("Starting server")[0]
    complaints = [line for line in start.splitlines() if "IMPORT FAILED" in line or "Traceback" in line]
    if comfyui.VERSION != comfyui.PINNED:  # older ones may miss packages of their own
        complaints = [line for line in complaints if PACK_NAME in line]
    assert complaints == []
    assert ours.keys() >= IDS


def test_ids_carry_the_packs_prefix(ours):
    assert [key for key in ours if not key.startswith("PaintSeg_")] == []


def test_every_node_explains_itself(ours):
    mute = [key for key, node in ours.items() if not (node["description"] and node.get("search_aliases"))]
    assert mute == []


def test_all_stand_in_one_place_of_the_node_library(ours):
    assert {node["category"].split("/")[0] for node in ours.values()} == {"PaintSeg"}
    # one with a category of essentials is taken out of the library's Extensions, and of the search among them
    assert [key for key, node in ours.items() if node.get("essentials_category")] == []


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("sam", {"PaintSeg_AMCPLoop", "PaintSeg_Objects", "PaintSeg_Video"}),
        ("mask", {"PaintSeg_AMCPLoop", "PaintSeg_Objects", "PaintSeg_CutOut"}),
        ("segment", {"PaintSeg_AMCPLoop", "PaintSeg_Objects", "PaintSeg_Discover"}),
        ("segment anything", {"PaintSeg_AMCPLoop", "PaintSeg_Objects"}),
        ("remove", {"PaintSeg_AMCPLoop", "PaintSeg_RemoveObject", "PaintSeg_CutOut"}),
        ("cutout", {"PaintSeg_CutOut"}),
        ("rembg", {"PaintSeg_AMCPLoop", "PaintSeg_CutOut", "PaintSeg_Discover"}),
    ],
)
def test_words_of_other_tools_lead_to_the_nodes(ours, typed, found):
    known = {
        key
        for key, node in ours.items()
        if any(typed in alias.split() or typed == alias for alias in node["search_aliases"])
    }
    assert found <= known


def test_every_input_has_a_tooltip(ours):
    inputs = (
        (key, name, spec)
        for key, node in ours.items()
        for section in ("required", "optional")
        for name, spec in node["input"].get(section, {}).items()
    )
    assert [(key, name) for key, name, spec in inputs if not spec[1].get("tooltip")] == []


def test_every_output_has_a_tooltip(ours):
    bare = [key for key, node in ours.items() if node["output"] and not all(node.get("output_tooltips") or [None])]
    assert bare == []


def test_template_browser_lists_every_workflow(client):
    assert sorted(client.get_json("/workflow_templates")[PACK_NAME]) == WORKFLOWS


@pytest.mark.parametrize("name", WORKFLOWS)
def test_every_workflow_has_a_thumbnail(server, name):
    address = f"{server.url}/api/workflow_templates/{PACK_NAME}/{quote(name)}.jpg"
    with urllib.request.urlopen(address) as picture:
        assert picture.read(3) == b"\xff\xd8\xff"


@pytest.fixture
def help_page(server):
    """Reads a node's help page from where ComfyUI's sidebar fetches it; empty when there is none."""

    def read(key):
        try:
            with urllib.request.urlopen(f"{server.url}/extensions/{PACK_NAME}/docs/{key}.md") as page:
                return page.read().decode()
        except urllib.error.HTTPError:
            return ""

    return read


def test_help_pages_name_every_socket_and_widget(ours, help_page):
    missing = []
    for key, node in ours.items():
        bold = ",".join(re.findall(r"\*\*([^*]+)\*\*", help_page(key)))
        told = {name.strip() for name in bold.split(",")}
        names = [*node["input"].get("required", {}), *node["input"].get("optional", {}), *node["output_name"]]
        missing += [f"{key}: {name}" for name in names if name not in told]
    assert missing == []
