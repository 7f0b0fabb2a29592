"""A TorchScript archive is read for its tensors and never run; whatever is broken in one is said."""

import warnings
import zipfile

import pytest
import torch
from harness import random_models
from harness.inprocess import load_pack
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paintseg.errors import WeightsError
from paintseg.io.torchscript import is_torchscript, read_torchscript

warnings.filterwarnings("ignore", category=DeprecationWarning, module="torch.jit")


class Inner(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("counts", torch.arange(6).view(2, 3).T.clone())
        self.norm = torch.nn.BatchNorm2d(2)

    def forward(self, image):
        return self.norm(image) * self.counts.sum()


class Outer(torch.nn.Module):
    """Weights of several types, shared and nested, with attributes beside them that are none."""

    def __init__(self):
        super().__init__()
        self.parts = torch.nn.ModuleList([torch.nn.Conv2d(3, 2, 3), Inner()])
        self.narrow = torch.nn.Parameter(torch.rand(3, 2).half().T)
        self.again = self.narrow
        self.nothing = torch.nn.Parameter(torch.empty(0))
        self.sizes, self.name, self.share = [1, 2], "outer", 0.5
        self.register_buffer("flags", torch.tensor([True, False]))

    def forward(self, image):
        for part in self.parts:
            image = part(image)
        return image * self.share


def saved(module, path):
    torch.jit.script(module).save(str(path))
    return path


@pytest.fixture(scope="module")
def outer(tmp_path_factory):
    torch.manual_seed(0)
    return saved(Outer(), tmp_path_factory.mktemp("scripts") / "outer.pt")


def same(found, expected):
    assert list(found) and set(found) == set(expected)
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype and torch.equal(found[name], tensor), name


def test_the_tensors_are_those_that_torch_reads(outer):
    same(read_torchscript(outer), torch.jit.load(str(outer)).state_dict())


def test_lama_is_read_as_torch_reads_it():
    path = random_models.lama_script()
    assert is_torchscript(path)
    same(read_torchscript(path), torch.jit.load(str(path)).state_dict())


def test_other_files_are_not_taken_for_torchscript(tmp_path):
    torch.save({"a": torch.ones(2)}, tmp_path / "a.pt")
    (tmp_path / "b.pt").write_bytes(b"PK\x03\x04 nothing")
    assert not any(is_torchscript(tmp_path / name) for name in ("a.pt", "b.pt", "c.pt"))


class Program(torch.nn.Module):
    """Writes a file when it is loaded."""

    def __init__(self, marker: str):
        super().__init__()
        self.weight, self.marker = torch.nn.Parameter(torch.ones(2)), marker

    def forward(self, image):
        return image * self.weight

    @torch.jit.export
    def __getstate__(self):
        return (self.weight, self.marker, self.training)

    @torch.jit.export
    def __setstate__(self, state: tuple[torch.Tensor, str, bool]):
        self.weight, self.marker, self.training = state[0], state[1], state[2]
        torch.save(torch.ones(1), self.marker)


def test_a_program_in_the_archive_does_not_run(tmp_path):
    marker = tmp_path / "ran"
    path = saved(Program(str(marker)), tmp_path / "evil.pt")
    torch.jit.load(str(path))
    assert marker.exists()  # it is a real one
    marker.unlink()
    assert read_torchscript(path) == {}
    with pytest.raises(ValueError, match="no model that spandrel knows"):
        load_pack().nodes.inpaint_model.load(path, 0)
    assert not marker.exists()


def changed(source, target, entries):
    """A copy of an archive with other contents of some entries."""
    with zipfile.ZipFile(source) as before, zipfile.ZipFile(target, "w") as after:
        for name in before.namelist():
            short = name.partition("/")[2]
            after.writestr(name, entries.get(short, before.read(name)))
    return target


@pytest.mark.parametrize(
    ("entry", "content", "words"),
    [
        ("data/0", b"short", "data/0 is cut off"),
        ("data/0", bytes(10**6), "data/0 is larger than it can be"),
        ("byteorder", b"big", "another byte order"),
        ("data.pkl", b"\x80\x02cos\nsystem\nS'ls'\n\x85R.", "it holds STRING, which no module does"),
        ("data.pkl", b"", "pickle exhausted before seeing STOP"),
    ],
)
def test_what_is_wrong_in_an_archive_is_said(outer, tmp_path, entry, content, words):
    path = changed(outer, tmp_path / "bad.pt", {entry: content})
    with pytest.raises(WeightsError, match=words) as refusal:
        read_torchscript(path)
    assert str(path) in str(refusal.value) and "\n" not in str(refusal.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10**6), value=st.integers(0, 255), cut=st.booleans())
def test_a_broken_table_is_refused_and_nothing_else_happens(outer, tmp_path, place, value, cut):
    with zipfile.ZipFile(outer) as archive:
        table = bytearray(archive.read(next(name for name in archive.namelist() if name.endswith("/data.pkl"))))
    table[place % len(table)] = value
    path = changed(outer, tmp_path / "bad.pt", {"data.pkl": bytes(table[: place % len(table)] if cut else table)})
    try:
        assert all(isinstance(one, torch.Tensor) for one in read_torchscript(path).values())
    except WeightsError as refusal:
        assert "cannot be read as TorchScript" in str(refusal) and "\n" not in str(refusal)
