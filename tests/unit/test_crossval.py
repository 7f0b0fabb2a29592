"""Choosing parameters on all sets but one: by hand, and over the command with what it keeps."""

import json
from pathlib import Path

import pytest

from paintseg.eval.crossval import Figures, as_json, main, tables
from paintseg.eval.run import measure

from .eval_photos import made_up_photos


def figures(**settings):
    """From setting=(box figures of sets a, b and c, loose figures of the same)."""
    by = {}
    for setting, prompts in settings.items():
        for prompt, values in zip(("box", "loose_box"), prompts, strict=True):
            for dataset, value in zip("abc", values, strict=True):
                by[setting, dataset, prompt] = value
    return Figures(by)


def constant(*values):
    return [{f"{dataset}{number}": value for number in (1, 2)} for dataset, value in zip("abc", values, strict=True)]


def test_every_set_gets_the_setting_that_is_best_on_the_others():
    found = figures(
        tuned=(constant(0.9, 0.5, 0.5), constant(0.9, 0.5, 0.5)),
        plain=(constant(0.6, 0.6, 0.6), constant(0.6, 0.6, 0.5)),
    )
    # a alone likes "tuned", and that carries the mean of all: 0.63 to 0.58
    assert found.best(found.sets) == "tuned"
    assert {one: found.chosen_without(one) for one in "abc"} == {"a": "plain", "b": "tuned", "c": "tuned"}
    written = as_json(found)
    assert written["left_out"]["a"] == {"chosen": "plain", "mean": 0.6, "best_here": "tuned", "best_mean": 0.9}
    assert written["left_out"]["c"]["mean"] == 0.5 and written["left_out"]["c"]["best_mean"] == 0.55
    assert written["chosen_on_all"] == "tuned" and written["figures"]["plain"]["c"] == {"box": 0.6, "loose_box": 0.5}
    lines = [line.split() for line in tables(found, {"a": 2, "b": 2, "c": 2}).splitlines()]
    assert ["a", "2", "90.0", "60.0"] in lines and ["mean", "6", "63.3", "58.3"] in lines
    assert ["a", "2", "60.0", "60.0", "60.0", "1:", "90.0"] in lines
    # 0.6, 0.5 and 0.5 with what was chosen elsewhere
    assert lines[-1][-1] == "53.3" and "63.3;" in lines[-1]


def test_of_equal_settings_the_first_is_chosen():
    same = (constant(0.5, 0.5, 0.5), constant(0.5, 0.5, 0.5))
    assert figures(one=same, two=same).chosen_without("a") == "one"


def test_a_photo_in_both_sets_does_not_help_to_choose():
    shared = {"b1": 0.9, "b2": 0.4}
    by = {
        ("x", "a", "box"): {"b1": 0.9, "a1": 0.5},
        ("x", "b", "box"): shared,
        ("y", "a", "box"): {"b1": 0.4, "a1": 0.6},
        ("y", "b", "box"): {"b1": 0.4, "b2": 0.5},
    }
    found = Figures(by)
    assert found.best(["a"]) == found.best(["b"]) == "x"
    assert found.chosen_without("a") == found.chosen_without("b") == "y"
    # frames of one scene are one photo in this
    frames = {
        ("x", "a", "box"): {"s_1": 0.9, "t_1": 0.1},
        ("x", "b", "box"): {"s_2": 0.5},
        ("y", "a", "box"): {"s_1": 0.1, "t_1": 0.2},
        ("y", "b", "box"): {"s_2": 0.4},
    }
    assert Figures(frames).chosen_without("b") == "y"


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return made_up_photos(tmp_path_factory.mktemp("photos"), count=2)


def test_the_command_measures_what_is_missing_and_no_more(photos, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    done = []

    def counted(key, task, instance, device):
        done.append((task.variant, task.prompt, instance.stem))
        return measure(key, task, instance, device)

    monkeypatch.setattr("paintseg.eval.run.measure", counted)
    small = "size=64 encoder_size=56 photo_size=56"
    words = [
        str(photos),
        "--preset",
        "fast",
        "--prompt",
        "box,loose_box",
        "--threads",
        "1",
        "-q",
        "--csv",
        "rows.csv",
        "--json",
        "out.json",
        "--try",
        small,
        "--try",
        f"{small} l_affinity=0.2",
    ]
    assert main(words) == 0
    assert len(done) == len(set(done)) == 2 * 2 * 2
    said = capsys.readouterr().out
    found = json.loads(Path("out.json").read_text())
    assert list(found["figures"]) == [small, f"{small} l_affinity=0.2"]
    assert set(found["left_out"]) == {"round", "oval"}
    for dataset, other in (("round", "oval"), ("oval", "round")):
        # of two sets, the choice without one is the best on the other
        assert found["left_out"][dataset]["chosen"] == found["left_out"][other]["best_here"]
    assert f"1: {small}" in said and "chosen on all sets" in said
    done.clear()
    assert main(words) == 0 and not done
    assert main([*words, "--try", f"{small} paintings=2"]) == 0
    assert {variant for variant, _, _ in done} == {f"{small} paintings=2"} and len(done) == 4


BAD = {
    "one setting": ["--try", "steps=2"],
    "the same twice": ["--try", "steps=2", "--try", " steps=2 "],
    "unknown parameter": ["--try", "stepz=2", "--try", ""],
    "unknown prompt": ["--try", "steps=1", "--try", "", "--prompt", "wish"],
    "no stride": ["--try", "steps=1", "--try", "", "--stride", "0"],
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_one_sentence(photos, name, capsys):
    assert main([str(photos), *BAD[name]]) == 2
    assert capsys.readouterr().err.startswith("paintseg: ")


def test_one_set_cannot_be_left_out(photos, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("paintseg.eval.run.measure", None)  # it is known before anything is measured
    assert main([str(photos), "--only", "round", "-q", "--try", "steps=1", "--try", "steps=2"]) == 2
    assert "at least two sets" in capsys.readouterr().err
