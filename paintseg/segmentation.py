"""One photo and what people point at on it: answers while they point, and the whole method on the same features.

`segment` is the method in one call, for a photo and a prompt; it is a `Session` of one prompt.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from math import lcm
from threading import RLock

from torch import Tensor

from .amcp import loop as amcp
from .amcp.outcome import Result, finish
from .amcp.scene import prepare
from .answers.answer import Answer, answer
from .config import Config, preset
from .encoders import Encoder
from .ops.images import resize
from .ops.memory import says_shortage
from .painters import Painter
from .prompts import Prompt
from .views.looks import FeatureCache, Looks
from .views.windows import Windows

__all__ = ["Answer", "Result", "Session", "begin", "finish", "segment"]

SIDE = 1024
"""Longer side in pixels that a photo is reduced to for answers; windows on it are shown in full."""


class Session:
    """One photo, many prompts. What was encoded for one prompt is there for the next.

    Several threads may use a session; it answers one at a time.

    Args:
        image: 3 x H x W in [0, 1].
        config: the parameters, by default the preset "balanced". Answers take from it what needs no painting.
        cache: where features are kept, by default the encoder's own or a new one (views/looks.py).

    Raises InputError for an image that is none or holds NaN.
    """

    def __init__(
        self, image: Tensor, encoder: Encoder, config: Config | None = None, cache: FeatureCache | None = None
    ) -> None:
        self.image, self.encoder = image, encoder
        self.config = preset("balanced") if config is None else config
        self._looks = Looks(image, encoder, cache)
        self._lock = RLock()

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of the photo."""
        return self._looks.size

    @property
    def nbytes(self) -> int:
        """What the photo takes of memory; features are counted where they are kept."""
        return self._looks.nbytes

    def at(self, size: tuple[int, int]) -> Tensor:
        """The photo at another size (H, W), 3 x H x W in [0, 1]."""
        photo = self._windows.photo if max(size) <= SIDE else self._looks.photo
        return resize(photo, size)[0]

    @says_shortage
    def answer(self, prompt: Prompt, candidate: int = 0, check: Callable[[], None] | None = None) -> Answer:
        """What is meant, without painting.

        Args:
            prompt: for the photo.

            candidate: which reading of the prompt is wanted: 0 the likeliest, 1 or 2 another extent.
            check: called between the stages; an exception it raises ends the work.

        Raises InputError as `segment` does.
        """
        with self._lock:
            return answer(self._windows, prompt, self.config, candidate, check)

    @says_shortage
    def segment(
        self,
        prompt: Prompt,
        painter: Painter,
        seed: int = 0,
        outpainter: Painter | None = None,
        progress: Callable[[amcp.State], None] | None = None,
    ) -> Result:
        """The whole method; arguments as in the function `segment`."""
        outpainter = painter if outpainter is None else outpainter
        with self._lock:
            states = []
            for state in amcp.run(self.begin(prompt, painter, seed, outpainter), painter, outpainter, self.encoder):
                states.append(state)
                if progress is not None:
                    progress(state)
            soft = finish(states[-1])
            return Result(mask=soft > 0.5, soft=soft, states=tuple(states))

    def begin(self, prompt: Prompt, painter: Painter, seed: int = 0, outpainter: Painter | None = None) -> amcp.State:
        """The state before the first step, on a canvas both painters can paint; arguments as in `segment`."""
        multiple = lcm(painter.multiple, (outpainter or painter).multiple)
        return amcp.start(prepare(self.image, prompt, self.encoder, self.config, multiple, self._looks), seed)

    @cached_property
    def _windows(self) -> Windows:
        """The photo as answers are looked for in it."""
        return Windows(self._looks, SIDE)


@says_shortage
def segment(
    image: Tensor,
    prompt: Prompt,
    painter: Painter,
    encoder: Encoder,
    config: Config | None = None,
    seed: int = 0,
    outpainter: Painter | None = None,
    progress: Callable[[amcp.State], None] | None = None,
) -> Result:
    """Segment the prompted object.

    Args:
        image: 3 x H x W in [0, 1].
        prompt: for an image of that size.
        painter: phi, the I-step's painter; psi too unless `outpainter` is given.
        config: the parameters, by default the preset "balanced".
        seed: same seed, same result: bit by bit on one machine with one number of threads, which decides in what
            order numbers are summed up.
        progress: called with the state after every step; an exception it raises ends the loop.

    Raises InputError for an image or a prompt that cannot be used, PainterError when the painter fails.
    """
    return Session(image, encoder, config).segment(prompt, painter, seed, outpainter, progress)


@says_shortage
def begin(
    image: Tensor,
    prompt: Prompt,
    painter: Painter,
    encoder: Encoder,
    config: Config,
    seed: int = 0,
    outpainter: Painter | None = None,
) -> amcp.State:
    """The state before the first step, on a canvas both painters can paint; arguments as in `segment`."""
    return Session(image, encoder, config).begin(prompt, painter, seed, outpainter)
