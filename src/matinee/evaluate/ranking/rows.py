"""The rows of a ``ListEvaluation``: by length of history, by popularity, by length of the list."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ListHistoryBin:
    """Lists of users with a similar number of items in their history.

    Attributes:
        items: Range of the number, such as "20-49".
        n_people: Number of users.
        n: Relevant test items.
        ndcg: nDCG at the first cutoff, by model.
        recall: Recall at the first cutoff, by model.
    """

    items: str
    n_people: int
    n: int
    ndcg: dict[str, float]
    recall: dict[str, float]


@dataclass(frozen=True)
class ListPopularityBin:
    """Items with a similar number of training users.

    Attributes:
        people: Range of the number, such as "20-49".
        n_items: Number of items.
        n: Relevant test ratings of these items.
        trained: Their share of the training interactions.
        recall: Share of their relevant ratings in the list at the first cutoff, by model; None
            without any.
        shown: Their share of the places of all lists, by model.
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
