"""Models in ComfyUI's hands: what it is told of the memory they need, and where and how it keeps pictures."""

import weakref
from dataclasses import replace
from functools import partial

import pytest
import torch
from harness.inprocess import load_pack
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

from .simulated_device import DEVICE, SimulatedDevice
from .small_models import disc_photo

PHOTO, DISC = disc_photo((96, 128), (64, 48), 24)
LARGE = partial(pytest.param, marks=pytest.mark.long)


class LiveBytes(TorchDispatchMode):
    """The most bytes that tensors took at once which were made while it is entered."""

    def __init__(self, module):
        super().__init__()
        self._weights = {one.untyped_storage()._cdata for one in module.state_dict().values()}
        self._live, self._now, self.most = {}, 0, 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for one in tree_flatten(result)[0]:
            if isinstance(one, torch.Tensor):
                storage = one.untyped_storage()
                if storage._cdata not in {*self._live, *self._weights}:
                    self._live[storage._cdata] = storage.nbytes()
                    self._now += storage.nbytes()
                    self.most = max(self.most, self._now)
                    weakref.finalize(storage, self._gone, storage._cdata)
        return result

    def _gone(self, storage):
        self._now -= self._live.pop(storage, 0)


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    pack = load_pack()
    import folder_paths

    folder_paths.set_temp_directory(str(tmp_path_factory.mktemp("temp")))
    return pack.nodes


@pytest.fixture
def asked(nodes, monkeypatch):
    """What ComfyUI was asked to make room for, in bytes."""
    import comfy.model_management

    rooms, load = [], comfy.model_management.load_models_gpu

    def watched(models, memory_required=0, **options):
        rooms.append(memory_required)
        return load(models, memory_required=memory_required, **options)

    monkeypatch.setattr(comfy.model_management, "load_models_gpu", watched)
    return rooms


@pytest.mark.parametrize(("side", "count"), [(256, 3), (512, 1), LARGE(512, 3), LARGE(256, 1)])
def test_a_painter_asks_for_what_it_takes(nodes, asked, side, count):
    painter = nodes.managed.embedded_painter()
    image, hole = torch.rand(3, side, side), torch.zeros(1, side, side)
    hole[:, 40:120, 40:120] = 1
    with LiveBytes(painter.inner.module) as live:
        painter.paint(image, hole, 1, torch.Generator().manual_seed(0))
    painter.paint(image, hole, count, torch.Generator().manual_seed(0))
    # on a GPU all paintings go at once, on the CPU one by one
    assert live.most * count < asked[-1] < 4 * live.most * count


@pytest.mark.parametrize("size", [(280, 280), (420, 280), LARGE((560, 420)), LARGE((700, 700))])
def test_an_encoder_asks_for_what_it_takes(nodes, asked, size):
    encoder = nodes.managed.embedded_encoder()
    with LiveBytes(encoder.inner.module) as live:
        encoder.encode(torch.rand(1, 3, *size))
    assert live.most < asked[-1] < 5 * live.most
    encoder.encode(torch.rand(2, 3, *size))
    assert asked[-1] == 2 * asked[-2]
    patches = size[0] * size[1] // 14**2
    encoder.features(torch.rand(1, 3, *size), tokens=True, keys=True)
    assert asked[-1] - asked[0] == nodes.managed.WALKS * 4 * patches**2


def test_walks_ask_for_no_more_than_they_may_take(nodes):
    large = torch.empty(1, 3, 700, 700, device="meta")
    whole, apart = (nodes.managed.encoding_bytes(large, 8, 384, walked) for walked in (True, False))
    assert whole - apart == nodes.managed.WALKS * 4 * 4096**2


# Where ComfyUI keeps pictures (--gpu-only) and in what precision (--fp16-intermediates)


@pytest.fixture(params=["cpu", "cuda"])
def kept(request, nodes, monkeypatch):
    """Pictures kept in half precision on a device."""
    import comfy.model_management

    monkeypatch.setattr(comfy.model_management, "intermediate_device", lambda: torch.device(request.param))
    monkeypatch.setattr(comfy.model_management, "intermediate_dtype", lambda: torch.float16)
    with SimulatedDevice():
        yield lambda values: values.half().to(request.param)


def is_kept(values, device):
    return values.dtype == torch.float16 and values.device.type == torch.device(device).type


@pytest.fixture
def small_views(monkeypatch):
    presets = load_pack().paintseg.config.PRESETS
    monkeypatch.setitem(presets, "fast", replace(presets["fast"], size=128, encoder_size=168, photo_size=168))


def test_nodes_take_and_give_pictures_where_and_as_comfyui_keeps_them(nodes, kept, small_views):
    image, mask = kept(PHOTO.movedim(0, -1)[None]), kept(DISC.float()[None])
    home = image.device
    assert home in (torch.device("cpu"), DEVICE)
    prompt = nodes.prompt.PromptToMask.execute(image, {"kind": "mask", "mask": mask})
    found = nodes.loop.AMCPLoop.execute(image, prompt[0], preset="fast", seed=0)
    plate = nodes.remove.RemoveObject.execute(image, found[0], seed=0, candidates=1, shadow=False)
    cut = nodes.cut_out.CutOut.execute(image, found[1], soften=1.0)
    for values in (prompt[1], found[0], found[1], found[2], found[3], found[4], plate[0], cut[0]):
        assert is_kept(values, home)
    overlap = (found[0].cpu()[0] > 0.5) & DISC
    assert overlap.sum() > 0.9 * DISC.sum()


# The editor's own copy


@pytest.mark.parametrize("fast", [True, False])
def test_the_editors_own_encoder_is_in_half_precision_where_that_is_faster(nodes, monkeypatch, fast):
    from importlib import import_module

    route = import_module(f"{nodes.__name__}.route")
    monkeypatch.setattr(route, "takes_half", lambda word, device: fast and (word, device) == ("auto", "cpu"))
    managed = nodes.managed.embedded_encoder()
    monkeypatch.setattr(route, "embedded_encoder", lambda: managed)
    assert route._encoder.__wrapped__() is managed.inner  # on a machine without a GPU it is the nodes' own

    class Elsewhere:
        device = DEVICE

    monkeypatch.setattr(route, "embedded_encoder", Elsewhere)
    own = route._encoder.__wrapped__()
    assert own.module.cls_token.dtype == (torch.bfloat16 if fast else torch.float32)
    assert managed.inner.module.cls_token.dtype == torch.float32
