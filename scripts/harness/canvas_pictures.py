"""Nodes photographed on ComfyUI's canvas, wired to what they need."""

MADE = {}
