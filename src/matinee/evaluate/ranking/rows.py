"""The rows of a ``ListEvaluation``: by length of history, by popularity, by length of the list."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ListHistoryBin:
    """Lists of people who had a similar number of items in their history.

    Attributes:
        items: How many, as "20-49".
        n_people: People.
        n: Relevant test items.
        ndcg: nDCG at the first cutoff, by model.
        recall: Recall there, by model.
    """

    items: str
    n_people: int
    n: int
    ndcg: dict[str, float]
    recall: dict[str, float]


@dataclass(frozen=True)
class ListPopularityBin:
    """Items that a similar number of people had in training.

    Attributes:
        people: How many, as "20-49".
        n_items: Items.
        n: Relevant test ratings of them.
        trained: Share of the training interactions that are of them.
        recall: Share of those relevant ratings that are in the list at the first cutoff, by model;
            None without any.
        shown: Share of the places of all lists that they take, by model.
    """

    people: str
    n_items: int
    n: int
    trained: float
    recall: dict[str, float | None]
    shown: dict[str, float]


@dataclass(frozen=True)
class ListCurve:
    """Mean recall and precision of lists of 1, 2, ... items."""

    recall: tuple[float, ...]
    precision: tuple[float, ...]
