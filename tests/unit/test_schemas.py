"""Saved workflows go on working: nodes keep ids, inputs keep names, types and places (CONTRIBUTING.md)."""

import copy

import pytest
from harness import schemas

NODE = "PaintSeg_PromptToMask"


@pytest.fixture(scope="module")
def now():
    return schemas.current()


@pytest.fixture
def changed(now):
    """A copy of the schemas to change."""
    return copy.deepcopy(now)


def test_the_nodes_are_as_recorded(now):
    broken = schemas.breaks(schemas.recorded(), now)
    assert not broken, "\n".join(broken)
    assert schemas.recorded() == now, "scripts/make_schemas records what was added"


def test_the_record_is_as_the_script_writes_it():
    assert schemas.as_file(schemas.recorded()) == schemas.SNAPSHOT.read_text(encoding="utf-8")


def test_the_record_holds_every_input_of_dynamic_choices_in_order(now):
    names = [one["name"] for one in now[NODE]["inputs"]]
    assert names[:4] == ["image", "kind", "kind.x", "kind.y"]
    assert now[NODE]["inputs"][1]["choices"] == ["box", "point", "scribble", "mask"]


def test_nothing_changed_breaks_nothing(now):
    assert schemas.breaks(now, now) == []


def test_what_is_added_at_the_end_breaks_nothing(now, changed):
    changed["PaintSeg_New"] = {"inputs": [], "outputs": []}
    changed[NODE]["inputs"].append({"name": "more", "type": "MASK", "required": False})
    changed[NODE]["outputs"].append({"name": "more", "type": "MASK"})
    changed[NODE]["inputs"][1]["choices"].append("word")
    asked = {"name": "kind.word", "type": "STRING", "required": True, "option": "kind *word*"}
    changed[NODE]["inputs"].insert(7, asked)
    assert schemas.breaks(now, changed) == []


def rename(node):
    node["inputs"][0]["name"] = "photo"


def add_to_a_known_choice(node):
    node["inputs"].insert(3, {"name": "kind.z", "type": "INT", "required": False, "option": "kind *point*"})


def swap(node):
    node["inputs"][0], node["inputs"][-1] = node["inputs"][-1], node["inputs"][0]


def drop(node):
    node["inputs"].pop()


def retype(node):
    node["inputs"][0]["type"] = "LATENT"


def require(node):
    node["inputs"][-1]["required"] = True


def add_in_front(node):
    node["inputs"].insert(0, {"name": "more", "type": "MASK", "required": False})


def add_required(node):
    node["inputs"].append({"name": "more", "type": "MASK", "required": True})


def take_a_choice(node):
    node["inputs"][1]["choices"].remove("box")


def move_a_choice(node):
    node["inputs"][1]["choices"].reverse()


def drop_an_output(node):
    node["outputs"].pop()


def swap_outputs(node):
    node["outputs"].reverse()


BREAKS = [rename, swap, drop, retype, require, add_in_front, add_required, add_to_a_known_choice, take_a_choice,
          move_a_choice, drop_an_output, swap_outputs]  # fmt: skip


@pytest.mark.parametrize("change", BREAKS, ids=lambda change: change.__name__)
def test_a_change_that_breaks_saved_workflows_is_found(change, now, changed):
    change(changed[NODE])
    broken = schemas.breaks(now, changed)
    assert len(broken) >= 1
    assert all(what.startswith(f"{NODE}: ") for what in broken)


def test_a_node_that_is_gone_is_found(now, changed):
    del changed[NODE]
    assert schemas.breaks(now, changed) == [f"{NODE} is gone: ids are for ever"]


def test_an_input_that_takes_more_types_than_before_breaks_nothing(now, changed):
    changed[NODE]["inputs"][0]["type"] += ",LATENT"
    assert schemas.breaks(now, changed) == []
