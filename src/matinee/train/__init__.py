"""Training: presets, optimisers, the loop, checkpoints."""

from ._config import Settings, TrainConfig
from ._holdout import Holdout, carve
from ._loop import Epoch, Run, train
from ._presets import preset, preset_names

__all__ = [
    "Epoch",
    "Holdout",
    "Run",
    "Settings",
    "TrainConfig",
    "carve",
    "preset",
    "preset_names",
    "train",
]
