"""What training a list network reports and returns; it imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from .weights import ListNetworkWeights


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
class ListNetworkRun:
    """A trained list network, and the epoch whose weights it has."""

    weights: ListNetworkWeights
    epoch: int
