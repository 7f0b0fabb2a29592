"""Remarks: what a person should know of a file that is used all the same. Each is said once, on stderr or in a log."""

from __future__ import annotations

import logging
from functools import lru_cache

from ..errors import one_line

_LOG = logging.getLogger("paintseg")


@lru_cache(maxsize=1024)  # a mask that goes with every photo of a folder is read as often, and spoken of once
def remark(sentence: str) -> None:
    """Say a sentence, unless this process has said it before.

    By Python's logging, which prints on stderr where nobody has told it otherwise: ComfyUI has its own log, and a
    worker of a cluster too.
    """
    _LOG.warning("%s", one_line(sentence))
