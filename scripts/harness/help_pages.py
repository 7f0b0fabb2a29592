"""Help pages and locales, as far as they follow from the nodes' schemas.

A help page holds the tables of its node's inputs and outputs between two comments. `locales/en` is the schema's own
words; every other language is made from `scripts/words/LANGUAGE.json`, which maps English to it. A word that holds
for one place only has that place as its key (`PaintSeg_CutOut.outputs.0.name`).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from . import parameters
from .inprocess import load_pack
from .paths import ROOT

Info = dict[str, Any]
"""A node as ComfyUI's /object_info describes it."""

PAGES = ROOT / "web" / "docs"
LOCALES = ROOT / "locales"
WORDS = ROOT / "scripts" / "words"
LANGUAGES = ("zh", "ja", "ko", "fr", "de")
BEGIN = "<!-- tables: written by scripts/make_help from the node's schema -->"
END = "<!-- end of the tables -->"
CATEGORIES = ("PaintSeg", "layers", "step by step")
FILE_LISTS = {"model_name"}  # what such an input offers depends on the machine
FEW = 8
SYNTAX = "@{}|%"  # what ComfyUI's browser would read as code in names and descriptions


class Input(NamedTuple):
    """An input of a node: `path` as in the API ("kind.x"), `where` the option that has it."""

    path: str
    where: str
    kind: str
    required: bool
    options: dict[str, Any]


@cache
def schemas() -> dict[str, Info]:
    """All nodes of the pack by id, in the order in which it lists them."""
    extension = asyncio.run(load_pack().comfy_entrypoint())
    nodes = asyncio.run(extension.get_node_list())
    return {node.GET_SCHEMA().node_id: node.GET_NODE_INFO_V1() for node in nodes}


def inputs(schema: Info, prefix: str = "", where: str = "") -> Iterator[Input]:
    """Every input of a node, those of a dynamic choice's options behind it."""
    for section in ("required", "optional"):
        for name, spec in schema.get(section, {}).items():
            options = spec[1] if len(spec) > 1 else {}
            yield Input(prefix + name, where, spec[0], section == "required", options)
            if spec[0] == "COMFY_DYNAMICCOMBO_V3":
                for option in options["options"]:
                    yield from inputs(option["inputs"], f"{prefix}{name}.", f" ({name} *{option['key']}*)")


def outputs(info: Info) -> list[tuple[str, str, str]]:
    """Name, type and tooltip of every output."""
    return list(zip(info["output_name"], info["output"], info["output_tooltips"], strict=True))


def tables(info: Info) -> str:
    """Inputs and outputs of a node as Markdown."""
    lines = [BEGIN]
    if rows := list(inputs(info["input"])):
        lines += ["## Inputs", "", "| input | what it is for, and what it takes |", "|---|---|"]
        lines += [_row(f"**{_short(one.path)}**{one.where}", one.options["tooltip"], takes(one)) for one in rows]
        lines += [""]
    lines += ["## Outputs", "", "| output | what it is |", "|---|---|"]
    lines += [_row(f"**{name}**", tooltip, kind) for name, kind, tooltip in outputs(info)]
    return "\n".join([*lines, END])


def takes(one: Input) -> str:
    """What may be put into an input, in a few words."""
    options = one.options
    default = options.get("default")
    if one.kind in ("COMBO", "COMFY_DYNAMICCOMBO_V3"):
        keys = [option["key"] if isinstance(option, dict) else option for option in options["options"]]
        named = _short(one.path) not in FILE_LISTS and len(keys) <= FEW
        what = ", ".join(f"`{key}`" for key in keys) if named else "a choice"
        words = [what, f"default `{default or keys[0]}`"]
    elif one.kind in ("INT", "FLOAT"):
        wide = options["max"] > 2**32
        words = ["a whole number" if wide else f"{options['min']} to {options['max']}", f"default {default}"]
    elif one.kind == "BOOLEAN":
        words = ["on or off", f"default {'on' if default else 'off'}"]
    elif one.kind == "BOUNDING_BOX" and default:
        words = ["a box", "default {width} x {height} at {x}, {y}".format(**default)]
    elif one.kind == "STRING" and not options.get("forceInput"):
        words = ["text", f"default `{default}`" if default else "default empty"]
    else:
        words = [" or ".join(one.kind.split(",")), *([] if one.required else ["optional"])]
    return "; ".join([*words, *(["advanced"] if options.get("advanced") else [])])


def with_tables(page: str, info: Info) -> str:
    """The page, its tables brought up to date. Raises ValueError when the two comments are not there."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the help page of {info['name']} has no place for tables: {BEGIN} ... {END}")
    return before + tables(info) + after


def english() -> dict[str, Any]:
    """locales/en/nodeDefs.json."""
    return {node: _english(info) for node, info in schemas().items()}


def translated(language: str) -> tuple[dict[str, Any], list[str], list[str]]:
    """locales/LANGUAGE/nodeDefs.json, the English that has no translation, and the translations no one needs."""
    words = json.loads((WORDS / f"{language}.json").read_text(encoding="utf-8"))
    missing, used = [], set(CATEGORIES)

    def said(place: str, text: str) -> str:
        key = place if place in words else text
        used.add(key)
        if key not in words:
            missing.append(text)
        return words.get(key, text)

    def within(branch: Any, place: str) -> Any:
        if isinstance(branch, str):
            return said(place, branch)
        return {key: within(value, f"{place}.{key}" if place else key) for key, value in branch.items()}

    missing += [category for category in CATEGORIES if category not in words]
    return within(english(), ""), list(dict.fromkeys(missing)), [key for key in words if key not in used]


def categories(language: str) -> dict[str, Any]:
    """locales/LANGUAGE/main.json: the names of the menus the nodes are in."""
    words = {} if language == "en" else json.loads((WORDS / f"{language}.json").read_text(encoding="utf-8"))
    return {"nodeCategories": {category: words.get(category, category) for category in CATEGORIES}}


def as_file(content: dict[str, Any]) -> str:
    """JSON as it is committed."""
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def files() -> dict[Path, str]:
    """Everything `scripts/make_help` writes."""
    made = {}
    for node, info in schemas().items():
        page = PAGES / f"{node}.md"
        made[page] = with_tables(page.read_text(encoding="utf-8"), info)
    made[parameters.PAGE] = parameters.page(parameters.PAGE.read_text(encoding="utf-8"))
    for language in ("en", *LANGUAGES):
        definitions = english() if language == "en" else translated(language)[0]
        made[LOCALES / language / "nodeDefs.json"] = as_file(definitions)
        made[LOCALES / language / "main.json"] = as_file(categories(language))
    return made


def _english(info: Info) -> dict[str, Any]:
    return {
        "display_name": info["display_name"],
        "description": info["description"],
        "inputs": {
            one.path.replace(".", "_"): {"name": _short(one.path), "tooltip": one.options["tooltip"]}
            for one in inputs(info["input"])
        },
        "outputs": {
            str(number): {"name": name, "tooltip": tooltip} for number, (name, _, tooltip) in enumerate(outputs(info))
        },
    }


def _short(path: str) -> str:
    return path.rpartition(".")[2]


def _row(name: str, text: str, kind: str) -> str:
    # Two columns: ComfyUI shows the page in a panel of some 270 pixels.
    cells = (cell.replace("|", "\\|") for cell in (name, f"{text}<br>*{kind}*"))
    return f"| {' | '.join(cells)} |"
