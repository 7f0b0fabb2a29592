"""Encoders: self-supervised networks whose patch tokens say what is where."""

from .base import Encoder, Features, KeyedEncoder, PlacedEncoder

__all__ = ["Encoder", "Features", "KeyedEncoder", "PlacedEncoder"]
