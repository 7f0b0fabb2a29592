"""A progress bar with a picture of every step, and of paintings as they come about."""

from __future__ import annotations

from typing import cast

import comfy.model_management
import comfy.utils
from PIL import Image
from torch import Tensor

from ..paintseg.amcp.loop import State
from ..paintseg.amcp.progress import Progress
from ..paintseg.io.formats import to_image
from ..paintseg.visualize import step_frame
from .previews import LARGEST, shrunk

PREVIEW_SIDE = 512

Preview = tuple[str, Image.Image, int]
"""What ComfyUI shows on a node: the format it is sent in, the picture, its longest side in pixels."""


class StepProgress:
    """One bar over all steps of all images of a node, and over jobs that count as a step each.

    Whatever is told to it raises ComfyUI's exception when the user has cancelled.
    """

    def __init__(self, images: int, steps: int, jobs: int = 0) -> None:
        self._bar = comfy.utils.ProgressBar(images * steps + jobs)
        self._done = 0

    def __call__(self, state: State) -> None:
        """Count a step and show it."""
        self._done += 1
        self._show(self._done, state)

    def within(self, share: float, seen: object = None) -> None:
        """Show how far the step under way is."""
        self._show(self._done + min(share, 1.0), seen)

    def job(self) -> Progress:
        """What the next job tells its progress."""
        start = self._done
        self._done += 1

        def tell(share: float, seen: object = None) -> None:
            self._show(start + min(share, 1.0), seen)

        return tell

    def final(self, picture: Tensor) -> None:
        """Show 3 x H x W, or 4 x H x W, as what has come out, as large as a screen may want it.

        ComfyUI's front ends keep the last preview on the node; `web/js/final_picture.js` ends it once the node's own
        picture has arrived. Whatever becomes of that, what is seen is the result and no step on the way to it.
        """
        shown = to_image(shrunk(picture[:3], LARGEST))
        self._bar.update_absolute(self._done, preview=("JPEG", shown, max(shown.size)))

    def _show(self, done: float, seen: object) -> None:
        # The bar looks for a cancel only when it moves by half a percent.
        comfy.model_management.throw_exception_if_processing_interrupted()
        self._bar.update_absolute(done, preview=_preview(seen))


def _preview(seen: object) -> Preview | None:
    if isinstance(seen, State):
        return "JPEG", to_image(step_frame(seen)), 2 * PREVIEW_SIDE
    if isinstance(seen, Tensor):
        return "JPEG", to_image(shrunk(seen, PREVIEW_SIDE)), PREVIEW_SIDE
    return cast("Preview | None", seen)  # what a painter shows while it paints is a preview already
