"""Tensor operations that know nothing of the method: morphology, k-means, memory."""
