"""How far off a prediction may be: a standard deviation for each.

A log-linear model of the variance of the errors, fitted by maximum likelihood on ratings that the
predictions had not seen (heteroscedastic regression: Harvey, Econometrica 1976). With r the error
and x what is known of a prediction,

    r ~ N(0, exp(b . x)),   minimise  sum (b . x + r^2 exp(-b . x)) / 2 + RIDGE |b|^2 / 2

where x is standardised and r is measured in units of the error that the bias model would make, so
that the ridge draws towards a constant spread of that size, and weighs about as much as 2 * RIDGE
ratings. x holds the logs of how many ratings the user has given and the item been given; how
unruly either is beyond that (mean square of what the bias model leaves of their ratings, shrunk);
where on the scale the prediction stands; and what the model itself has to add.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ..base.arrays import Float32, Float64, Int32, Int64
from ..data import Csr, Histories, Scale
from .bias import BiasTable, residual_sums

RIDGE = 10.0
SHRINK = 5.0
"""Ratings of the usual unruliness that a user's or item's own are weighed against."""
SAMPLE = 50_000
"""Errors the model is fitted on, at most."""

Source = Literal["validation", "leave-one-out", "bias"]


@dataclass(frozen=True, eq=False)
class Errors:
    """Predictions of ratings that they had not seen.

    Attributes:
        entries: int64 (n,), which of the training ratings, by user, they are.
        predictions: float64 (n,), as the model would give them.
        source: "validation": kept out of training. "leave-one-out": each predicted, in closed
            form, as if it alone had been left out. "bias": the same of the bias model, where there
            is no honest way to the model's own.
        extras: float64 (n, k), what the model has to add; see ``Recommender._predict_with``.
    """

    entries: Int64
    predictions: Float64
    source: Source
    extras: Float64 | None = None

    def sample(self, size: int = SAMPLE) -> Errors:
        """Evenly spaced ones."""
        some = np.unique(np.linspace(0, max(len(self.entries) - 1, 0), size).astype(np.int64))
        if len(self.entries) <= size:
            return self
        extras = None if self.extras is None else self.extras[some]
        return Errors(self.entries[some], self.predictions[some], self.source, extras)


@dataclass(frozen=True, eq=False)
class Spread:
    """A fitted model of the spread.

    Attributes:
        scale: Range of the ratings.
        variance: Mean squared error of the bias model on ratings left out.
        weights: float64 (1 + features,), the constant first.
        center: float64 (features,), mean of each feature where it was fitted.
        width: float64 (features,), standard deviation likewise.
        bounds: float64 (2, features), the range it was fitted in: no further is it believed.
        items: float32 (n_items, 2), the features of the items.
        unknown: float64 (3,), variance where the bias model answers: for an unknown user and item,
            an unknown user, an unknown item.
        n: Errors it was fitted on.
        source: Where they came from; see ``Errors``.
    """

    scale: Scale
    variance: float
    weights: Float64
    center: Float64
    width: Float64
    bounds: Float64
    items: Float32
    unknown: Float64
    n: int
    source: Source

    def std(
        self,
        bias: BiasTable,
        histories: Histories,
        rows: Int64,
        items: Int32,
        predictions: Float64,
        extras: Float64 | None = None,
    ) -> Float64:
        """Standard deviations, float64 (n,), in units of the ratings.

        Args:
            bias: The model's bias model.
            histories: People, each with at least one rating.
            rows: Which person each prediction is for, shape (n,).
            items: Item codes, all known, shape (n,).
            predictions: What was predicted, shape (n,).
            extras: What the model has to add, shape (n, k).
        """
        log = self._part(person_features(bias, histories, self.variance), 0)[rows]
        if len(items) < len(self.items):
            log += self._part(self.items[items], 2)
        else:
            log += self._part(self.items, 2)[items]
        log += self._part(_place(predictions, self.scale), 4)
        if extras is not None and len(self.center) > 6:
            log += self._part(extras, 6)
        found: Float64 = np.sqrt(self.variance * np.exp(log + self.weights[0]))
        return found

    def _part(self, columns: npt.NDArray[np.floating[Any]], first: int) -> Float64:
        """What some features, from number ``first`` on, add to the log of the variance, (n,)."""
        own = slice(first, first + columns.shape[1])
        held = np.clip(columns.astype(np.float64), *self.bounds[:, own])
        weights = self.weights[1:][own] / self.width[own]
        found: Float64 = held @ weights - self.center[own] @ weights
        return found

    def std_unknown(self, known_user: npt.NDArray[np.bool_], known_item: Any) -> Float64:
        """Standard deviations where the bias model answers, float64 (n,)."""
        found: Float64 = np.sqrt(self.unknown)[np.where(known_user, 2, np.where(known_item, 1, 0))]
        return found

    def state(self) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        """Arrays by name, and a JSON-able rest, to make the same again."""
        names = ("weights", "center", "width", "bounds", "items", "unknown")
        arrays = {name: getattr(self, name) for name in names}
        return arrays, {"variance": self.variance, "n": self.n, "source": self.source}

    @classmethod
    def restore(cls, scale: Scale, arrays: dict[str, Any], rest: dict[str, Any]) -> Spread:
        """From what ``state`` gave."""
        return cls(scale=scale, **arrays, **rest)


def person_features(bias: BiasTable, histories: Histories, variance: float) -> Float64:
    """What a person's history tells of their unruliness, float64 (people, 2)."""
    counts = histories.counts
    rows = np.repeat(np.arange(len(counts)), counts)
    left = histories.values - bias.item_bias[histories.items] - np.float32(bias.mean)
    sums = np.bincount(rows, left, minlength=len(counts))
    squares = np.bincount(rows, np.square(left), minlength=len(counts))
    own = sums / np.maximum(counts + bias.user_reg, 1e-12)
    squares = squares - own * (2.0 * sums - counts * own)
    return _side(counts, squares, variance)


def _side(counts: npt.NDArray[Any], squares: npt.NDArray[Any], variance: float) -> Float64:
    """Log of the number of ratings, and log of their unruliness as a multiple of the usual."""
    unit = max(variance, 1e-30)
    shrunk = (np.maximum(squares, 0.0) / unit + SHRINK) / (counts + SHRINK)
    return np.column_stack([np.log1p(counts), np.log(shrunk)])


def _place(predictions: Float64, scale: Scale) -> Float64:
    """Where on the scale predictions stand, 0 to 1, and its square, float64 (n, 2)."""
    place = (predictions - scale.low) / max(scale.high - scale.low, 1e-12)
    np.clip(place, 0.0, 1.0, out=place)
    return np.column_stack([place, np.square(place)])


def fit_spread(bias: BiasTable, train: Csr, errors: Errors, scale: Scale) -> Spread:
    """Fit the model.

    Args:
        bias: The bias model of all training ratings.
        train: All training ratings by user.
        errors: Predictions of some of them.
        scale: Range of the ratings.
    """
    squares = np.zeros(train.n_columns)
    residual_sums(train.indptr, train.indices, train.values, *_floats(bias), squares)
    counts = np.bincount(train.indices, minlength=train.n_columns)
    unknown, variance = _unknown(bias, train, counts)
    floor = max(1e-6 * (scale.high - scale.low) ** 2, 1e-12)
    variance = max(variance, floor)
    few = errors.sample()
    columns = _held_columns(bias, train, errors, few, counts, squares, variance, scale)
    wanted = np.square(train.values[few.entries] - few.predictions) / variance
    if len(columns) == 0:
        columns, wanted = np.zeros((1, 6)), np.ones(1)
    # The ends of a small sample are left alone; of a large one a hundredth on either side is.
    bounds = np.quantile(columns, [0.005, 0.995], axis=0)
    columns = np.clip(columns, *bounds)
    center, width = columns.mean(axis=0), columns.std(axis=0)
    width[width < 1e-9] = 1.0
    ways = max(len(few.entries), 1) / max(len(np.unique(few.entries)), 1)
    weights = _likeliest((columns - center) / width, wanted, 1.0 / ways)
    return Spread(
        scale=scale,
        variance=variance,
        weights=weights,
        center=center,
        width=width,
        bounds=bounds,
        items=_side(counts, squares, variance).astype(np.float32),
        unknown=np.maximum(unknown, floor),
        n=len(few.entries),
        source=errors.source,
    )


def bias_errors(
    bias: BiasTable, train: Csr, *, item_reg: float = 3.0, source: Source = "bias"
) -> Errors:
    """What the bias model says of training ratings, each as if it had been left out.

    An entry's own weight in its prediction is about 1 / (n_user + user_reg) + 1 / (n_item +
    item_reg); the error of leaving it out is larger by 1 / (1 - that weight).

    Args:
        bias: The bias model.
        train: The ratings it was fitted on, by user; some are chosen.
        item_reg: The shrinkage of the item biases.
        source: "leave-one-out" where the bias model is the model itself.
    """
    entries = _some(len(train.values))
    rows = np.searchsorted(train.indptr, entries, side="right") - 1
    items = train.indices[entries]
    own, counts = _own_biases(bias, train, rows)
    left = train.values[entries] - bias.mean - bias.item_bias[items] - own
    given = np.bincount(train.indices, minlength=train.n_columns)[items]
    weight = 1.0 / np.maximum(counts + bias.user_reg, 1.0)
    weight += 1.0 / np.maximum(given + item_reg, 1.0)
    return Errors(entries, train.values[entries] - left / (1.0 - np.minimum(weight, 0.8)), source)


def _some(n: int) -> Int64:
    return np.unique(np.linspace(0, max(n - 1, 0), min(n, SAMPLE)).astype(np.int64))


def _floats(bias: BiasTable) -> tuple[Float64, float, float]:
    return bias.item_bias.astype(np.float64), bias.mean, bias.user_reg


def _own_biases(bias: BiasTable, train: Csr, rows: Int64) -> tuple[Float64, Int64]:
    """The user bias and the number of ratings behind each of some entries."""
    people, place = np.unique(rows, return_inverse=True)
    histories = Histories.of(train).take(people)
    return bias.user_bias(histories)[place].astype(np.float64), histories.counts[place]


def _unknown(bias: BiasTable, train: Csr, counts: Int64) -> tuple[Float64, float]:
    """Mean squares of what is left of a rating with nothing, only the item, only the user known.

    And with both. All as if the rating itself had been left out.
    """
    entries = _some(len(train.values))
    rows = np.searchsorted(train.indptr, entries, side="right") - 1
    items = train.indices[entries]
    own, given = _own_biases(bias, train, rows)
    alone = train.values[entries].astype(np.float64) - bias.mean
    by_item = (alone - bias.item_bias[items]) * (1.0 + 1.0 / np.maximum(counts[items] + 2.0, 1.0))
    by_user = (alone - own) * (1.0 + 1.0 / np.maximum(given + bias.user_reg - 1.0, 1.0))
    both = bias_errors(bias, train)
    left = train.values[both.entries] - both.predictions
    found = np.array([np.mean(np.square(part)) for part in (alone, by_item, by_user)])
    return found, float(np.mean(np.square(left)))


def _held_columns(
    bias: BiasTable,
    train: Csr,
    errors: Errors,
    few: Errors,
    counts: Int64,
    squares: Float64,
    variance: float,
    scale: Scale,
) -> Float64:
    """Features of some errors, with user and item known by the ratings that were not left out."""
    out = np.unique(errors.entries) if errors.source == "validation" else few.entries
    rows = np.searchsorted(train.indptr, out, side="right") - 1
    items = train.indices[out]
    own, _ = _own_biases(bias, train, rows)
    left = np.square(train.values[out] - bias.mean - bias.item_bias[items] - own)
    people, place = np.unique(rows, return_inverse=True)
    histories = Histories.of(train).take(people)
    whole = person_features(bias, histories, variance)
    n_user = histories.counts.astype(np.float64)
    unit = max(variance, 1e-30)
    sq_user = (np.exp(whole[:, 1]) * (n_user + SHRINK) - SHRINK) * unit
    at = np.searchsorted(out, few.entries)
    if errors.source == "validation":
        n_user -= np.bincount(place, minlength=len(people))
        sq_user -= np.bincount(place, left, minlength=len(people))
        user = _side(n_user, sq_user, variance)[place[at]]
        n_item = counts - np.bincount(items, minlength=len(counts))
        sq_item = squares - np.bincount(items, left, minlength=len(counts))
        item = _side(n_item, sq_item, variance)[items[at]]
    else:
        user = _side(n_user[place] - 1, sq_user[place] - left, variance)[at]
        item = _side(counts[items] - 1, squares[items] - left, variance)[at]
    parts = [user, item, _place(few.predictions, scale)]
    return np.hstack(parts if few.extras is None else [*parts, few.extras])


def _likeliest(columns: Float64, squared: Float64, worth: float) -> Float64:
    """Newton's method; the penalised likelihood is convex in the log of the variance.

    ``worth`` is what each row counts for: less than 1 where a rating was predicted in several ways.
    """
    design = np.column_stack([np.ones(len(columns)), columns])
    weights = np.zeros(design.shape[1])

    def cost(at: Float64) -> float:
        log = np.clip(design @ at, -50.0, 50.0)
        return float((log + squared * np.exp(-log)).sum() * worth + RIDGE * at @ at) / 2.0

    now = cost(weights)
    for _ in range(100):
        share = squared * np.exp(-np.clip(design @ weights, -50.0, 50.0))
        slope = design.T @ (1.0 - share) * worth / 2.0 + RIDGE * weights
        curve = (design * share[:, None]).T @ design * worth / 2.0 + RIDGE * np.eye(len(weights))
        step = np.linalg.solve(curve, slope)
        size = 1.0
        while size > 1e-6 and cost(weights - size * step) > now:
            size /= 2.0
        weights = weights - size * step
        before, now = now, cost(weights)
        if before - now < 1e-9 * (1.0 + abs(now)):
            break
    return weights
