"""The embedded models as commands load them."""

import pytest
import torch
from torch.nn import functional as F

from paintseg.__main__ import main
from paintseg.cli.console import Parser
from paintseg.cli.method import add_half
from paintseg.errors import InputError
from paintseg.models import load_models
from paintseg.ops import precision


def test_half_precision_gives_nearly_the_same_features():
    images = torch.rand(1, 3, 56, 70, generator=torch.Generator().manual_seed(0))
    whole, half = (load_models(half=half).encoder.features(images, tokens=True, keys=True) for half in (False, True))
    assert half.tokens.dtype == half.keys.dtype == torch.float32
    for one, other in ((whole.tokens, half.tokens), (whole.keys, half.keys)):
        # Processors sum bfloat16 in different orders: 0.9995 on one, 0.9989 on another. Numbers off by 2 % give 0.97,
        # a block without its attention 0.7.
        assert F.cosine_similarity(one, other).min() > 0.99 and not torch.equal(one, other)


CPUINFO = "processor\t: 0\nflags\t\t: fpu {}\n\nprocessor\t: 1\nflags\t\t: fpu {}\n"


@pytest.fixture
def processor(tmp_path, monkeypatch):
    """A machine whose Linux tells of a processor; None: that tells nothing."""

    def have(told):
        monkeypatch.setattr(precision, "_CPUINFO", tmp_path / "cpuinfo")
        if told is not None:
            (tmp_path / "cpuinfo").write_text(told, encoding="ascii")
        precision.half_pays.cache_clear()

    yield have
    precision.half_pays.cache_clear()


@pytest.mark.parametrize(
    ("told", "pays"),
    [
        (CPUINFO.format("avx512f avx512_bf16", "avx512f avx512_bf16"), True),
        (CPUINFO.format("amx_tile amx_bf16", "amx_tile amx_bf16"), True),
        (CPUINFO.format("avx2 avx512f", "avx2 avx512f"), False),
        ("CPU implementer\t: 0x41\nFeatures\t: fp asimd bf16\n", True),
        ("CPU implementer\t: 0x41\nFeatures\t: fp asimd\n", False),
    ],
)
def test_auto_is_half_precision_where_the_processor_computes_in_it(processor, told, pays):
    processor(told)
    dtype = load_models(half="auto").encoder.module.cls_token.dtype
    assert dtype == (torch.bfloat16 if pays else torch.float32)


@pytest.mark.parametrize("factor", [0.5, 0.95, 3])
def test_where_nothing_tells_it_is_timed(processor, monkeypatch, factor):
    processor(None)
    now, rates = [0.0], {torch.float32: 1.0, torch.bfloat16: factor}
    product = torch.Tensor.__matmul__

    def timed(one, other):
        now[0] += rates[one.dtype]
        return product(one, other)

    monkeypatch.setattr(torch.Tensor, "__matmul__", timed)
    monkeypatch.setattr(precision.time, "perf_counter", lambda: now[0])
    assert precision.half_pays("cpu") == (factor == 0.5)


def test_on_off_and_other_devices(processor):
    processor(CPUINFO.format("avx512_bf16", "avx512_bf16"))
    assert [precision.takes_half(word, "cpu") for word in ("off", "on", "auto", False, True)] == [False, True, True] + [
        False,
        True,
    ]
    assert not precision.takes_half("auto", "mps")
    with pytest.raises(InputError, match="half must be off, on or auto"):
        precision.takes_half("maybe", "cpu")


def test_half_may_stand_alone_before_a_photo():
    parser = Parser()
    parser.add_argument("photo")
    add_half(parser)
    for words, half in (([], "off"), (["--half"], "on"), (["--half", "auto"], "auto"), (["--half=off"], "off")):
        for argv in ([*words, "photo.jpg"], ["photo.jpg", *words]):
            found = parser.parse_args(argv)
            assert (found.photo, found.half) == ("photo.jpg", half)


def test_commands_take_half_precision(tmp_path, capsys):
    arguments = ["bench", "--size", "64", "--preset", "fast", "--repeat", "1", "--half", "-q", "--set", "size=64"]
    assert main([*arguments, "--set", "encoder_size=112", "--set", "photo_size=112"]) == 0
    assert "encode" in capsys.readouterr().out
