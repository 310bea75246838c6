"""Training: presets, optimisers, the loop, checkpoints."""
