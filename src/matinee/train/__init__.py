"""Training: presets, optimisers, the loop, checkpoints."""

from ._bias import BiasTable, column_means, fit_bias
from ._checkpoint import RunFolder
from ._config import Settings, TrainConfig
from ._holdout import Holdout, carve
from ._loop import Epoch, Run, train
from ._presets import preset, preset_names
from ._shrink import shrink_to_bias

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
    "shrink_to_bias",
    "train",
]
