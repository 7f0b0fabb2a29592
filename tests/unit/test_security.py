"""What the sources may not do: run text as code, unpickle, start programs, reach the network unasked."""

import ast
import zipfile
from pathlib import Path

import pytest
import torch
from harness.inprocess import load_pack
from harness.paths import ROOT

PRODUCT = sorted([ROOT / "__init__.py", *(ROOT / "nodes").glob("*.py"), *(ROOT / "paintseg").rglob("*.py")])
FORBIDDEN_NAMES = {  # by whatever name they are imported
    "eval",
    "exec",
    "compile",
    "__import__",
    "os.system",
    "os.popen",
    "os.fork",
    "os.startfile",
    "pty.spawn",
    "shutil.unpack_archive",
    "yaml.load",
    "marshal.loads",
    "numpy.load",
    "torch.jit.load",  # runs parts of what it loads; paintseg/io/torchscript.py runs nothing
    "torch.jit.freeze",
    "torch.package.PackageImporter",
}
FORBIDDEN_FAMILIES = ("os.exec", "os.spawn", "os.posix_spawn", "torch.hub.", "torch.utils.model_zoo", "runpy.", "code.")
FORBIDDEN_METHODS = (
    "from_pretrained",
    "load_state_dict_from_url",
    "read_pickle",
)  # of anything: they download or unpickle
FORBIDDEN_MODULES = {
    "pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "shelve",
    "marshal",
    "joblib",
    "subprocess",
    "ctypes",
    "socket",
    "requests",
    "httpx",
    "aiohttp",
    "ftplib",
    "telnetlib",
    "smtplib",
    "huggingface_hub",
}
NETWORK = {"urllib", "urllib.error", "urllib.request", "http", "http.client"}
MAY = {  # what is allowed where, and why
    "paintseg/io/download.py": NETWORK,  # what the user switched on
    "nodes/route.py": {"aiohttp"},  # answers to ComfyUI's own server, which speaks it; asks nobody
    "paintseg/eval": {"subprocess"},  # the evaluation's own workers; not reached by a node or a command
}


def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def allowed(path):
    return set().union(*(modules for place, modules in MAY.items() if name_of(path).startswith(place)))


def imports(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""


def names(tree):
    """Every dotted name that a file uses or imports, in full: of `from os import system as run`, run() is os.system."""
    known = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            known |= {one.asname: one.name for one in node.names if one.asname}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found = {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
            known |= found
            yield from found.values()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load):
            first, *rest = ast.unparse(node).split(".")
            yield ".".join([known.get(first, first), *rest])


def is_forbidden(name):
    return (
        name in FORBIDDEN_NAMES or name.startswith(FORBIDDEN_FAMILIES) or name.rsplit(".", 1)[-1] in FORBIDDEN_METHODS
    )


def calls(tree):
    return [(ast.unparse(node.func), node) for node in ast.walk(tree) if isinstance(node, ast.Call)]


def keyword(call, name):
    return next((ast.unparse(one.value) for one in call.keywords if one.arg == name), None)


def test_nothing_runs_text_as_code_or_unpickles_or_starts_a_program():
    found = [(name_of(path), name) for path in PRODUCT for name in names(tree_of(path)) if is_forbidden(name)]
    assert found == []
    imported = [
        (name_of(path), name)
        for path in PRODUCT
        for name in imports(tree_of(path))
        if name.split(".")[0] in FORBIDDEN_MODULES - allowed(path)
    ]
    assert imported == []


@pytest.mark.parametrize(
    "text",
    [
        "eval('1')",
        "run = exec",
        "from os import system",
        "from os import system as run\nrun('ls')",
        "import os as o\no.execvp('ls', ['ls'])",
        "os.spawnlp(0, 'ls')",
        "from os import posix_spawn",
        "import torch\ntorch.hub.load('a', 'b')",
        "from torch import hub\nhub.load('a', 'b')",
        "from torch.hub import load",
        "import torch.jit as j\nj.load('a')",
        "from transformers import AutoModel\nAutoModel.from_pretrained('a')",
        "import numpy as n\nn.load('a')",
    ],
)
def test_a_forbidden_name_is_found_however_it_is_imported(text):
    assert any(is_forbidden(name) for name in names(ast.parse(text)))


def test_a_name_that_only_looks_like_one_is_let_through():
    text = "import re, torch\nre.compile('a')\nmodel.eval()\nos.path.exists('a')\ntorch.load('a', weights_only=True)"
    assert not any(is_forbidden(name) for name in names(ast.parse(text)))


def test_the_network_is_reached_from_one_place():
    found = {name_of(path) for path in PRODUCT for name in imports(tree_of(path)) if name in NETWORK}
    assert found == {"paintseg/io/download.py"}
    users = {
        name_of(path)
        for path in PRODUCT
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").endswith("download")
        and any(alias.name == "download" for alias in node.names)
    }
    assert users == {"nodes/encoders.py"}  # behind the node's switch, which is off


def test_models_are_read_as_tensors_only():
    for path in PRODUCT:
        for name, call in calls(tree_of(path)):
            if name == "torch.load":
                assert keyword(call, "weights_only") == "True", name_of(path)
            if name.endswith("load_torch_file"):
                assert keyword(call, "safe_load") == "True", name_of(path)
            if name.endswith("create_model"):
                assert keyword(call, "pretrained") in (None, "False"), name_of(path)
            assert keyword(call, "shell") is None and keyword(call, "trust_remote_code") is None, name_of(path)


def test_archives_are_never_unpacked_by_their_own_names():
    assert [name_of(path) for path in PRODUCT for name, _ in calls(tree_of(path)) if name.endswith("extractall")] == []


def test_a_pickled_program_in_a_model_s_file_does_not_run(tmp_path):
    marker = tmp_path / "ran"

    class Program:
        def __reduce__(self):
            return Path.touch, (marker,)

    nodes = load_pack().nodes
    for name in ("evil.pt", "evil.ckpt", "evil.bin"):
        torch.save({"state_dict": Program()}, tmp_path / name)
        with pytest.raises(RuntimeError, match="cannot be read"):
            nodes.folders.tensors_of(tmp_path / name)
        with pytest.raises(RuntimeError, match="cannot be read"):
            nodes.inpaint_model.load(tmp_path / name, 0)
    assert not marker.exists()
    with zipfile.ZipFile(tmp_path / "evil.pt") as archive:
        assert archive.namelist()  # it was a real one


@pytest.mark.parametrize("prefix", ["../../evil", "/tmp/evil", "a/../../../evil"])
def test_layers_are_saved_inside_the_output_folder_only(prefix, tmp_path):
    import folder_paths

    nodes = load_pack().nodes
    before = folder_paths.get_output_directory()
    folder_paths.set_output_directory(str(tmp_path / "output"))
    try:
        with pytest.raises(ValueError, match="is no name for files in ComfyUI's output folder"):
            nodes.save_layers.SaveLayers.execute(torch.ones(1, 8, 8, 4), prefix, "OpenRaster")
    finally:
        folder_paths.set_output_directory(before)
    assert not (tmp_path / "evil.ora").exists()


@pytest.mark.parametrize("name", ["../../evil", "..\\evil", "/etc/passwd", "a:b", "\0"])
def test_a_layer_s_name_names_no_other_folder(name, tmp_path):
    nodes = load_pack().nodes
    from paintseg.layers.openraster import save_png_set
    from paintseg.layers.stack import NamedLayer

    (path,) = save_png_set(tmp_path / "set", [NamedLayer(name, torch.ones(4, 8, 8))])
    assert path.parent == tmp_path / "set" and path.is_file()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["set"] and nodes


@pytest.mark.parametrize("row", ["../x,a,a.jpg", "set,../../a,a.jpg", "set,a,/etc/passwd", "set,a,..\\a.jpg"])
def test_a_manifest_names_no_other_folder(row, tmp_path):
    from paintseg.errors import InputError
    from paintseg.eval.datasets import read_manifest

    head = "dataset,stem,image,x0,y0,x1,y1,centroid_x,centroid_y,inner_x,inner_y"
    (tmp_path / "manifest.csv").write_text(f"{head}\n{row},1,2,3,4,5,6,7,8\n")
    with pytest.raises(InputError, match="is no name of a file or a set"):
        read_manifest(tmp_path)


def test_servers_of_the_tests_listen_on_loopback_only():
    from harness import server

    assert server.HOST == "127.0.0.1"
    sources = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "scripts").rglob("*.py")]
    everywhere = "0.0.0" + ".0"
    assert [path for path in sources if everywhere in path.read_text(encoding="utf-8")] == []
