"""Utilities independent of ratings: compiled kernels, atomic writes, threads, processes."""
