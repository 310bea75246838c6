"""The loop over epochs of networks trained for lists, and its results; it imports no torch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from ...errors import TrainingError
from .network_config import ListNetworkConfig
from .recvae_config import RecVaeConfig

Weights = TypeVar("Weights")


@dataclass(frozen=True)
class ListEpoch:
    """Figures of an epoch.

    Attributes:
        epoch: Its number, from 1.
        loss: Mean training loss.
        seconds: Time it took, scoring left out.
        score: Result of the caller's ``score``, if it was called.
    """

    epoch: int
    loss: float
    seconds: float
    score: float | None


@dataclass(frozen=True, eq=False)
class ListRun(Generic[Weights]):
    """A trained list network or RecVAE, and the epoch or round whose weights it has."""

    weights: Weights
    epoch: int


def train_epochs(
    train: Callable[[], float],
    weights: Callable[[], Weights],
    last: int,
    config: ListNetworkConfig | RecVaeConfig,
    score: Callable[[Weights], float] | None,
    on_epoch: Callable[[ListEpoch], None] | None,
) -> ListRun[Weights]:
    """Train epoch by epoch, and return the weights of the epoch with the highest score.

    ``config`` states how often ``score`` is called; without ``score``, the weights of the last
    epoch are returned.

    Raises:
        TrainingError: The loss is not finite.
    """
    best: tuple[float, ListRun[Weights]] | None = None
    for epoch in range(1, last + 1):
        start = time.perf_counter()
        loss = train()
        if not math.isfinite(loss):
            raise TrainingError(
                f"the loss of the network for lists is not finite in epoch {epoch}; lower its "
                f"learning_rate, which is {config.learning_rate:g}"
            )
        seconds, value = time.perf_counter() - start, None
        if score and (epoch % config.score_every == 0 or epoch == last):
            run = ListRun(weights(), epoch)
            value = score(run.weights)
            if best is None or value > best[0]:
                best = value, run
        if on_epoch is not None:
            on_epoch(ListEpoch(epoch, loss, seconds, value))
    return ListRun(weights(), last) if best is None else best[1]
