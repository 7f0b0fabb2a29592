"""Layer files as a painting program opens them: Krita, where it is installed (on Debian krita, and xvfb)."""

import os
import shutil
import subprocess

import numpy as np
import pytest
import torch
from PIL import Image

from paintseg.layers.openraster import save_openraster
from paintseg.layers.psd import save_psd
from paintseg.layers.stack import NamedLayer, flatten

SIZE = (30, 40)
KRITA = shutil.which("krita")
SCREEN = [] if os.environ.get("DISPLAY") else [shutil.which("xvfb-run"), "-a"]

pytestmark = pytest.mark.skipif(not KRITA or not all(SCREEN), reason="needs Krita, and a screen or xvfb-run")


def noise(*shape, seed):
    return torch.randint(1, 256, shape, generator=torch.Generator().manual_seed(seed)) / 255


@pytest.fixture
def given():
    """A cup, a spoon half as opaque in front of it, and a plate."""
    cup, spoon = torch.zeros(4, *SIZE), torch.zeros(4, *SIZE)
    cup[:, 3:25, 5:20], spoon[:, 8:14, 10:39] = noise(4, 22, 15, seed=0), noise(4, 6, 29, seed=1)
    return [NamedLayer("spoon", spoon, 0.5), NamedLayer("cup", cup), NamedLayer("plate", noise(3, *SIZE, seed=2))]


@pytest.mark.parametrize(("suffix", "save"), [(".ora", save_openraster), (".psd", save_psd)])
def test_krita_puts_the_layers_together_as_they_were(given, suffix, save, tmp_path):
    file, picture = tmp_path / f"layers{suffix}", tmp_path / "picture.png"
    save(file, given)
    home = os.environ | {"HOME": str(tmp_path)}  # Krita writes its settings there
    command = [*SCREEN, KRITA, "--export", "--export-filename", str(picture), str(file)]
    subprocess.run(command, env=home, check=True, capture_output=True, timeout=120)
    seen = np.asarray(Image.open(picture).convert("RGB"), dtype=int)
    wanted = (flatten(given)[:3] * 255).round().movedim(0, -1).numpy()
    assert seen.shape == (*SIZE, 3) and np.abs(seen - wanted).max() <= 1
