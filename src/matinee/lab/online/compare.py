"""``compare_online``: compares two served models by the acceptance of their lists."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...base.arrays import Float64, Int64
from ...baseline.preference import liked_from
from ...data import Ratings
from ...errors import UsageError
from ...evaluate import Interval
from ...evaluate.prequential import prequential_predictions
from ...evaluate.ranking.metrics import gini
from ...evaluate.statistics.sequence import LEAST, difference_interval
from ...feedback import FeedbackStore
from ...models import Recommender, identity, load_model
from ...serve.refresh import feedback_ratings
from ..comparison import folder_names
from .outcomes import Arm, read_arms

_BINS = 8
_TOP = 10
_LOOKS = 30
_DAY = 86_400


@dataclass(frozen=True)
class Calibrated:
    """Predictions of similar size, or of one period, and the actual ratings.

    Attributes:
        predicted: Mean prediction, each from the user's earlier ratings.
        given: Mean rating.
        error: Half the width of the 95% interval of ``given - predicted``.
        n: Ratings.
        day: Days since the first rating, in the middle of the time; 0 for bins by size.
    """

    predicted: float
    given: float
    error: float
    n: int
    day: float = 0.0


@dataclass(frozen=True)
class ModelLists:
    """Feedback on the lists of one model.

    Attributes:
        name: Name of the model.
        models: Identifiers of the model: the folder's, then those replaced by a refresh.
        n_lists: Lists shown.
        n_people: Users whose window is closed.
        acceptance: Mean over these of the share of their lists with an accepted item;
            None without users.
        by_rank: Share of accepted items at each rank, from 1; None if no list was
            so long.
        coverage: Share of the items that stood in a list.
        gini: Gini index of how often each item was listed.
        top: The most listed items: title, and the share of lists they stood in.
        calibration: By predicted rating, ascending; empty for a model of interactions.
        drift: By time.
    """

    name: str
    models: tuple[str, ...]
    n_lists: int
    n_people: int
    acceptance: float | None
    by_rank: tuple[float | None, ...]
    coverage: float
    gini: float
    top: tuple[tuple[str, float], ...]
    calibration: tuple[Calibrated, ...]
    drift: tuple[Calibrated, ...]


@dataclass(frozen=True)
class Look:
    """The difference as it could be seen on a day.

    Attributes:
        day: Days since the first list.
        difference: Acceptance of the second model minus that of the first.
        interval: Its 95% interval, valid simultaneously at all looks.
    """

    day: float
    difference: float
    interval: Interval


@dataclass(frozen=True)
class OnlineComparison:
    """Comparison of two served models by the acceptance of their lists.

    Attributes:
        first: A model.
        second: The other.
        days: Length of each user's window.
        difference: Acceptance of the second minus that of the first; None while a side has no
            users.
        interval: 95% interval of it, valid at every look (``difference_interval``); None while a
            side has too few users.
        looks: The difference by day.
        n_both: Users who saw lists of both models, who count for the model of their first list.
    """

    first: ModelLists
    second: ModelLists
    days: float
    difference: float | None
    interval: Interval | None
    looks: tuple[Look, ...]
    n_both: int

    @property
    def verdict(self) -> str:
        """One sentence on the interval."""
        one, two = self.first, self.second
        if self.interval is None:
            return (
                f"{min(one.n_people, two.n_people):,} people on the smaller side: too few for an "
                f"interval, which needs {LEAST}."
            )
        if self.interval.low > 0:
            return f"People accept more from the lists of {two.name}."
        if self.interval.high < 0:
            return f"People accept more from the lists of {one.name}."
        return "No difference is shown so far."

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**asdict(self), "verdict": self.verdict}


def compare_online(
    first: Path, second: Path, store: FeedbackStore, *, days: float = 7.0
) -> OnlineComparison:
    """Compare two models that were served together (``serve A --beside B``).

    A user is one observation: the share of the lists they saw within ``days`` of their first one
    from which they accepted something (a click, a like, or a rating three quarters up the scale).
    It belongs to the model of that first list, whichever made the others (intention to treat). It
    counts once these days are over, and does not change afterwards, so that the interval is valid
    however often one looks.

    Args:
        first: A model folder. Lists of the models that ``refresh`` replaced there count as its.
        second: The other.
        store: Feedback with the lists that were shown.
        days: Length of each user's window.

    Raises:
        UsageError: No list of either model was shown, both are the same, or ``days`` is not above
            0.
        FeedbackError: The store cannot be read.
    """
    if not 0 < days < math.inf:
        raise UsageError(f"days = {days:g}: give a number above 0")
    models = [load_model(folder) for folder in (first, second)]
    names = [_identities(*each) for each in zip(models, (first, second), strict=True)]
    if names[0][0] == names[1][0]:
        raise UsageError(f"{first} and {second} hold the same model")
    # Identifiers in both folders, as if one is a copy of the other, belong to neither.
    distinct = [frozenset(a) - frozenset(b) for a, b in (names, names[::-1])]
    liked = liked_from(models[0].scale)
    arms, latest, n_both = read_arms(store, distinct, liked, days)
    if not any(arm.n_lists for arm in arms):
        raise UsageError(
            f"no list of {first} or {second} is among the feedback; send what was shown as events "
            "of kind 'shown'"
        )
    span = round(days * _DAY)
    outcomes = [arm.outcomes(latest, span) for arm in arms]
    ratings = feedback_ratings(store, models[0].scale) if models[0].knows_ratings else None
    sides = [
        _side(label, model, list_names, arm, values, ratings)
        for label, model, list_names, arm, (_, values) in zip(
            folder_names(first, second), models, names, arms, outcomes, strict=True
        )
    ]
    one, two = (values for _, values in outcomes)
    return OnlineComparison(
        first=sides[0],
        second=sides[1],
        days=days,
        difference=float(two.mean() - one.mean()) if len(one) and len(two) else None,
        interval=difference_interval(one, two),
        looks=tuple(_looks(outcomes)),
        n_both=n_both,
    )


def _identities(model: Recommender, folder: Path) -> list[str]:
    former = model.record.get("refresh", {}).get("former", [])
    return [identity(folder), *map(str, reversed(former))]


def _side(
    label: str,
    model: Recommender,
    names: list[str],
    arm: Arm,
    values: Float64,
    ratings: Ratings | None,
) -> ModelLists:
    n_items = len(model.item_ids)
    counts = np.zeros(n_items, dtype=np.int64)
    codes = model.item_ids.encode(list(arm.items)) if arm.items else np.empty(0, dtype=np.int32)
    np.add.at(counts, codes[codes >= 0], np.array(list(arm.items.values()))[codes >= 0])
    order = np.argsort(-counts, kind="stable")[:_TOP]
    titles = model.item_table.titles if model.item_table is not None else None
    calibration, drift = _calibration(model, arm, ratings)
    return ModelLists(
        name=label,
        models=tuple(names),
        n_lists=arm.n_lists,
        n_people=len(values),
        acceptance=float(values.mean()) if len(values) else None,
        by_rank=tuple(
            float(taken / shown) if shown else None
            for taken, shown in zip(arm.accepted, arm.shown, strict=True)
        ),
        coverage=float((counts > 0).mean()),
        gini=float(gini(counts[None])[0]),
        top=tuple(
            (
                str(model.item_ids.ids[at] if titles is None else titles[at]),
                float(counts[at] / max(arm.n_lists, 1)),
            )
            for at in order.tolist()
            if counts[at]
        ),
        calibration=calibration,
        drift=drift,
    )


def _calibration(
    model: Recommender, arm: Arm, ratings: Ratings | None
) -> tuple[tuple[Calibrated, ...], tuple[Calibrated, ...]]:
    """Compare predictions with ratings of the users who saw the model's lists."""
    if ratings is None:
        return (), ()
    users = ratings.user_ids.decode(ratings.users)
    is_first_arm = np.array([str(user) in arm.first for user in users.tolist()], dtype=bool)
    seen = model.leak_guard.contains(
        ratings.user_ids.ids, ratings.item_ids.ids, ratings.users, ratings.items
    )
    test = ratings.take(is_first_arm & ~seen).compact()
    if len(test) < 2 or model.histories is None:  # one rating has no interval
        return (), ()
    assert test.times is not None
    people = model._people(None, "skip")
    rows = people.rows(test.user_ids.ids)
    predicted = prequential_predictions(model, test, people.histories, rows)
    values = test.values.astype(np.float64)
    days = (test.times - test.times.min()) / _DAY
    by_size = _bins(np.argsort(predicted, kind="stable"), predicted, values)
    by_time = _bins(np.argsort(days, kind="stable"), predicted, values, days)
    return by_size, by_time


def _bins(
    order: Int64, predicted: Float64, values: Float64, days: Float64 | None = None
) -> tuple[Calibrated, ...]:
    bins = []
    for part in np.array_split(order, min(_BINS, max(1, len(order) // 20))):
        errors = values[part] - predicted[part]
        bins.append(
            Calibrated(
                predicted=float(predicted[part].mean()),
                given=float(values[part].mean()),
                error=float(1.96 * errors.std(ddof=1) / np.sqrt(len(part))),
                n=len(part),
                day=0.0 if days is None else float(np.median(days[part])),
            )
        )
    return tuple(bins)


def _looks(outcomes: Sequence[tuple[Int64, Float64]]) -> list[Look]:
    """Return the interval at up to 30 times."""
    (closed, one), (others, two) = outcomes
    if not len(one) or not len(two):
        return []
    start = int(min(closed[0], others[0]))
    looks = []
    for at in np.linspace(start, max(closed[-1], others[-1]), _LOOKS):
        n, m = np.searchsorted(closed, at, "right"), np.searchsorted(others, at, "right")
        bounds = difference_interval(one[:n], two[:m])
        if bounds is not None:
            difference = float(two[:m].mean() - one[:n].mean())
            looks.append(Look((float(at) - start) / _DAY, difference, bounds))
    return looks
