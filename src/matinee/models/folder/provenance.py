"""Provenance: the data and seed of a fitted model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

from ...data import Ratings, fingerprint
from ...data.description import single_row_notes


@dataclass(frozen=True)
class Provenance:
    """The data and seed that a model was fitted with.

    Attributes:
        dataset: Name of the ratings.
        n_ratings: Number of ratings, validation part included.
        fingerprint: Order-independent hash of the ratings (``data.fingerprint``).
        seed: The seed given to ``fit``.
        notes: Notes about reading the ratings, and about what the fit left out.
        newest: Time of the newest rating, seconds since 1970; None if times are unknown.
    """

    dataset: str
    n_ratings: int
    fingerprint: str
    seed: int
    notes: tuple[str, ...] = ()
    newest: int | None = None

    @classmethod
    def of(cls, train: Ratings, seed: int) -> Self:
        """Return the provenance of a model fitted to these ratings with this seed."""
        newest = None if train.times is None else int(train.times.max())
        notes = (*train.notes, *single_row_notes(train))
        return cls(train.name, len(train), fingerprint(train), seed, notes, newest)

    def noted(self, topic: str, notes: Iterable[str]) -> Self:
        """Return it with these notes in place of those that begin with ``topic``.

        An update begins with the notes of the earlier fit.
        """
        others = (note for note in self.notes if not note.startswith(topic))
        return replace(self, notes=(*others, *notes))
