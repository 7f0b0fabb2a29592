"""Parameters of the method given as text, `name=value`, as the commands take them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from ..config import Config
from ..errors import InputError

_SWITCH = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def add_parameters(group: argparse._ActionsContainer, several: bool = False) -> None:
    """Add --preset, of which `several` may be named with commas, and --set."""
    more = "; several with commas" if several else ""
    group.add_argument("--preset", default="balanced", help=f"fast, balanced (default), best or paper{more}")
    group.add_argument(
        "--set",
        action="append",
        default=[],
        dest="options",
        metavar="NAME=VALUE",
        help="change one parameter of the preset (repeat it for more)",
    )


def parse_options(texts: Sequence[str]) -> dict[str, object]:
    """Turn `name=value` into parameters of `Config`; lists are separated by commas.

    Raises InputError for unknown names and for values of another type.
    """
    kinds = get_type_hints(Config)
    names = [field.name for field in fields(Config)]
    parsed: dict[str, object] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        name = name.strip()
        if not separator:
            raise InputError(f"a parameter is set as name=value, not {text!r}")
        if name not in names:
            raise InputError(f"there is no parameter {name!r}; the parameters are {', '.join(sorted(names))}")
        try:
            parsed[name] = _parse(value.strip(), kinds[name])
        except ValueError as error:
            raise InputError(f"{name} must be {_describe(kinds[name])}, not {value.strip()!r}") from error
    return parsed


def split(texts: Sequence[str]) -> tuple[str, ...]:
    """The words between commas, each once."""
    return tuple(dict.fromkeys(part.strip() for text in texts for part in text.split(",") if part.strip()))


def numbers(text: str | None, name: str, kind: type = float) -> list[Any]:
    """The numbers between commas, none of None. Raises InputError."""
    try:
        return [kind(part) for part in split([text or ""])]
    except ValueError as error:
        raise InputError(f"{name} is a {'whole number' if kind is int else 'number'}, not {text!r}") from error


def check_least(options: argparse.Namespace, *names: str) -> None:
    """Raises InputError when one of these options was given and is below 1."""
    for name in names:
        if (value := getattr(options, name)) is not None and value < 1:
            raise InputError(f"--{name} must be at least 1, not {value}")


def _parse(text: str, kind: Any) -> object:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        for choice in inner:
            if text == str(choice):
                return choice
        raise ValueError(text)
    if origin is tuple:
        return tuple(_parse(part.strip(), inner[0]) for part in text.split(",") if part.strip())
    if kind is bool:
        if text.lower() not in _SWITCH:
            raise ValueError(text)
        return _SWITCH[text.lower()]
    return kind(text)


def _describe(kind: Any) -> str:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return "one of " + ", ".join(str(choice) for choice in inner)
    if origin is tuple:
        return f"a list, separated by commas, each {_describe(inner[0])}"
    return {int: "a whole number", float: "a number", bool: "true or false"}[kind]
