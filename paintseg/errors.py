"""Errors a person can act on: each carries one plain sentence."""


class InputError(ValueError):
    """The input cannot be used; the message names the input and says what would be right."""


class WeightsError(RuntimeError):
    """A weight file is missing or is not what it should be; the message names file, folder and hash."""


class PainterError(RuntimeError):
    """A painter returned something that is not a painting (wrong size, NaN)."""


class WorkerError(RuntimeError):
    """A process that shared the work has died."""
