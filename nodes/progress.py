"""A progress bar with a picture of every step."""

from __future__ import annotations

import comfy.utils

from ..paintseg.amcp import State
from ..paintseg.visualize import step_frame, to_picture

PREVIEW_SIDE = 512


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
