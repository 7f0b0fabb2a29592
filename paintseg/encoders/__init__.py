"""Encoders: self-supervised networks whose patch tokens say what is where."""

from .base import Encoder

__all__ = ["Encoder"]
