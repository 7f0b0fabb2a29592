"""Measuring: data sets with human masks, the prompts made from them, and mean IoU."""
