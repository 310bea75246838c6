"""Utilities that know nothing of ratings: compiled kernels, atomic writes, threads, processes."""
