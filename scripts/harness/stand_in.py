"""Objects that stand for a painter or an encoder and change some of what it does."""

from __future__ import annotations


def lend(stand_in: object, model: object) -> None:
    """Give an object what a model has in public and the object has not.

    As attributes of its own: whether an object keeps a protocol, Python does not ask its `__getattr__` since 3.12.
    """
    for name in dir(model):
        if not name.startswith("_") and not hasattr(stand_in, name):
            setattr(stand_in, name, getattr(model, name))
