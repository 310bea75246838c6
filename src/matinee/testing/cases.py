"""``ModelCase``: a model under test, and how to make it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from ..data import Table
from ..models import Recommender
from .samples import checkerboard, sample


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


class Refitted(NamedTuple):
    """A model fitted twice.

    Attributes:
        model: The model, fitted on ``sample`` with seed 3 at last.
        lists: Its lists of 5 for every user when it was fitted on ``checkerboard`` with seed 0.
        new: Its list of 10 then for somebody who liked even items and disliked odd ones.
    """

    model: Recommender
    lists: Table
    new: Table


@lru_cache
def refitted(case: ModelCase) -> Refitted:
    """Return the model of a case fitted on ``checkerboard``, then on ``sample``; tests share it."""
    model = case.make().fit(checkerboard(), seed=0)
    lists = Table.concat(list(model.recommend_all(k=5)))
    new = model.recommend([{0: 5, 2: 5, 4: 4, 1: 1, 3: 1, 7: 2}], k=10)
    return Refitted(model.fit(sample(), seed=3), lists, new)
