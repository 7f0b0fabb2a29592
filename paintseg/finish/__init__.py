"""The finish: colour models and a fully connected CRF at the photo's own resolution."""
