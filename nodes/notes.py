"""What a node has to say of a run that went well: in ComfyUI's log, in the history, and on the node."""

from __future__ import annotations

from collections.abc import Iterable

from ..paintseg.ops.coordinates import Box
from ..paintseg.prompts import Prompt
from .method import warn

_HAIR = 1.0  # pixels that a box may reach beyond the image without a word: detectors round so


def said(notes: Iterable[str]) -> dict[str, object]:
    """Notes, a sentence each, as what a node shows under its picture (web/js/said.js), and in the log."""
    sentences = list(notes)
    warn("\n".join(sentences))
    return {"text": sentences} if sentences else {}


def reaches_beyond(box: Box | None, prompt: Prompt) -> list[str]:
    """A note when more than a hair of a prompt's box, as it was given, lies outside the image and was cut off."""
    if box is None or prompt.box is None:
        return []
    if max(abs(given - kept) for given, kept in zip(box, prompt.box, strict=True)) <= _HAIR:
        return []
    height, width = prompt.size
    corners = ", ".join(f"{value:g}" for value in box)
    share = _area(prompt.box) / _area(box)
    inside = f"{share:.0%}" if share >= 0.01 else "less than 1%"
    return [f"the box ({corners}) reaches beyond the image of {width} x {height}: only the {inside} inside counts"]


def _area(box: Box) -> float:
    x0, y0, x1, y1 = box
    return (x1 - x0) * (y1 - y0)
