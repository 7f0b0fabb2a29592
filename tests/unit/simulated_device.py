"""A GPU that is not there: tensors that are computed on the CPU and say, and insist, that they lie on `cuda:0`.

Under `SimulatedDevice` a tensor is on the device or it is not. Operations that a real GPU refuses, such as adding a
tensor of the CPU to one of the device or taking a device's tensor to NumPy, raise here too; what a real GPU would
have to hand back to the processor is written down, and so is every call for which the processor and a real GPU would
wait for each other. Speed and numerical differences it says nothing about.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_flatten, tree_map

DEVICE = torch.device("cuda", 0)


class OnDevice(Tensor):
    """A tensor that claims to be on the device."""

    __torch_function__ = torch._C._disabled_torch_function_impl  # the mode below sees every call


class Left(NamedTuple):
    """Values handed back to the processor."""

    by: str
    count: int


class WrongDevice(RuntimeError):
    """What a real device would have refused."""


_READS = {  # of the processor, each waiting for the device
    getattr(Tensor, name) for name in ("item", "tolist", "__bool__", "__int__", "__float__", "__index__", "nonzero")
} | {torch.nonzero, torch.equal, torch.allclose}
_FORBIDDEN = {Tensor.numpy, Tensor.__array__}
_MOVES = {
    Tensor.to,
    Tensor.copy_,
    Tensor.__setitem__,
    Tensor.type_as,
    Tensor.new_tensor,
    torch.as_tensor,
    torch.asarray,
}
_TAKES_INDEX = {Tensor.__getitem__, Tensor.__setitem__}
# A result's size depends on the values, or the values are looked at for an error.
_LOOKS = {
    torch.masked_select,
    Tensor.masked_select,
    torch.unique,
    Tensor.unique,
    torch.linalg.cholesky,
    torch.linalg.solve,
    torch.linalg.eigh,
    torch.bincount,
}


@dataclass
class SimulatedDevice(TorchFunctionMode):
    """While entered, `cuda:0` exists.

    Attributes:
        left: what came back from it so far, in order.
        waits: the names of the calls that waited for it so far, in order: what came back, what was brought there
            from the processor's memory, and what had to be counted before torch could go on.
    """

    left: list[Left] = field(default_factory=list)
    waits: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def __enter__(self):
        self._apply, nn.Module._apply = nn.Module._apply, _replace_tensors
        return super().__enter__()

    def __exit__(self, *exception):
        nn.Module._apply = self._apply
        return super().__exit__(*exception)

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func.__name__ in ("__get__", "__set__"):
            return self._attribute(func, args)
        flat = _leaves((args, kwargs))
        tensors = [one for one in flat if isinstance(one, Tensor)]
        near = [one for one in tensors if not isinstance(one, OnDevice)]
        far = len(tensors) - len(near)
        wanted = [torch.device(one) for one in flat if _names_device(one)]
        if func is Tensor.pin_memory and not far:
            return args[0]  # it must really be a CUDA build's; here it is where it was
        if func in (torch.device, torch._C._nn._parse_to) or (not far and not wanted):
            return func(*args, **kwargs)
        if func in _FORBIDDEN and far:
            raise WrongDevice("can't convert cuda:0 device type tensor to numpy")
        source = kwargs.get("generator")
        if source is not None and source.device.type == "cpu" and (wanted[:1] == [DEVICE] or far):
            raise WrongDevice(f"{func.__name__} takes a generator of the CPU for a tensor on the device")
        self._hold_together(func, tensors, near, far)
        if far and kwargs.get("antialias") and _shrinks_too_far(tensors[0], cut := kwargs.get("size") or args[1]):
            raise RuntimeError(f"too much shared memory required to shrink {tuple(tensors[0].shape)} to {cut}")

        bare = _mapped(_bare, (args, kwargs))
        cpu_args, cpu_kwargs = _mapped(lambda one: "cpu" if _names_device(one) else one, bare) if wanted else bare
        result = func(*cpu_args, **cpu_kwargs)
        if func is Tensor.cpu:
            there = False
        elif wanted:
            there = wanted[0].type == "cuda"
        elif func in (Tensor.to, Tensor.type_as) and tensors[1:]:
            there = isinstance(tensors[1], OnDevice)
        elif func in (Tensor.__setitem__, Tensor.copy_):
            there = isinstance(tensors[0], OnDevice)
        else:
            there = bool(far)
        if far and (func in _READS or not there and isinstance(result, Tensor)):
            size = tensors[0] if func is Tensor.tolist else result
            numbers = isinstance(size, Tensor) and not (there and func.__name__ == "nonzero")  # of that how many
            self.left.append(Left(func.__name__, size.numel() if numbers else 1))
            self.waits.append(func.__name__)
        elif _counts(func, args, far) or (there and isinstance(result, Tensor) and _brought(func, args, kwargs, near)):
            self.waits.append(func.__name__)
        if bare[0] and result is bare[0][0] and there == isinstance(args[0], OnDevice):
            return args[0]  # in place, or nothing to do
        return _mapped(_laid_there, result) if there else result

    def _attribute(self, func, args):
        subject = args[0]
        if len(args) == 1 and not isinstance(subject, OnDevice):
            return func(subject)
        owner = func.__self__.__name__
        if isinstance(subject, OnDevice):
            if owner == "device":
                return DEVICE
            if owner in ("is_cuda", "is_cpu"):
                return owner == "is_cuda"
        value = func(*map(_bare, args))
        return value.as_subclass(OnDevice) if isinstance(value, Tensor) and isinstance(subject, OnDevice) else value

    def _hold_together(self, func, tensors, near, far) -> None:
        """What real tensors of two devices would be refused for."""
        if not far or not near or func in _MOVES:
            return
        if func in _TAKES_INDEX and isinstance(tensors[0], OnDevice):
            return  # torch brings an index along
        if any(one.ndim for one in near):
            raise WrongDevice(f"{func.__name__}: expected all tensors to be on the same device")


def _counts(func, args, far: int) -> bool:
    """Whether torch must know values on the device before it can go on."""
    if not far:
        return False
    if func in _LOOKS:
        return True
    if func not in _TAKES_INDEX or not isinstance(args[0], OnDevice):
        return False
    indices = args[1] if isinstance(args[1], tuple) else (args[1],)
    # of a mask the pixels are counted, a single number is read to select by it
    chosen = any(
        isinstance(one, Tensor) and (one.dtype in (torch.bool, torch.uint8) or not one.ndim) for one in indices
    )
    # one number, or a tensor of one, is written where a mask says so without counting
    written = args[2] if func is Tensor.__setitem__ else None
    fills = func is Tensor.__setitem__ and (not isinstance(written, Tensor) or written.ndim == 0)
    return chosen and not fills


def _brought(func, args, kwargs, near: list[Tensor]) -> bool:
    """Whether values came from the processor's memory, a tensor of its or a list, and were waited for."""
    if kwargs.get("non_blocking"):
        return False  # the library pins what it sends so (ops/memory.py)
    if func in (torch.tensor, Tensor.new_tensor):
        return True
    if func in (torch.as_tensor, torch.asarray, Tensor.to):
        return not isinstance(args[0], OnDevice)
    if func is Tensor.copy_:
        return bool(near)
    if func in _TAKES_INDEX:
        indices = args[1] if isinstance(args[1], tuple) else (args[1],)
        return any(isinstance(one, list) or any(one is other and one.ndim for other in near) for one in indices)
    return False


def _replace_tensors(module: nn.Module, function: Callable[[Tensor], Tensor], recurse: bool = True) -> nn.Module:
    """`nn.Module._apply` that puts new tensors in the place of the old, since a Parameter would lose the subclass."""
    for part in module.modules() if recurse else [module]:
        for held in (part._parameters, part._buffers):
            held.update({name: function(value) for name, value in held.items() if value is not None})
    return module


def _shrinks_too_far(values: Tensor, size: tuple[int, int]) -> bool:
    """Whether CUDA's antialiased kernels have no room for the taps: 48 KiB, see UpSampleBilinear2d.cu."""
    rows, columns = (
        1 + 2 * math.ceil(2 * max(1, have / want)) for have, want in zip(values.shape[-2:], size, strict=True)
    )
    return min(rows, columns) * 65 * 4 > 48 * 1024


def _names_device(value: object) -> bool:
    return isinstance(value, torch.device) or (isinstance(value, str) and value.split(":")[0] in ("cuda", "cpu"))


def _bare(value: object) -> object:
    return value.as_subclass(Tensor) if isinstance(value, OnDevice) else value


def _laid_there(value: object) -> object:
    return value.as_subclass(OnDevice) if isinstance(value, Tensor) else value


# torch's own tree functions, which know more than tuples, lists and dictionaries, took a third of a method's time.


def _leaves(value: object) -> list[object]:
    kind = type(value)
    if kind is tuple or kind is list:
        return [leaf for one in value for leaf in _leaves(one)]
    if kind is dict:
        return [leaf for one in value.values() for leaf in _leaves(one)]
    return tree_flatten(value)[0] if isinstance(value, (tuple, list, dict)) else [value]


def _mapped(function: Callable[[object], object], value: object) -> object:
    kind = type(value)
    if kind is tuple or kind is list:
        return kind([_mapped(function, one) for one in value])
    if kind is dict:
        return {name: _mapped(function, one) for name, one in value.items()}
    return tree_map(function, value) if isinstance(value, (tuple, list, dict)) else function(value)
