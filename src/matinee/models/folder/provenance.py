"""Provenance: the data and seed of a fitted model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Provenance:
    """The data and seed that a model was fitted with.

    Attributes:
        dataset: Name of the ratings.
        n_ratings: Number of ratings, validation part included.
        fingerprint: Order-independent hash of the ratings (``data.fingerprint``).
        seed: The seed given to ``fit``.
        notes: Notes of reading the ratings.
    """

    dataset: str
    n_ratings: int
    fingerprint: str
    seed: int
    notes: tuple[str, ...] = ()
