"""What the server hands to a browser in another language."""

import json

import pytest
from harness.help_pages import LANGUAGES
from harness.paths import ROOT


@pytest.fixture(scope="module")
def handed_out(server):
    from harness.client import Client

    return Client(server.url).get_json("/i18n")


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_server_hands_out_names_and_tooltips(handed_out, language):
    definitions = json.loads((ROOT / "locales" / language / "nodeDefs.json").read_text(encoding="utf-8"))
    assert handed_out[language]["nodeDefs"] == definitions


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_server_hands_out_the_names_of_the_menus(handed_out, language):
    main = json.loads((ROOT / "locales" / language / "main.json").read_text(encoding="utf-8"))
    assert handed_out[language]["nodeCategories"] == main["nodeCategories"]


def test_tooltips_are_those_of_the_running_nodes(handed_out, schemas):
    spoken = handed_out["en"]["nodeDefs"]
    for node, info in schemas.items():
        if node in spoken:
            inputs = {**info["input"].get("required", {}), **info["input"].get("optional", {})}
            told = {name: spec[1]["tooltip"] for name, spec in inputs.items()}
            assert told.items() <= {name: one["tooltip"] for name, one in spoken[node]["inputs"].items()}.items()
