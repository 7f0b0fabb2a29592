"""Painters: models that fill a hole in an image with what they expect there."""

from .base import Painter, PaintFailure, check_request, keep_outside, round_trip

__all__ = ["PaintFailure", "Painter", "check_request", "keep_outside", "round_trip"]
