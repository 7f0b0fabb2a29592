"""The version, which stands in pyproject.toml and nowhere else.

A custom node pack is a folder with pyproject.toml beside `paintseg`, and no installed package. A package that pip
installed has its metadata, and no pyproject.toml.
"""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

NAME = "paintseg"
UNKNOWN = "unknown"


def version(package: Path | None = None) -> str:
    """The version of the library in the folder `package`, this one if None; "unknown" where nothing states it."""
    text = own_pyproject(package or Path(__file__).resolve().parent)
    if text and (stated := _project(text).get("version")):
        return stated
    try:
        return metadata.version(NAME)
    except metadata.PackageNotFoundError:
        return UNKNOWN


def own_pyproject(package: Path) -> str | None:
    """The text of pyproject.toml beside the folder `package`, where it is this project's own."""
    try:
        text = (package.parent / "pyproject.toml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    return text if _project(text).get("name") == NAME else None


def _project(text: str) -> dict[str, str]:
    """Name and version in a pyproject.toml (read without tomllib, which Python 3.10 has not)."""
    project = re.search(r"^\[project\]$(.*?)(?=^\[|\Z)", text, re.MULTILINE | re.DOTALL)
    return dict(re.findall(r'^(name|version)\s*=\s*"([^"]*)"', project[1], re.MULTILINE)) if project else {}


if __name__ == "__main__":  # for the workflow that publishes: it has Python and no torch
    print(version())
