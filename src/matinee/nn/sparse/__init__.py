"""Kernels of the two layers beside the ratings: cost by ratings, never users x items."""
