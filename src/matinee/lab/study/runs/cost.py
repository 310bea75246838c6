"""About how long runs take, for their order and for the time left."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from ....train import TrainConfig


def estimate(kind: str, settings: Mapping[str, Any], users: int, ratings: int) -> float:
    """Seconds that a run takes on one core, roughly; only ratios of these are relied on.

    Fitted to epochs of 0.2 s (batch 64) to 7 s (width 1024, batch 8) on MovieLens-1M.

    Args:
        kind: Kind of model.
        settings: Its settings, plain.
        users: Users trained on.
        ratings: Ratings trained on.
    """
    if kind not in ("autoencoder", "ensemble"):
        factor = {"biased-mf": 1e-4, "sparsefc": 1e-3, "surprise-svd": 5e-6, "surprise-svdpp": 3e-3}
        of_all = factor.get(kind, 1e-5) * ratings
        if kind == "surprise-svd":
            of_all *= settings.get("n_epochs", 20) * settings.get("n_factors", 100) / 100
        return 1.0 + of_all
    network, train = settings["network"], settings["train"]
    hidden = network["hidden"]
    batch = train["batch_size"] if train["batch_size"] != "auto" else 512
    steps = max(users / batch, 1.0)
    middle = sum(a * b for a, b in itertools.pairwise(hidden))
    tables = (hidden[0] + hidden[-1]) / 2
    touched = min(ratings / max(users, 1) * batch, 3000.0)
    each = 1.5e-4 + 4e-5 * len(hidden) + 8e-10 * touched * tables + 6e-10 * middle
    each += 6e-10 * middle * min(batch, 64) / 16
    if train["l2"]:
        each += 3e-9 * 8000 * tables
    each_epoch = 2.2e-7 * ratings + 1.2e-9 * ratings * tables + steps * each
    epochs = planned_epochs(kind, settings)
    if not settings["members"]:
        epochs += TrainConfig.make(train).epochs_of_teacher
    return 1.0 + float(epochs * each_epoch)


def planned_epochs(kind: str, settings: Mapping[str, Any]) -> int:
    """Epochs that a run tells of, at most; 1 for a model without. A teacher's are not told of."""
    if kind == "biased-mf":
        return int(settings["mf"]["sweeps"])
    if kind == "sparsefc":
        own = settings["sparsefc"]
        return -(-int(own["iterations"]) // int(own["restart"]))
    if kind not in ("autoencoder", "ensemble"):
        return 1
    networks = sum(member["copies"] for member in settings["members"]) or 1
    return networks * int(settings["train"]["epochs"])
