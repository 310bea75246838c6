"""What every room stands on: lazy imports, atomic writes, processes. Knows nothing of ratings."""
