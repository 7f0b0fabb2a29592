"""Painters: models that fill a hole in an image with what they expect there."""

from .base import LatentPainter, Painter, ReportingPainter, check_request, keep_outside, round_trip

__all__ = ["LatentPainter", "Painter", "ReportingPainter", "check_request", "keep_outside", "round_trip"]
