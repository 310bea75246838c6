"""Training: presets, optimisers, the loop, checkpoints."""

from ._bias import BiasTable, column_means, fit_bias
from ._checkpoint import RunFolder
from ._config import Settings, TrainConfig
from ._holdout import Holdout, carve
from ._loop import Epoch, Run, train
from ._presets import preset, preset_names

__all__ = [
    "BiasTable",
    "Epoch",
    "Holdout",
    "Run",
    "RunFolder",
    "Settings",
    "TrainConfig",
    "carve",
    "column_means",
    "fit_bias",
    "preset",
    "preset_names",
    "train",
]
