"""`python -m paintseg segment|remove|layers|bench`; every command has --help."""

from __future__ import annotations

import sys
from importlib import import_module

from .cli.console import Parser, guarded

COMMANDS = {
    "segment": "find the object a box, a point, strokes or a coarse mask point at",
    "remove": "take an object out of a photo",
    "layers": "take a photo apart into objects and what is behind them",
    "bench": "measure seconds per stage and memory",
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns 0 done, 2 refused in one sentence, 130 interrupted."""
    return guarded(lambda: _run(arguments))


def _run(arguments: list[str] | None) -> int | None:
    parser = Parser(prog="python -m paintseg", description="Training-free segmentation by painting.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, summary in COMMANDS.items():
        module = import_module(f".cli.{name}", __package__)
        command = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    options = parser.parse_args(arguments)
    return options.run(options)


if __name__ == "__main__":
    sys.exit(main())
