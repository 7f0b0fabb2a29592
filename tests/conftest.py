"""Make `paintseg` importable without letting this checkout's `nodes/` shadow ComfyUI's `nodes.py`."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))  # at the end: ComfyUI's own modules must win
