"""Training of one network by processes that each have the ratings of some users."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...baseline.variance import HeldOutPredictions
from ...errors import UsageError
from ...train import RunContext, ShardedRatings
from ..settings import Settings
from ._fitted import FittedNetwork
from ._unit import unit_of
from .trainer import Trainer


@dataclass(frozen=True, eq=False)
class Sharded:
    """What training by such processes leaves, the same in all of them.

    Attributes:
        fitted: The network; if tables were divided, the other processes have their columns only.
        validation: Predictions of the validation part; None without one.
    """

    fitted: FittedNetwork
    validation: HeldOutPredictions | None


def check_shardable(settings: Settings, *, tables: bool = False) -> None:
    """Check that these settings need no more than sums over users.

    Args:
        settings: The options.
        tables: Whether the tables are to be divided too.

    Raises:
        UsageError: They do; the message names the setting.
    """
    network, train = settings.network, settings.train
    needed = {
        'train.teacher = "none"': train.teacher != "none",
        'network.rows = "users"': network.rows != "users",
        'network.output = "rating"': network.output != "rating",
        "network.columns = false": bool(network.columns),
        "train.half_life = 0": train.half_life > 0,
        'train.refeed = "off"': tables and train.refeed != "off",
    }
    if settings.model_kind != "autoencoder":
        raise UsageError(
            f"{settings.model_kind}: processes that each have the ratings of some users train a "
            "single autoencoder only"
        )
    for setting, differs in needed.items():
        if differs:
            also = " and columns of the tables" if setting.startswith("train.refeed") else ""
            raise UsageError(
                f"processes that each have the ratings of some users{also} cannot train this: set "
                f"{setting}"
            )


def train_shards(
    settings: Settings, ratings: ShardedRatings, seed: int, context: RunContext
) -> Sharded:
    """Train a network; to be called in every process.

    Up to rounding it is the network that a process with all ratings would train.

    Raises:
        UsageError: Settings that need all ratings in one process.
    """
    check_shardable(settings, tables=bool(context.shard_tables))
    if context.watch or context.measure:
        raise UsageError(
            "processes that each have the ratings of some users cannot watch a test part; "
            "evaluate the model afterwards"
        )
    context.group.require_equal(context.identity)
    context.check_resumable()
    shard = ratings.shard
    unit = unit_of(ratings.own, [settings.network], shard)
    own = ratings.own.multiplied(1.0 / unit)
    trainer = Trainer(own, settings, seed, context, shard=shard, unit=unit)
    trainer.fit()
    fitted = trainer.finish()
    validation = None
    if trainer.run.valid is not None and trainer.held is not None and len(trainer.run.valid):
        first, _ = shard.span(len(ratings.own))
        entries = shard.join(np.flatnonzero(trainer.held) + first)
        predictions = trainer.validation_predictions()
        validation = HeldOutPredictions(entries, predictions, "validation")
    return Sharded(fitted, validation)
