"""Whether a ComfyUI has every symbol that the nodes use: `python scripts/harness/symbols.py FOLDER`.

Reads the nodes' sources: what they import from ComfyUI's modules, and the attributes they take from modules. Ends with
0, or with 1 and a line per symbol that is not there.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

NODES = Path(__file__).resolve().parents[2] / "nodes"
OWN = ("comfy", "comfy_api", "comfy_execution", "comfy_extras", "folder_paths", "latent_preview", "node_helpers")


def used(sources: Path = NODES) -> dict[str, list[str]]:
    """Dotted names of ComfyUI that the nodes use, and the files that use them."""
    found: dict[str, list[str]] = {}
    for path in sorted(sources.glob("*.py")):
        for name in sorted(set(_names(ast.parse(path.read_text(encoding="utf-8"))))):
            found.setdefault(name, []).append(path.name)
    return found


def missing(names: dict[str, list[str]]) -> list[str]:
    """Those that this Python lacks, each with the files that use it."""
    return [f"{name} ({', '.join(files)})" for name, files in names.items() if not _is_there(name)]


def _names(tree: ast.AST) -> Iterator[str]:
    modules: dict[str, str] = {}  # what a name in the file stands for
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] in OWN:
                    head = alias.name.split(".")[0]
                    modules[alias.asname or head] = alias.name if alias.asname else head
                    yield alias.name
        elif isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] in OWN:
            for alias in node.names:
                modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                yield f"{node.module}.{alias.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (dotted := _dotted(node)):
            head, _, rest = dotted.partition(".")
            if head in modules:
                yield f"{modules[head]}.{rest}"


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (head := _dotted(node.value)):
        return f"{head}.{node.attr}"
    return ""


def _is_there(name: str) -> bool:
    """Import the longest part that is a module and take the rest as attributes."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            value = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            if not hasattr(value, part):
                return False
            value = getattr(value, part)
        return True
    return False


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    del sys.argv[1:]
    from comfy.cli_args import args

    args.cpu = True
    names = used()
    lacking = missing(names)
    print("\n".join(lacking) or f"all {len(names)} symbols are there")
    sys.exit(bool(lacking))
