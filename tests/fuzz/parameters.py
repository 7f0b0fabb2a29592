"""Values that every parameter of the method takes, and a few that some of them refuse together."""

from dataclasses import fields
from typing import get_args

from hypothesis import strategies as st

from paintseg import config
from paintseg.config import Config

ALIKE = {
    "steps": st.integers(1, 9),
    "paintings": st.integers(1, 9),
    "kernel": st.integers(1, 40),
    "size": st.integers(64, 2**17),
    "encoder_size": st.integers(32, 2**17),
    "photo_size": st.one_of(st.just(0), st.integers(32, 999)),
    "clusters": st.integers(2, 9),
    "early_clusters": st.integers(2, 9),
    "view_context": st.one_of(st.just(0.0), st.floats(1, 9)),
    "directions": st.sampled_from(get_args(config.Directions)),
    "start": st.sampled_from(get_args(config.Start)),
    "distance": st.sampled_from(get_args(config.Distance)),
    "normalise": st.sampled_from(get_args(config.Scale)),
    "finish": st.sampled_from(get_args(config.Finish)),
    "contexts": st.lists(st.sampled_from(get_args(config.Context)), min_size=1, max_size=3, unique=True).map(tuple),
}


def _values(default):
    """By the default's type: a switch, a count, a weight or a rate."""
    if isinstance(default, bool):
        return st.booleans()
    if isinstance(default, int):
        return st.integers(0, 64)
    return st.floats(1e-6, 64)


PARAMETERS = {
    field.name: ALIKE[field.name] if field.name in ALIKE else _values(field.default) for field in fields(Config)
}


def written(value):
    """A parameter's value as the commands take it."""
    return ",".join(value) if isinstance(value, tuple) else str(value)
