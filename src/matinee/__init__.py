"""Matinee: a deep-autoencoder recommender.

    ratings = matinee.load("ml-1m")
    train, test = matinee.split(ratings, holdout=0.2, seed=0)
    model = matinee.Autoencoder(preset="default").fit(train)
    print(model.evaluate(test))
    model.recommend([{"1": 5, "2": 3}], k=10)

Nothing is imported before it is used, so that a command which only reads data does not wait for
the network's libraries.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._lazy import lazily
from ._version import __version__

if TYPE_CHECKING:
    from . import cli, config, data, errors, evaluate, models, nn, recommend, study, train
    from .data import Histories, ItemTable, Ratings, Scale, Table, load, split
    from .errors import (
        DataError,
        LeakError,
        MatineeError,
        ModelFileError,
        ProcessError,
        TrainingError,
        UnknownIdError,
        UsageError,
    )
    from .evaluate import Evaluation
    from .models import (
        Autoencoder,
        Bias,
        BiasedMF,
        Ensemble,
        GlobalMean,
        ItemMean,
        Recommender,
        SparseFC,
        UserMean,
        load_model,
        model,
    )
    from .train import Group

__all__ = [
    "Autoencoder",
    "Bias",
    "BiasedMF",
    "DataError",
    "Ensemble",
    "Evaluation",
    "GlobalMean",
    "Group",
    "Histories",
    "ItemMean",
    "ItemTable",
    "LeakError",
    "MatineeError",
    "ModelFileError",
    "ProcessError",
    "Ratings",
    "Recommender",
    "Scale",
    "SparseFC",
    "Table",
    "TrainingError",
    "UnknownIdError",
    "UsageError",
    "UserMean",
    "__version__",
    "cli",
    "config",
    "data",
    "errors",
    "evaluate",
    "load",
    "load_model",
    "model",
    "models",
    "nn",
    "recommend",
    "split",
    "study",
    "train",
]

_ROOMS = (
    "cli",
    "config",
    "data",
    "errors",
    "evaluate",
    "models",
    "nn",
    "recommend",
    "study",
    "train",
)
_HOMES = {
    "data": ("Histories", "ItemTable", "Ratings", "Scale", "Table", "load", "split"),
    "errors": (
        "DataError",
        "LeakError",
        "MatineeError",
        "ModelFileError",
        "ProcessError",
        "TrainingError",
        "UnknownIdError",
        "UsageError",
    ),
    "evaluate": ("Evaluation",),
    "models": (
        "Autoencoder",
        "Bias",
        "BiasedMF",
        "Ensemble",
        "GlobalMean",
        "ItemMean",
        "Recommender",
        "SparseFC",
        "UserMean",
        "load_model",
        "model",
    ),
    "train": ("Group",),
}
_find = lazily(__name__, _HOMES)


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f".{name}", __name__)
    return _find(name)


def __dir__() -> list[str]:
    return sorted(__all__)
