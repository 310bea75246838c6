"""``ModelCase``: a model under test, and how to make it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from ..models import Recommender
from .samples import sample


@dataclass(frozen=True)
class ModelCase:
    """A model under test.

    Attributes:
        name: Name of the case in test reports.
        make: Returns a new, unfitted model that is quick to fit.
        learns: Whether the model is personalised: it must then learn the user-item interactions of
            ``checkerboard``.
        stored: Whether ``load_model`` supports the model's kind. Otherwise tests of saved models
            are skipped.
    """

    name: str
    make: Callable[[], Recommender]
    learns: bool
    stored: bool = True

    def __str__(self) -> str:
        return self.name


@lru_cache
def fitted(case: ModelCase) -> Recommender:
    """Return the model of a case, fitted on ``sample`` with seed 3; tests share it."""
    return case.make().fit(sample(), seed=3)
