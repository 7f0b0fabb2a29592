"""The parameters: the paper's own values, what depends on the step, and what is refused."""

import math
from dataclasses import fields

import pytest
from harness import parameters

from paintseg.config import PRESETS, Config, preset
from paintseg.errors import InputError

PUBLISHED = {  # Li et al. 2023, section 5.2 and Table 6
    "steps": 5,
    "paintings": 5,
    "directions": "IO",
    "adversarial": True,
    "size": 512,
    "view_context": 0,
    "start": "whole",
    "l_paint": 0.8,
    "l_color": 0.2,
    "l_prompt": 0.2,
    "box_centre": True,
    "l_affinity": 0,
    "contexts": ("box",),
    "distance": "squared",
    "box_rate": 1.1,
    "clusters": 2,
    "early_clusters": 3,
    "early_steps": 3,
    "inner_ring": 32,
    "outer_ring": 32,
    "kernel": 5,
    "hole_grow": 0,
    "settle_reach": 0.0,
    "finish": "none",
    "pieces": "all",
}
REFERENCE_CODE = {  # where the paper says nothing
    "valid_rate": 1.25,
    "normalise": "range",
    "encoder_size": 480,
}


@pytest.mark.parametrize(("name", "value"), [*PUBLISHED.items(), *REFERENCE_CODE.items()])
def test_the_preset_paper_holds_the_published_value(name, value):
    assert getattr(preset("paper"), name) == value


def test_defaults_are_the_preset_paper():
    assert Config() == preset("paper")


@pytest.mark.parametrize("kind", ["point", "scribble", "box"])
def test_the_first_three_steps_of_points_strokes_and_boxes_have_three_clusters(kind):
    assert [preset("paper").clusters_at(step, kind) for step in range(5)] == [3, 3, 3, 2, 2]


def test_coarse_masks_always_have_two_clusters():
    assert [preset("paper").clusters_at(step, "mask") for step in range(5)] == [2] * 5


@pytest.mark.parametrize(("directions", "order"), [("IO", "IOIOI"), ("I", "IIIII"), ("O", "OOOOO")])
def test_steps_alternate_and_begin_with_I(directions, order):
    config = Config(directions=directions)
    assert "".join(config.direction(step) for step in range(5)) == order


@pytest.mark.parametrize(
    ("size", "length", "pixels"), [(512, 32, 32), (256, 32, 16), (384, 5, 4), (64, 1, 1), (256, 0, 0)]
)
def test_widths_are_for_a_view_of_512_px_and_never_vanish(size, length, pixels):
    assert Config(size=size).pixels(length) == pixels


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_can_be_changed_by_name(name):
    assert preset(name, steps=7).steps == 7
    assert preset(name) == PRESETS[name]


def test_keys_are_asked_for_only_where_affinities_are_measured():
    assert not preset("paper").uses_keys
    assert preset("paper", start="affinity").uses_keys
    assert preset("paper", l_affinity=0.1).uses_keys
    assert preset("paper", settle_reach=0.1).uses_keys


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"steps": 0}, "steps must be a whole number of at least 1, not 0"),
        ({"paintings": 2.5}, "paintings must be a whole number of at least 1, not 2.5"),
        ({"paintings": True}, "paintings must be a whole number of at least 1, not True"),
        ({"clusters": 1}, "clusters must be a whole number of at least 2, not 1"),
        ({"inner_ring": -1}, "inner_ring must be a whole number of at least 0, not -1"),
        ({"size": 32}, "size must be a whole number of at least 64, not 32"),
        ({"encoder_size": 8}, "encoder_size must be a whole number of at least 32, not 8"),
        ({"box_rate": 0}, "box_rate must be above 0, not 0"),
        ({"valid_rate": math.nan}, "valid_rate must be above 0, not nan"),
        ({"box_rate": "wide"}, "box_rate must be above 0, not 'wide'"),
        ({"box_rate": math.inf}, "box_rate must be above 0, not inf"),
        ({"l_color": -0.2}, "l_color must be 0 or more, not -0.2"),
        ({"view_context": 0.5}, "view_context must be 0 or at least 1, not 0.5"),
        ({"directions": "OI"}, "directions must be one of IO, I, O, not 'OI'"),
        ({"start": "centre"}, "start must be one of whole, affinity, not 'centre'"),
        ({"distance": "manhattan"}, "distance must be one of squared, cosine, not 'manhattan'"),
        ({"normalise": "none"}, "normalise must be one of range, deviation, not 'none'"),
        ({"finish": "matte"}, "finish must be one of none, appearance, not 'matte'"),
        ({"pieces": "two"}, "pieces must be one of all, supported, largest, not 'two'"),
        ({"adversarial": 1}, "adversarial must be True or False, not 1"),
        ({"contexts": ()}, "contexts must name at least one of box, view, closer, photo, not none"),
        ({"contexts": ("box", "room")}, "contexts must name at least one of box, view, closer, photo, not box, room"),
    ],
)
def test_what_means_nothing_is_refused(changes, sentence):
    with pytest.raises(InputError) as refused:
        Config(**changes)
    assert str(refused.value) == sentence


def test_unknown_presets_and_parameters_are_named():
    with pytest.raises(InputError, match="preset must be one of paper, .*, not 'papers'"):
        preset("papers")
    with pytest.raises(InputError, match="there is no parameter 'stepps'; the parameters are adversarial, .*steps"):
        preset("paper", stepps=3)


def test_every_parameter_says_what_it_is_and_where_its_default_comes_from():
    for one in fields(Config):
        says, source = one.metadata["says"], one.metadata["source"]
        assert says and not says.endswith(".") and source
        matters = one.name not in ("locate_rounds", "finish_colour")  # of a start and a finish that are off themselves
        if source == "ours" and isinstance(one.default, (int, float)) and matters:
            assert one.default in (0, 1, False), f"{one.name} is ours, so the preset paper must leave it out"
    assert len(fields(Config)) <= 35


def test_the_documents_table_is_made_from_the_parameters():
    text = parameters.PAGE.read_text(encoding="utf-8")
    assert parameters.page(text) == text, "run scripts/make_help"
    assert all(f"| `{one.name}` |" in text for one in fields(Config))


def test_what_a_preset_never_changes_and_no_table_varies_is_no_parameter():
    from paintseg.eval.ablations import TABLES

    varied = {name for table in TABLES.values() for changes in table.values() for name in changes}
    changed = {one.name for one in fields(Config) if len({getattr(each, one.name) for each in PRESETS.values()}) > 1}
    papers = {one.name for one in fields(Config) if one.metadata["source"] not in ("ours", "demo")}
    assert {one.name for one in fields(Config)} - varied - changed - papers == {"locate_rounds"}  # candidates sets it
