"""The tensors of a TorchScript archive, without loading it as one.

A TorchScript file is a program. `torch.jit.load` runs parts of it before anybody calls it: `__setstate__` of its
classes, with operators that write files. LaMa is given out as such a file only, and all that is needed of it are its
tensors. They lie in the archive as plain bytes; which of them has which name, shape and type stands in its data.pkl, a
pickle. Its opcodes are read here one by one (`pickletools`, which takes them apart and calls nothing) for the few kinds
of values that a module is made of.
"""

from __future__ import annotations

import pickletools
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import WeightsError

_DTYPES = {
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "DoubleStorage": torch.float64,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
_DEEPEST, _MOST = 64, 100_000  # of modules in modules, and of tensors: an archive can refer to itself
_LARGEST_TABLE = 2**26  # bytes of data.pkl
_CONSTANTS = {"NEWTRUE": True, "NEWFALSE": False, "NONE": None}
_VALUES = {"BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE"}
_TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_MARK = object()


class _Object:
    """An instance of whatever class, with its state."""

    state: Any = None


@dataclass(frozen=True)
class _Name:
    """A class or function that the pickle names; never looked up."""

    text: str


@dataclass(frozen=True)
class _View:
    """Where a tensor lies: arguments of torch._utils._rebuild_tensor_v2."""

    storage: Any
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


def is_torchscript(path: Path) -> bool:
    """Whether a file is a TorchScript archive, by the mark that torch itself goes by."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.count("/") == 1 and name.endswith("/constants.pkl") for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False


def read_torchscript(path: Path) -> dict[str, Tensor]:
    """The parameters and buffers of a module saved as TorchScript, by their names, on the CPU.

    Raises WeightsError for a file that is none or is broken. Nothing in the file is executed.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _Archive(archive).tensors()
    except MemoryError:
        raise
    except Exception as problem:  # a broken file fails wherever it is broken
        raise WeightsError(
            f"the model file {path} cannot be read as TorchScript "
            f"({type(problem).__name__}: {str(problem)[:120]}); get it anew"
        ) from problem


class _Archive:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        table = next(name for name in archive.namelist() if name.count("/") == 1 and name.endswith("/data.pkl"))
        self._root = table.removesuffix("data.pkl")
        self._storages: dict[str, Tensor] = {}

    def tensors(self) -> dict[str, Tensor]:
        names = self._archive.namelist()
        if f"{self._root}byteorder" in names and self._bytes("byteorder", 16) != b"little":
            raise ValueError("its numbers are of another byte order")
        found: dict[str, Tensor] = {}
        for name, view in _views(_unpickled(self._bytes("data.pkl", _LARGEST_TABLE)), "", 0):
            found[name] = self._tensor(view)
            if len(found) > _MOST:
                raise ValueError("it has too many tensors")
        return found

    def _bytes(self, name: str, most: int) -> bytes:
        entry = self._archive.getinfo(self._root + name)
        if entry.file_size > most:
            raise ValueError(f"{name} is larger than it can be")
        return self._archive.read(entry)

    def _tensor(self, view: _View) -> Tensor:
        kind, storage, key, _device, count = view.storage
        dtype = _DTYPES[storage.text.split(" ")[-1]]
        if kind != "storage" or min((0, view.offset, *view.size, *view.stride)) < 0:
            raise ValueError("a tensor lies nowhere")
        if key not in self._storages:
            content = self._bytes(f"data/{key}", count * dtype.itemsize)
            if len(content) != count * dtype.itemsize:
                raise ValueError(f"data/{key} is cut off")
            flat = torch.frombuffer(bytearray(content), dtype=dtype) if count else torch.empty(0, dtype=dtype)
            self._storages[key] = flat
        flat = self._storages[key]
        last = view.offset + sum((side - 1) * step for side, step in zip(view.size, view.stride, strict=True))
        if prod(view.size) and last >= len(flat):
            raise ValueError("a tensor reaches beyond its data")
        if prod(view.size) > len(flat):  # a stride of 0 makes any number of pixels of one
            raise ValueError("a tensor is larger than its data")
        return flat.as_strided(view.size, view.stride, view.offset).contiguous()


def _views(value: Any, prefix: str, depth: int) -> Iterator[tuple[str, _View]]:
    if depth > _DEEPEST:
        raise ValueError("its modules are nested too deeply")
    if isinstance(value, _Object) and isinstance(value.state, dict):
        for name, one in value.state.items():
            if isinstance(one, _View):
                yield f"{prefix}{name}", one
            else:
                yield from _views(one, f"{prefix}{name}.", depth + 1)


def _unpickled(table: bytes) -> Any:
    """The value of a pickle; of classes and functions only the tensors' own means anything."""
    stack: list[Any] = []
    memory: dict[int, Any] = {}
    for opcode, argument, _ in pickletools.genops(table):
        name = opcode.name
        if name in _VALUES:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _TUPLES:
            stack.append(_last(stack, _TUPLES[name]))
        elif name == "MARK":
            stack.append(_MARK)
        elif name == "TUPLE":
            stack.append(tuple(_since_mark(stack)))
        elif name == "EMPTY_DICT":
            stack.append({})
        elif name == "EMPTY_LIST":
            stack.append([])
        elif name in ("SETITEMS", "SETITEM"):
            pairs = _since_mark(stack) if name == "SETITEMS" else _last(stack, 2)
            stack[-1].update(zip(pairs[::2], pairs[1::2], strict=True))
        elif name in ("APPENDS", "APPEND"):
            values = _since_mark(stack) if name == "APPENDS" else _last(stack, 1)
            stack[-1].extend(values)
        elif name == "GLOBAL" and isinstance(argument, str):
            stack.append(_Name(argument))
        elif name == "NEWOBJ":
            _last(stack, 2)
            stack.append(_Object())
        elif name == "REDUCE":
            stack.append(_rebuilt(*_last(stack, 2)))
        elif name == "BUILD":
            (state,) = _last(stack, 1)
            stack[-1].state = state
        elif name in ("BINPUT", "LONG_BINPUT") and isinstance(argument, int):
            memory[argument] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET") and isinstance(argument, int):
            stack.append(memory[argument])
        elif name not in ("PROTO", "BINPERSID", "STOP"):  # a storage stays the tuple that names it
            raise ValueError(f"it holds {name}, which no module does")
    (value,) = stack
    return value


def _rebuilt(function: Any, arguments: tuple[Any, ...]) -> Any:
    if function == _Name("torch._utils _rebuild_tensor_v2"):
        storage, offset, size, stride, *_ = arguments
        return _View(storage, offset, tuple(size), tuple(stride))
    return _Object()


def _last(stack: list[Any], count: int) -> tuple[Any, ...]:
    if len(stack) < count:
        raise ValueError("it is cut off")
    return tuple(stack.pop() for _ in range(count))[::-1]


def _since_mark(stack: list[Any]) -> list[Any]:
    values: list[Any] = []
    while (value := stack.pop()) is not _MARK:
        values.append(value)
    return values[::-1]
