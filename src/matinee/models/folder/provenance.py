"""What a model was fitted on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Provenance:
    """What a model was fitted on.

    Attributes:
        dataset: Name of the ratings.
        n_ratings: How many, validation part included.
        fingerprint: Names their content, whatever their order (``data.fingerprint``).
        seed: The seed given to ``fit``.
        notes: What reading the ratings had to settle.
    """

    dataset: str
    n_ratings: int
    fingerprint: str
    seed: int
    notes: tuple[str, ...] = ()
