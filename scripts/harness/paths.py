"""Where things lie. All that the commands make is under `.venv`, `.cache` and `output` of the checkout."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
VENV = ROOT / ".venv"
OUTPUT = ROOT / "output"
SETUP_LOG = CACHE / "logs" / "setup.log"
VENV_PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
PACK_NAME = "ComfyUI-PaintSeg"
PHOTO = ROOT / "workflows" / "assets" / "paintseg_astronaut.png"
HUMAN_MASK = ROOT / "workflows" / "assets" / "paintseg_astronaut_mask.png"
