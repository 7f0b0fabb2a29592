"""The embedded models as commands load them."""

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


def test_commands_take_half_precision(tmp_path, capsys):
    arguments = ["bench", "--size", "64", "--preset", "fast", "--repeat", "1", "--half", "-q", "--set", "size=64"]
    assert main([*arguments, "--set", "encoder_size=112"]) == 0
    assert "encode" in capsys.readouterr().out
