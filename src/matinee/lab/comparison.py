"""Two models on the same held-out ratings: ratings and lists, with paired intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..base.arrays import evenly_spaced
from ..data import Ratings
from ..evaluate import (
    ErrorSums,
    Gain,
    ListEvaluation,
    Score,
    metrics_of,
    paired_gain,
)
from ..evaluate.ranking.sums import ListSums
from ..evaluate.statistics.bootstrap import finite_interval
from ..models import Recommender
from ..recommend import HistoriesLike


@dataclass(frozen=True)
class ListedItem:
    """An item of an example list.

    Attributes:
        title: Title, or the id as text.
        rating: The test rating, None without one.
        relevant: Whether it is a hit.
    """

    title: str
    rating: float | None
    relevant: bool


@dataclass(frozen=True)
class ExampleLists:
    """The lists of both models for one user."""

    user: Any
    first: tuple[ListedItem, ...]
    second: tuple[ListedItem, ...]


@dataclass(frozen=True)
class Comparison:
    """Two models on the same held-out ratings.

    Attributes:
        dataset: Name of the test ratings.
        rmse: RMSE of both, and the gain of the second; None if the test part or the training data
            are interactions.
        first: The lists of the first model.
        second: The lists of the second.
        gains: By cutoff and metric: the second's minus the first's, with a 95% interval, paired:
            both on the same resamples of users.
        examples: Lists side by side.
    """

    dataset: str
    rmse: Gain | None
    first: ListEvaluation
    second: ListEvaluation
    gains: dict[int, dict[str, Score]]
    examples: tuple[ExampleLists, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "dataset": self.dataset,
            "rmse": None if self.rmse is None else asdict(self.rmse),
            "first": {"model": self.first.model, **self.first.summary()},
            "second": {"model": self.second.model, **self.second.summary()},
            "gains": {
                f"{name}@{k}": {"value": gain.value, "interval": gain.interval}
                for k, gains in self.gains.items()
                for name, gain in gains.items()
            },
            "examples": [asdict(each) for each in self.examples],
        }


def folder_names(first: Path, second: Path) -> tuple[str, str]:
    """Return the names of two model folders, or their paths if the names are equal."""
    one, two = first.resolve().name, second.resolve().name
    return (one, two) if one != two else (str(first), str(second))


def compare(
    first: Recommender,
    second: Recommender,
    test: Ratings,
    *,
    k: Sequence[int] = (10, 20),
    relevant: float | None = None,
    histories: HistoriesLike | None = None,
    allow_overlap: bool = False,
    examples: int = 3,
    seed: int = 0,
) -> Comparison:
    """Score two models on the same ratings.

    Args:
        first: A model.
        second: Another; gains are positive if it is better.
        test: Ratings that neither was trained on.
        k: Lengths of the lists; examples have the first one.
        relevant: As for ``Recommender.evaluate_lists``; by default the first model's.
        histories: Likewise.
        allow_overlap: Likewise.
        examples: Users whose lists are shown.
        seed: Seeds the bootstrap.

    Raises:
        LeakError: A model has seen test ratings, unless ``allow_overlap``.
    """
    common: dict[str, Any] = {
        "k": k,
        "histories": histories,
        "allow_overlap": allow_overlap,
        "seed": seed,
    }
    one = lists_beside_popularity(first, test, relevant=relevant, **common)
    two = lists_beside_popularity(second, test, relevant=one.relevant, **common)
    rmse = None
    if not test.implicit and first.knows_ratings and second.knows_ratings:
        sums = _errors((first, second), test, histories)
        rmse = paired_gain(sums, np.random.default_rng(seed))
    examples_shown = _examples(first, second, test, histories, one, examples)
    return Comparison(test.name, rmse, one, two, _gains(one, two, seed), tuple(examples_shown))


def lists_beside_popularity(model: Recommender, test: Ratings, **options: Any) -> ListEvaluation:
    """Evaluate a model's lists and, if it was saved with histories, those of popularity."""
    names = [] if model.histories is None else ["popularity"]
    return model.evaluate_lists(test, baselines=names, **options)


def _errors(
    models: tuple[Recommender, ...], test: Ratings, histories: HistoriesLike | None
) -> ErrorSums:
    users = test.user_ids.decode(test.users)
    items = test.item_ids.decode(test.items)
    sums = ErrorSums.zeros(test.n_users, len(models))
    predicted = [
        model.predict(
            users, items, histories=histories, times=test.times if model.follows(test) else None
        )
        for model in models
    ]
    sums.add(test.users, np.stack(predicted, axis=1) - test.values[:, None])
    return sums


def _gains(first: ListEvaluation, second: ListEvaluation, seed: int) -> dict[int, dict[str, Score]]:
    gains: dict[int, dict[str, Score]] = {}
    for k in first.cutoffs:
        pair = [evaluation.sums[k].values for evaluation in (first, second)]
        # The same users in the same order: they follow from the test part alone.
        columns = {
            name: np.stack([values[name][:, 0] for values in pair], axis=1) for name in pair[0]
        }
        none = np.zeros((2, 0), dtype=np.int64)
        sums = ListSums(k, columns, none, none)
        draws = sums.resamples(seed)
        gains[k] = {}
        for metric in metrics_of("list"):
            value = second.value(metric.name, k) - first.value(metric.name, k)
            samples = None if draws is None else np.diff(metric.from_sums(draws), axis=1)[:, 0]
            gains[k][metric.name] = Score(value, finite_interval(samples))
    return gains


def _examples(
    first: Recommender,
    second: Recommender,
    test: Ratings,
    histories: HistoriesLike | None,
    evaluation: ListEvaluation,
    count: int,
) -> list[ExampleLists]:
    """Return lists of an evenly spaced sample of users with histories in both models."""
    csr = test.by_user
    known = np.flatnonzero(csr.counts)
    if histories is None:
        for model in (first, second):
            known = known[model.user_ids.encode(test.user_ids.ids[known]) >= 0]
    shown = []
    for code in known[evenly_spaced(len(known), count)]:
        part = slice(csr.indptr[code], csr.indptr[code + 1])
        codes, values = csr.indices[part], csr.values[part]
        ratings = dict(zip(codes.tolist(), values.tolist(), strict=True))
        relevant = set(codes[values >= evaluation.relevant].tolist())  # float32, as when evaluated
        user = test.user_ids.ids[[code]].tolist()[0]
        lists = []
        for model in (first, second):
            table = model.recommend(
                histories, users=[user], k=evaluation.cutoffs[0], unknown="skip"
            )
            titles = table["title"] if "title" in table.columns else table["item_id"]
            listed = test.item_ids.encode(table["item_id"]).tolist()
            lists.append(
                tuple(
                    ListedItem(str(title), ratings.get(item), item in relevant)
                    for item, title in zip(listed, titles, strict=True)
                )
            )
        shown.append(ExampleLists(user, lists[0], lists[1]))
    return shown
