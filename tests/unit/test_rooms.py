"""The library's rooms: what stands where, and who may look into which."""

import ast
import subprocess
import sys

import pytest
from harness.paths import ROOT

import paintseg

PACKAGE = ROOT / "paintseg"
# From the ground up. A room may use the rooms before it, never those behind it.
FLOORS = (
    "version",
    "errors",
    "ops",
    "prompts",
    "config",
    "weights",
    "io",
    "encoders",
    "painters",
    "models",
    "finish",
    "views",
    "locate",
    "amcp",
    "answers",
    "segmentation",
    "visualize",
    "layers",
    "tasks",
    "cli",
    "eval",
    "__main__",
)
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def dotted(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def imported(path):
    """The modules of this package that a module imports, wherever in its text."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = (*package[: len(package) - node.level + 1], *(node.module.split(".") if node.module else ()))
            for name in node.names:
                inner = (*base, name.name)
                there = ROOT.joinpath(*inner)
                yield inner if there.is_dir() or there.with_suffix(".py").is_file() else base


@pytest.mark.parametrize("path", MODULES, ids=lambda path: ".".join(dotted(path)))
def test_no_module_imports_from_a_room_above_its_own(path):
    own = FLOORS.index(dotted(path)[1])
    rooms = {module[1] for module in imported(path) if len(module) > 1}
    assert [room for room in rooms if FLOORS.index(room) > own] == []


def test_no_two_modules_import_each_other():
    arrows = {dotted(path): set(imported(path)) - {dotted(path)} for path in MODULES}
    done, under_way = set(), []

    def visit(module):
        if module in under_way:
            pytest.fail(" -> ".join(".".join(one) for one in [*under_way[under_way.index(module) :], module]))
        if module not in done:
            under_way.append(module)
            for other in arrows.get(module, ()):
                visit(other)
            done.add(under_way.pop())

    for module in arrows:
        visit(module)


def test_few_modules_stand_outside_the_rooms():
    assert len(list(PACKAGE.glob("*.py"))) <= 9


@pytest.mark.parametrize("name", paintseg.__all__)
def test_every_name_of_the_public_face_is_there(name):
    assert getattr(paintseg, name) is not None
    assert name in dir(paintseg)


def test_the_face_waits_for_pytorch_until_it_is_needed():
    said = "import sys, paintseg; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", said], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_an_unknown_name_is_no_part_of_the_face():
    with pytest.raises(AttributeError, match="has no attribute 'sam'"):
        _ = paintseg.sam
