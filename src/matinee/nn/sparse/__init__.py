"""Kernels of the first and last layer: cost grows with ratings, not with users x items."""
