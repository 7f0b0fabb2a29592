"""A progress bar with a picture of every step, and of paintings as they come about."""

from __future__ import annotations

from collections.abc import Callable

import comfy.utils
from PIL import Image

from ..paintseg.amcp import State
from ..paintseg.painters import Painter
from ..paintseg.visualize import step_frame, to_picture

PREVIEW_SIDE = 512

Preview = tuple[str, Image.Image, int]
"""What ComfyUI shows on a node: the format it is sent in, the picture, its longest side in pixels."""

Report = Callable[[float, Preview | None], None]
"""Told the share of the paintings of a step that is done, 0 to 1, and how they look so far."""


class StepProgress:
    """One bar over all steps of all images of a node."""

    def __init__(self, images: int, steps: int) -> None:
        self._bar = comfy.utils.ProgressBar(images * steps)
        self._done = 0

    def __call__(self, state: State) -> None:
        """Count a step and show it. Raises ComfyUI's exception when the user cancelled."""
        self._done += 1
        picture = to_picture(step_frame(state))
        self._bar.update_absolute(self._done, preview=("JPEG", picture, 2 * PREVIEW_SIDE))

    def within(self, share: float, preview: Preview | None = None) -> None:
        """Show how far the step under way is. Raises ComfyUI's exception when the user cancelled."""
        self._bar.update_absolute(self._done + min(share, 1.0), preview=preview)


def reporting(painter: Painter, report: Report) -> Painter:
    """The painter, telling `report` how far its paintings are if it can."""
    return painter.reporting(report) if hasattr(painter, "reporting") else painter
