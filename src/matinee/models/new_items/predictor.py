"""``NewItems``: predictions for items that a model was not trained on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ...base.arrays import Float32, Float64, Int64, evenly_spaced
from ...data import Histories, ItemTable, Table, Vocabulary, load_items
from ...errors import UsageError
from ...recommend import HistoriesLike, Unknown, rank
from ..arguments import as_column, checked_length, checked_love, checked_personal, paired
from ..base import Recommender
from ..support import item_counts
from .columns import item_columns

_PENALTIES = tuple(10.0 ** np.arange(-1, 5.5, 0.5))
_PRIOR = 10.0
"""Number of ratings at which an item has half the maximal weight."""
_PEOPLE = 256
"""Users on whose predictions the penalty is chosen."""


class AllKnownError(UsageError):
    """A table has no item that is new to the model."""


class NewItems:
    """Predictions and lists of items without ratings, from their attributes.

    A ridge regression over the known items predicts the model's prediction for a user from the
    item's columns. The regression is the same for all users, so a prediction is a weighted mean of
    the user's predictions for known items. In a model with a linear last layer this equals the
    regression of the item's factors and bias on its columns (Gantner et al., "Learning
    attribute-to-feature mappings for cold-start recommendations", ICDM 2010); it also works for
    every other model. Items are weighted by their number of ratings, and the penalty is chosen by
    leave-one-out over the known items.

    Args:
        model: A fitted model.
        ids: Ids of the new items, shape (n,); none may be an item of the model.
        items: Their titles and genres, in that order.
        words: Buckets for the words of titles; see ``item_columns``.
        vectors: An embedding of each known and new item, by id.

    Attributes:
        item_ids: The new items.
        penalty: The chosen penalty.
        weights: float64 (known items, new items); the prediction of a new item is the model's
            predictions of all items times its column.

    Raises:
        UsageError: An item is known to the model, or the items have no columns.
    """

    def __init__(
        self,
        model: Recommender,
        ids: npt.ArrayLike,
        items: ItemTable | None = None,
        *,
        words: int = 0,
        vectors: Mapping[Any, npt.ArrayLike] | None = None,
    ) -> None:
        model._require_fitted()
        names = as_column(ids)
        self.item_ids, codes = Vocabulary.of(names)
        if len(self.item_ids) < len(names) or not len(names):
            raise UsageError("new items: give each id once, and at least one")
        known = np.flatnonzero(model.item_ids.encode(self.item_ids.ids) >= 0)
        if len(known):
            raise UsageError(
                f"new items: {self.item_ids.ids[known[0]]} is known to the model "
                f"({len(known):,} such); leave out what it was trained on"
            )
        order = np.argsort(codes)  # rows of the table in the order of the vocabulary
        self._model = model
        self.item_table = None if items is None else items.take(order)
        columns = item_columns(
            model.item_ids,
            model.item_table,
            self.item_ids,
            self.item_table,
            words=words,
            vectors=vectors,
        )
        rated = item_counts(model)
        counts = np.ones(model.n_items) if rated is None else rated.astype(np.float64)
        weights: Float64 = counts / (counts + _PRIOR)
        known_columns, new_columns = _standardised(columns.known, columns.new, weights)
        self.penalty = _chosen(known_columns, weights, self._targets())
        gram = _gram(known_columns, weights, self.penalty)
        self.weights: Float64 = weights[:, None] * (
            known_columns @ np.linalg.solve(gram, new_columns.T)
        )

    @classmethod
    def read(cls, model: Recommender, source: Any, **options: Any) -> Self:
        """Read new items from a table of items; items known to the model are left out.

        Args:
            model: A fitted model.
            source: What ``matinee.data.load_items`` takes.
            **options: ``words`` and ``vectors``.

        Raises:
            DataError: The table cannot be read.
            AllKnownError: The model knows all of them.
        """
        ids, table = load_items(source)
        new = np.flatnonzero(model.item_ids.encode(ids.ids) < 0)
        if not len(new):
            raise AllKnownError(f"new items: all {len(ids):,} are already known to the model")
        return cls(model, ids.ids[new], table.take(new), **options)

    def predict(self, users: Any, items: Any, *, histories: HistoriesLike | None = None) -> Float64:
        """Predicted ratings of new items; see ``Recommender.predict``.

        Args:
            users: User ids, shape (n,), or one; an unknown user gets unpersonalised predictions.
            items: Ids of new items, shape (n,), or one.
            histories: Ratings of the users; by default those of training.

        Returns:
            float64 (n,).

        Raises:
            UsageError: An item is not among the new ones.
        """
        model = self._model
        model._require_ratings()
        user, item = paired(users, items)
        people, rows = model._people_and_rows(histories, user)
        codes = self.item_ids.encode(item)
        if (codes < 0).any():
            raise UsageError(f"{item[codes < 0][0]} is not among the new items")
        out = np.empty(len(rows))
        for entries, batch in _batches(people.histories, rows):
            scores = self._of(model.scores_coded(batch))
            batch_rows = np.unique(rows[entries], return_inverse=True)[1]
            out[entries] = scores[batch_rows, codes[entries]]
        return model._clipped(out)

    def recommend(
        self,
        histories: HistoriesLike | None = None,
        *,
        users: Any = None,
        k: int = 10,
        love: float | None = None,
        personal: float = 0.0,
        unknown: Unknown = "error",
    ) -> Table:
        """Recommend the best new items for each user, by the model's ranking score.

        Args:
            histories: Ratings of the users; by default those of training.
            users: User ids; by default all users in ``histories``.
            k: Items per user.
            love: See ``Recommender.recommend``.
            personal: See ``Recommender.recommend``.
            unknown: ``"skip"`` leaves out unknown users.

        Returns:
            A table of user_id, item_id, score, rank, and title if known.

        Raises:
            UsageError: Neither histories nor users, or k < 1.
            UnknownIdError: An unknown user.
        """
        if histories is None and users is None:
            raise UsageError("pass histories or users")
        k = checked_length(k)
        love, personal = checked_love(love), checked_personal(personal)
        people = self._model._people(histories, "skip")
        if users is not None:
            people = people.pick(as_column(users), unknown)
        ranked = rank(
            lambda batch: (self.rank_scores(batch, love, personal), None),
            people.histories,
            self._model.n_items,
            k=k,
            include_seen=True,
        )
        tables = []
        for rows, items, scores, ranks, _ in ranked:
            columns = {
                "user_id": people.ids[rows],
                "item_id": self.item_ids.decode(items),
                "score": scores.astype(np.float64),
                "rank": ranks,
            }
            if self.item_table is not None:
                columns["title"] = self.item_table.titles[items]
            tables.append(Table(columns))
        return Table.concat(tables)

    def rank_scores(
        self, histories: Histories, love: float | None = None, personal: float = 0.0
    ) -> Float32:
        """Return ranking scores of new items, float32 (users, new items)."""
        scores = self._model.rank_scores_coded(histories, love, personal)
        return self._of(scores).astype(np.float32)

    def _of(self, scores: Float32) -> Float64:
        return scores.astype(np.float64) @ self.weights

    def _targets(self) -> Float64:
        """Return predictions of all items for a sample of users, float64 (items, users)."""
        model = self._model
        histories = model.histories
        if histories is None or not len(histories):
            histories = Histories.build([([], [])])
        sample = evenly_spaced(len(histories), _PEOPLE)
        score = model.scores_coded if model.knows_ratings else model.rank_scores_coded
        return score(histories.take(sample)).astype(np.float64).T


def _standardised(known: Float64, new: Float64, weights: Float64) -> tuple[Float64, Float64]:
    """Standardise columns over the known items, and add a column of ones."""
    mean = np.average(known, axis=0, weights=weights)
    spread = np.sqrt(np.average((known - mean) ** 2, axis=0, weights=weights))
    spread[spread == 0] = 1.0
    one, two = (
        np.hstack([np.ones((len(side), 1)), (side - mean) / spread]) for side in (known, new)
    )
    return one, two


def _gram(columns: Float64, weights: Float64, penalty: float) -> Float64:
    gram: Float64 = columns.T @ (weights[:, None] * columns)
    diagonal = np.arange(1, len(gram))
    gram[diagonal, diagonal] += penalty  # not the column of ones
    return gram


def _chosen(columns: Float64, weights: Float64, targets: Float64) -> float:
    """Choose the penalty with the lowest weighted leave-one-out error over items.

    Leave-one-out of a ridge regression has a closed form: Allen, "The relationship between
    variable selection and data augmentation and a method for prediction" (1974).
    """
    best, lowest = _PENALTIES[-1], np.inf
    for penalty in _PENALTIES:
        inverse = np.linalg.inv(_gram(columns, weights, penalty))
        fitted = columns @ (inverse @ (columns.T @ (weights[:, None] * targets)))
        leverage = weights * np.einsum("ij,jk,ik->i", columns, inverse, columns)
        errors = (targets - fitted) / np.maximum(1.0 - leverage, 1e-6)[:, None]
        error = float((weights[:, None] * errors**2).sum())
        if error < lowest:
            best, lowest = penalty, error
    return float(best)


def _batches(histories: Histories, rows: Int64) -> Iterator[tuple[Int64, Histories]]:
    """Yield positions of predictions and their users' histories, in batches of users."""
    distinct = np.unique(rows)
    for start in range(0, len(distinct), _PEOPLE):
        people = distinct[start : start + _PEOPLE]
        if people[0] < 0:  # a user without a history
            yield np.flatnonzero(rows < 0), Histories.build([([], [])])
            people = people[1:]
        if len(people):
            positions = np.flatnonzero((rows >= people[0]) & (rows <= people[-1]))
            yield positions, histories.take(people)
