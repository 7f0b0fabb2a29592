"""The table of parameters in docs/parameters.md, made from `Config`."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from paintseg.config import PRESETS, Config, bounds_of

from .paths import ROOT

PAGE = ROOT / "docs" / "parameters.md"
BEGIN = "<!-- parameters: written by scripts/make_help from paintseg/config.py -->"
END = "<!-- end of the parameters -->"
OURS = [name for name in PRESETS if name != "paper"]


def page(text: str) -> str:
    """The page with its table brought up to date. Raises ValueError when the two comments are not there."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{PAGE.name} has no place for the table: {BEGIN} ... {END}")
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


def table() -> str:
    """A line per parameter: what it is, its values, its default and where that is from, what other presets have."""
    kinds = get_type_hints(Config)
    lines = ["| parameter | what | values | `paper` | from | other presets |", "|---|---|---|---|---|---|"]
    for one in fields(Config):
        others = {name: getattr(PRESETS[name], one.name) for name in OURS}
        changed = {name: value for name, value in others.items() if value != one.default}
        same = len(set(map(str, others.values()))) == 1 and changed
        shown = (
            written(next(iter(changed.values())))
            if same
            else ", ".join(f"{name} {written(value)}" for name, value in changed.items())
        )
        cells = (
            f"`{one.name}`",
            one.metadata["says"],
            values_of(kinds[one.name], one.metadata),
            written(one.default),
            one.metadata["source"],
            shown,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def values_of(kind: Any, bounds: Any) -> str:
    """What a parameter may be, in words."""
    if get_origin(kind) is tuple:
        return f"some of {', '.join(get_args(get_args(kind)[0]))}"
    if get_origin(kind) is Literal:
        return f"one of {', '.join(get_args(kind))}"
    return "true or false" if kind is bool else bounds_of(kind, bounds)


def written(value: object) -> str:
    """A value as `--set` takes it."""
    if isinstance(value, tuple):
        return ",".join(value) or "none"
    return value if isinstance(value, str) else json.dumps(value)
