"""Training: presets, optimisers, the loop, checkpoints.

What needs torch is imported when it is first asked for: a server does without.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._bias import BiasTable, column_means, fit_bias
from ._config import Settings, TrainConfig
from ._presets import preset, preset_names

if TYPE_CHECKING:
    from ._checkpoint import RunFolder
    from ._holdout import Holdout, carve
    from ._loop import Epoch, Run, train
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

_HOMES = {
    "_checkpoint": ("RunFolder",),
    "_holdout": ("Holdout", "carve"),
    "_loop": ("Epoch", "Run", "train"),
    "_shrink": ("shrink_to_bias",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value  # found at once the next time
    return value
