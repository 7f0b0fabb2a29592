"""Ours, before the first step: walks between patches, clicks grown to regions, boxes put in place, discovery."""
