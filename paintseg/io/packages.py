"""Packages that are older than the ones this library was written for, and the command that mends it.

Other node packs pin old ones, and what then fails says nothing of versions. The lowest versions stand in
pyproject.toml, or in the installed package's metadata, and nowhere else.
"""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from ..errors import InputError
from ..version import NAME, own_pyproject

_BOUND = re.compile(r"^([A-Za-z][\w.-]*)(?:\[[\w,]*\])?\s*\(?>=\s*([\d.]+)")


@lru_cache(maxsize=1)
def bounds() -> dict[str, str]:
    """The lowest version of every package that has one, by the package's name in lower case."""
    found = (_BOUND.match(requirement) for requirement in _requirements())
    return {match[1].lower(): match[2] for match in found if match}


def need(name: str) -> None:
    """Raise InputError when a package is not installed, or is older than its bound.

    The sentence says which version is there, which is needed, and the command that brings it.
    """
    there = installed(name)
    if there is None:
        raise InputError(f"{name} is not installed; install it with: {_command(name)}")
    if _is_older(there, bounds().get(name.lower(), "0")):
        raise InputError(_sentence(name, there))


def too_old() -> list[str]:
    """A sentence for every installed package that is older than its bound."""
    found = {name: installed(name) for name in bounds()}
    return [
        _sentence(name, there)
        for name, there in found.items()
        if there is not None and _is_older(there, bounds()[name])
    ]


def installed(name: str) -> str | None:
    """The version of an installed package; None where there is none."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _requirements() -> list[str]:
    """Those of the checkout this file lies in, else of the installed package, without what only tests need."""
    text = own_pyproject(Path(__file__).resolve().parents[1])
    if text is not None:
        lines = [line for line in text.splitlines() if not line.startswith("test = ")]
        return re.findall(r'"([^"]+)"', "\n".join(lines))
    try:
        return [one for one in metadata.requires(NAME) or [] if 'extra == "test"' not in one]
    except metadata.PackageNotFoundError:
        return []


def _is_older(version: str, bound: str) -> bool:
    one, other = (
        tuple(map(int, re.findall(r"\d+", re.split(r"[^\d.]", text, maxsplit=1)[0]))) for text in (version, bound)
    )
    length = max(len(one), len(other))
    padded, wanted = (numbers + (0,) * (length - len(numbers)) for numbers in (one, other))
    return bool(one) and padded < wanted


def _sentence(name: str, there: str) -> str:
    return (
        f"{name} {there} is installed and {bounds()[name.lower()]} or newer is needed; another node pack may have "
        f"put it there. Update it with: {_command(name)}"
    )


def _command(name: str) -> str:
    python = f'"{sys.executable}"' if " " in sys.executable else sys.executable
    bound = bounds().get(name.lower())
    return f"{python} -m pip install --upgrade " + (f'"{name}>={bound}"' if bound else name)
