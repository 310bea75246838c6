"""The learning rate of every step."""

from __future__ import annotations

import numpy as np

from ...base.arrays import Float64
from ..config import TrainConfig


def learning_rates(config: TrainConfig, steps_per_epoch: int) -> Float64:
    """Return the learning rate of each step, float64 (steps + 1,); entry 0 is unused."""
    total = config.epochs * steps_per_epoch
    step = np.arange(total + 1, dtype=np.float64)
    rate = np.full(total + 1, config.learning_rate)
    if config.schedule == "cosine":
        rate *= 0.5 * (1.0 + np.cos(np.pi * np.maximum(step - 1, 0) / total))
    elif config.schedule == "step":
        epoch = np.maximum(step - 1, 0) // steps_per_epoch
        cuts = np.searchsorted(np.sort(np.asarray(config.milestones)), epoch, side="right")
        rate *= config.gamma**cuts
    if config.warmup > 0:
        rate *= np.minimum(1.0, step / (config.warmup * steps_per_epoch))
    return rate
