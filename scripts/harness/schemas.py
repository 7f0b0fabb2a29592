"""The nodes' schemas as saved workflows depend on them, and what would break such a workflow.

A workflow file holds node ids, values in the order of the inputs that are widgets, and links by the number of an
output. A workflow in the API's format holds the names of inputs and must give every required one. So a new input is
optional and stands at the end.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .help_pages import FILE_LISTS, Info, inputs, outputs, schemas
from .paths import ROOT

SNAPSHOT = ROOT / "tests" / "unit" / "recorded" / "schemas.json"
Snapshot = dict[str, dict[str, list[dict[str, Any]]]]
"""By node id: `inputs` and `outputs`, each in their order."""


def current() -> Snapshot:
    """The schemas of this checkout."""
    return {node: {"inputs": _inputs(info), "outputs": _outputs(info)} for node, info in schemas().items()}


def recorded(path: Path = SNAPSHOT) -> Snapshot:
    """The snapshot that is committed."""
    return json.loads(path.read_text(encoding="utf-8"))


def as_file(snapshot: Snapshot) -> str:
    """A snapshot as it is committed: a line for each input and output."""
    nodes = []
    for node, parts in snapshot.items():
        lists = [
            f'    "{part}": [\n' + ",\n".join(f"      {json.dumps(one)}" for one in parts[part]) + "\n    ]"
            for part in ("inputs", "outputs")
        ]
        nodes.append(f'  "{node}": {{\n' + ",\n".join(lists) + "\n  }")
    return "{\n" + ",\n".join(nodes) + "\n}\n"


def breaks(old: Snapshot, new: Snapshot) -> list[str]:
    """What a workflow saved with `old` would trip over in `new`, a sentence each."""
    found = []
    for node, parts in old.items():
        if node not in new:
            found.append(f"{node} is gone: ids are for ever")
            continue
        found += [f"{node}: {what}" for what in _input_breaks(parts["inputs"], new[node]["inputs"])]
        found += [f"{node}: {what}" for what in _output_breaks(parts["outputs"], new[node]["outputs"])]
    return found


def _input_breaks(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[str]:
    found = []
    offered = {f"{one['name']} *{choice}*" for one in old for choice in one.get("choices", [])}
    # What only a new choice asks for is in nobody's workflow.
    new = [one for one in new if one.get("option") is None or one["option"] in offered]
    for place, one in enumerate(old):
        now = new[place] if place < len(new) else None
        if now is None or (now["name"], now.get("option")) != (one["name"], one.get("option")):
            instead = f"{now['name']} stands there" if now else "nothing stands there"
            return [*found, f"input {place} was {one['name']}, and now {instead}: names and places are for ever"]
        if set(one["type"].split(",")) - set(now["type"].split(",")):
            found.append(f"input {one['name']} took {one['type']}, and now {now['type']}: it must take what it took")
        if now["required"] and not one["required"]:
            found.append(f"input {one['name']} was optional, and now is required")
        if "choices" in one and now.get("choices", [])[: len(one["choices"])] != one["choices"]:
            found.append(f"input {one['name']} offered {', '.join(one['choices'])}: choices are only added at the end")
    for one in new[len(old) :]:
        if one["required"]:
            found.append(f"the new input {one['name']} is required: saved workflows do not have it")
    return found


def _output_breaks(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[str]:
    types, now = [one["type"] for one in old], [one["type"] for one in new]
    if now[: len(types)] == types:
        return []
    return [f"the outputs were {', '.join(types)}, and now {', '.join(now)}: outputs are only added at the end"]


def _inputs(info: Info) -> list[dict[str, Any]]:
    found = []
    for one in inputs(info["input"]):
        said = {"name": one.path, "type": one.kind, "required": one.required}
        if one.where:
            said["option"] = one.where.strip(" ()")
        options = one.options.get("options")
        if options and one.path.rpartition(".")[2] not in FILE_LISTS:
            said["choices"] = [option["key"] if isinstance(option, dict) else option for option in options]
        found.append(said)
    return found


def _outputs(info: Info) -> list[dict[str, Any]]:
    return [{"name": name, "type": kind} for name, kind, _ in outputs(info)]
