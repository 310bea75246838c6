"""The deep autoencoder, and ensembles of them (settings with ``members``), as kinds of model."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from ...train.config import TrainConfig
from ..registry import ModelKind, around
from ..settings import Settings


def _epochs(settings: Mapping[str, Any]) -> int:
    return int(settings["train"]["epochs"])


def _seconds(settings: Mapping[str, Any], users: int, ratings: int) -> float:
    teacher = TrainConfig.make(settings["train"]).epochs_of_teacher
    return seconds(settings, users, ratings, _epochs(settings) + teacher)


def seconds(settings: Mapping[str, Any], users: int, ratings: int, epochs: int) -> float:
    """Estimate the seconds of training on one core.

    Fitted to epochs of 0.2 s (batch 64) to 7 s (width 1024, batch 8) on MovieLens-1M.
    """
    network, train = settings["network"], settings["train"]
    hidden = network["hidden"]
    batch = train["batch_size"] if train["batch_size"] != "auto" else 512
    steps = max(users / batch, 1.0)
    middle = sum(a * b for a, b in itertools.pairwise(hidden))
    tables = (hidden[0] + hidden[-1]) / 2
    touched = min(ratings / max(users, 1) * batch, 3000.0)
    row_seconds = 1.5e-4 + 4e-5 * len(hidden) + 8e-10 * touched * tables + 6e-10 * middle
    row_seconds += 6e-10 * middle * min(batch, 64) / 16
    if train["l2"]:
        row_seconds += 3e-9 * 8000 * tables
    each_epoch = 2.2e-7 * ratings + 1.2e-9 * ratings * tables + steps * row_seconds
    return 1.0 + float(epochs * each_epoch)


def _ensemble_epochs(settings: Mapping[str, Any]) -> int:
    return _epochs(settings) * sum(int(member["copies"]) for member in settings["members"])


def shortened(settings: Settings, epochs: int) -> dict[str, Any]:
    """Return the settings to change to train for at most this many epochs."""
    return {"train.epochs": min(settings.train.epochs, epochs)}


def default_space(settings: Settings) -> dict[str, Any]:
    """Return the search space: width, depth, dropout, learning rate, decay, epochs, batch size."""
    network, train = settings.network, settings.train
    width, depth = max(network.hidden), len(network.hidden)
    return {
        "width": around(width, 4.0, 1.5, least=2),
        "depth": {"low": 1, "high": max(2, depth + 1)},
        "network.code_dropout": {"low": 0.0, "high": 0.9},
        "train.learning_rate": around(train.learning_rate, 5.0, 5.0),
        "train.weight_decay": (
            around(train.weight_decay, 10.0, 10.0)
            if train.weight_decay
            else {"low": 1e-3, "high": 1.0, "log": True}
        ),
        "train.epochs": around(train.epochs, 2.0, 1.5, least=1),
        "train.batch_size": (
            {"choices": ["auto", 64, 128, 256, 512]}
            if train.batch_size == "auto"
            else around(train.batch_size, 4.0, 4.0, least=2)
        ),
    }


_COMMON: dict[str, Any] = {
    "uses": ("network", "train"),
    "shorten": shortened,
    "space": default_space,
    "measures": True,
}

KINDS = (
    ModelKind(
        name="autoencoder",
        cls="matinee.models.networks.autoencoder:Autoencoder",
        summary="A deep autoencoder over rows of ratings.",
        epochs=_epochs,
        cost=_seconds,
        **_COMMON,
    ),
    ModelKind(
        name="ensemble",
        cls="matinee.models.networks.ensemble:Ensemble",
        summary="Several autoencoders on the same ratings, blended; a preset with members.",
        epochs=_ensemble_epochs,
        cost=lambda settings, users, ratings: seconds(
            settings, users, ratings, _ensemble_epochs(settings)
        ),
        **_COMMON,
    ),
)
