"""The embedded models as commands load them."""

from shutil import which

import pytest
import torch
from torch.nn import functional as F

from paintseg.__main__ import main
from paintseg.models import embedded_models


def test_half_precision_gives_nearly_the_same_features():
    images = torch.rand(1, 3, 56, 70, generator=torch.Generator().manual_seed(0))
    whole, half = (embedded_models(half=half).encoder.features(images, keys=True) for half in (False, True))
    assert half.tokens.dtype == half.keys.dtype == torch.float32
    for one, other in ((whole.tokens, half.tokens), (whole.keys, half.keys)):
        assert 0.999 < F.cosine_similarity(one, other).min() < 1


@pytest.mark.long
@pytest.mark.skipif(not which("c++") and not which("g++"), reason="torch.compile needs a C++ compiler")
def test_a_compiled_encoder_gives_the_same_features():
    images = torch.rand(1, 3, 56, 70, generator=torch.Generator().manual_seed(0))
    plain, compiled = (embedded_models(compiled=one).encoder.features(images, keys=True) for one in (False, True))
    torch.testing.assert_close(compiled.tokens, plain.tokens, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(compiled.keys, plain.keys, atol=1e-3, rtol=1e-3)


def test_commands_take_half_precision(tmp_path, capsys):
    arguments = ["bench", "--size", "64", "--preset", "fast", "--repeat", "1", "--half", "-q", "--set", "size=64"]
    assert main([*arguments, "--set", "encoder_size=112"]) == 0
    assert "encode" in capsys.readouterr().out
