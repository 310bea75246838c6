"""``PredictiveVariance``: the standard deviation of the error of each predicted rating.

A log-linear model of the error variance, fitted by maximum likelihood on held-out ratings
(heteroscedastic regression: Harvey, Econometrica 1976). With r the error and x the features of a
prediction,

    r ~ N(0, exp(b . x)),   minimise  sum (b . x + r^2 exp(-b . x)) / 2 + RIDGE |b|^2 / 2

where x is standardised and r is in units of the bias model's RMSE, so that the ridge shrinks
towards a constant variance of that size with the weight of about 2 * RIDGE ratings. The features
are, in this order: log(1 + ratings) and the log of the shrunk residual variance of the user; the
same two of the item; the prediction's position on the scale and its square; and any model-specific
features.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..base.arrays import Array, Float, Float32, Float64, Int32, Int64, Mask, State, evenly_spaced
from ..base.memory import count_codes
from ..data import Csr, Histories, Scale
from .bias import BiasModel, residual_sums

RIDGE = 10.0
_PEOPLE = 4096
"""Users processed at a time."""
SHRINK = 5.0
"""Strength, in ratings, of the shrinkage of a user's or item's residual variance to the mean."""
SAMPLE = 50_000
"""Largest number of held-out predictions in the fit."""

Source = Literal["validation", "cross-fitting", "leave-one-out", "bias"]


@dataclass(frozen=True, eq=False)
class HeldOutPredictions:
    """Predictions of training ratings, each by a model not fitted on that rating.

    Attributes:
        entries: int64 (n,), positions among the training ratings by user.
        predictions: float64 (n,), predicted ratings.
        source: "validation": predictions of a validation part. "cross-fitting": predictions of all
            ratings, each by a model of other folds. "leave-one-out": leave-one-out in closed form.
            "bias": leave-one-out predictions of the bias model, for models without held-out
            predictions.
        extras: float64 (n, k), model-specific features; see ``Recommender._predict_with``.
    """

    entries: Int64
    predictions: Float64
    source: Source
    extras: Float64 | None = None

    def sample(self, size: int = SAMPLE) -> HeldOutPredictions:
        """Return at most ``size`` of them, evenly spaced."""
        if len(self.entries) <= size:
            return self
        kept = evenly_spaced(len(self.entries), size)
        extras = None if self.extras is None else self.extras[kept]
        return HeldOutPredictions(self.entries[kept], self.predictions[kept], self.source, extras)


@dataclass(frozen=True, eq=False)
class PredictiveVariance:
    """A fitted model of the error variance.

    Attributes:
        scale: Range of the ratings.
        variance: Leave-one-out mean squared error of the bias model.
        weights: float64 (1 + features,), the intercept first.
        center: float64 (features,), mean of each feature in the fit.
        width: float64 (features,), standard deviation of each feature in the fit.
        bounds: float64 (2, features), range of each feature in the fit; features are clipped to it.
        items: float32 (n_items, 2), the features of the items.
        unknown: float64 (3,), variance of cold-start predictions, made by the bias model: with
            user and item unknown, the user unknown, and the item unknown.
        n: Held-out predictions in the fit.
        source: Their source; see ``HeldOutPredictions``.
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
        bias: BiasModel,
        histories: Histories,
        rows: Int64,
        items: Int32,
        predictions: Float64,
        extras: Float64 | None = None,
    ) -> Float64:
        """Return standard deviations of errors, float64 (n,), in units of the ratings.

        Args:
            bias: The model's bias model.
            histories: Histories of users, each with at least one rating.
            rows: The row in ``histories`` of each prediction, shape (n,).
            items: Item codes, all known, shape (n,).
            predictions: Predicted ratings, shape (n,).
            extras: Model-specific features, shape (n, k).
        """
        log = self._part(person_features(bias, histories, self.variance), 0)[rows]
        if len(items) < len(self.items):
            log += self._part(self.items[items], 2)
        else:
            log += self._part(self.items, 2)[items]
        log += self._part(_scale_features(predictions, self.scale), 4)
        if extras is not None and len(self.center) > 6:
            log += self._part(extras, 6)
        return np.sqrt(self.variance * np.exp(log + self.weights[0]))

    def _part(self, features: Float, first: int) -> Float64:
        """Return the part of features from ``first`` on in the log variance, float64 (n,)."""
        columns = slice(first, first + features.shape[1])
        clipped = np.clip(features.astype(np.float64), *self.bounds[:, columns])
        weights = self.weights[1:][columns] / self.width[columns]
        return clipped @ weights - self.center[columns] @ weights

    def std_unknown(self, known_user: Mask, known_item: Any) -> Float64:
        """Return standard deviations of cold-start predictions, float64 (n,)."""
        return np.sqrt(self.unknown)[np.where(known_user, 2, np.where(known_item, 1, 0))]

    def state(self) -> State:
        """Return arrays by name and JSON-serialisable values, for ``restore``."""
        names = ("weights", "center", "width", "bounds", "items", "unknown")
        arrays = {name: getattr(self, name) for name in names}
        return arrays, {"variance": self.variance, "n": self.n, "source": self.source}

    @classmethod
    def restore(
        cls, scale: Scale, arrays: dict[str, Any], values: dict[str, Any]
    ) -> PredictiveVariance:
        """Restore a model from the output of ``state``."""
        return cls(scale=scale, **arrays, **values)


def person_features(
    bias: BiasModel, histories: Histories, variance: float, people: Int64 | None = None
) -> Float64:
    """Return log count and log residual variance of each user's ratings, float64 (people, 2).

    Args:
        bias: The bias model of all training ratings.
        histories: Histories of the users.
        variance: Mean squared residual over all ratings.
        people: The rows to compute; by default all.
    """
    out = np.empty((len(histories) if people is None else len(people), 2))
    for start, some in histories.batches(_PEOPLE, people):
        counts, rows = some.counts, some.entry_rows
        residuals = some.values - bias.item_bias[some.items] - np.float32(bias.mean)
        sums = np.bincount(rows, residuals, minlength=len(counts))
        squares = np.bincount(rows, np.square(residuals), minlength=len(counts))
        user_bias = sums / np.maximum(counts + bias.user_reg, 1e-12)
        squares = squares - user_bias * (2.0 * sums - counts * user_bias)
        out[start : start + len(some)] = _count_features(counts, squares, variance)
    return out


def _count_features(counts: Array, squares: Array, variance: float) -> Float64:
    """Return log(1 + n) and the log of the shrunk relative residual variance, (n, 2).

    Args:
        counts: Ratings of each user or item, (n,).
        squares: Sums of their squared residuals of the bias model, (n,).
        variance: Mean squared residual over all ratings.
    """
    unit = max(variance, 1e-30)
    shrunk = (np.maximum(squares, 0.0) / unit + SHRINK) / (counts + SHRINK)
    return np.column_stack([np.log1p(counts), np.log(shrunk)])


def _scale_features(predictions: Float64, scale: Scale) -> Float64:
    """Return the position of predictions on the scale, 0 to 1, and its square, float64 (n, 2)."""
    position = (predictions - scale.low) / max(scale.high - scale.low, 1e-12)
    np.clip(position, 0.0, 1.0, out=position)
    return np.column_stack([position, np.square(position)])


def fit_predictive_variance(
    bias: BiasModel, train: Csr, held_out: HeldOutPredictions, scale: Scale
) -> PredictiveVariance:
    """Fit a model of the error variance.

    Args:
        bias: The bias model of all training ratings.
        train: All training ratings by user.
        held_out: Held-out predictions of some of these ratings.
        scale: Range of the ratings.
    """
    squares = np.zeros(train.n_columns)
    ratings, item_bias = (train.indptr, train.indices, train.values), bias.item_bias
    residual_sums(*ratings, item_bias.astype(np.float64), bias.mean, bias.user_reg, squares)
    counts = count_codes(train.indices, train.n_columns)
    unknown, variance = _unknown(bias, train, counts)
    floor = max(1e-6 * (scale.high - scale.low) ** 2, 1e-12)
    variance = max(variance, floor)
    sample = held_out.sample()
    features = _held_out_features(bias, train, held_out, sample, counts, squares, variance, scale)
    squared = np.square(train.values[sample.entries] - sample.predictions) / variance
    if len(features) == 0:
        features, squared = np.zeros((1, 6)), np.ones(1)
    bounds = np.quantile(features, [0.005, 0.995], axis=0)
    features = np.clip(features, *bounds)
    center, width = features.mean(axis=0), features.std(axis=0)
    width[width < 1e-9] = 1.0
    repeats = max(len(sample.entries), 1) / max(len(np.unique(sample.entries)), 1)
    weights = _fit_weights((features - center) / width, squared, 1.0 / repeats)
    return PredictiveVariance(
        scale=scale,
        variance=variance,
        weights=weights,
        center=center,
        width=width,
        bounds=bounds,
        items=_count_features(counts, squares, variance).astype(np.float32),
        unknown=np.maximum(unknown, floor),
        n=len(sample.entries),
        source=held_out.source,
    )


def leave_one_out(
    bias: BiasModel, train: Csr, *, item_reg: float = 3.0, source: Source = "bias"
) -> HeldOutPredictions:
    """Compute leave-one-out predictions of the bias model for training ratings.

    A rating's weight in its own prediction is about h = 1 / (n_user + user_reg) + 1 / (n_item +
    item_reg); its leave-one-out residual is the residual / (1 - h).

    Args:
        bias: The bias model.
        train: The ratings it was fitted on, by user; at most ``SAMPLE`` of them are predicted.
        item_reg: The shrinkage of the item biases.
        source: "leave-one-out" if the bias model is the model itself, else "bias".
    """
    entries = evenly_spaced(len(train.values), SAMPLE)
    items = train.indices[entries]
    user_bias, n_user = _user_biases(bias, train, entries)
    residuals = train.values[entries] - bias.mean - bias.item_bias[items] - user_bias
    n_item = count_codes(train.indices, train.n_columns)[items]
    weight = 1.0 / np.maximum(n_user + bias.user_reg, 1.0)
    weight += 1.0 / np.maximum(n_item + item_reg, 1.0)
    predictions = train.values[entries] - residuals / (1.0 - np.minimum(weight, 0.8))
    return HeldOutPredictions(entries, predictions, source)


def _user_biases(bias: BiasModel, train: Csr, entries: Int64) -> tuple[Float64, Int64]:
    """Return the bias of each entry's user, and the user's number of ratings."""
    people, person = np.unique(train.rows_of(entries), return_inverse=True)
    biases = bias.user_bias(Histories.of(train), people)
    return biases[person].astype(np.float64), train.counts[people][person]


def _unknown(bias: BiasModel, train: Csr, counts: Int64) -> tuple[Float64, float]:
    """Return leave-one-out mean squared errors of the bias model by known user and item.

    Returns:
        For neither user nor item known, only the item, and only the user, float64 (3,);
        and for both known.
    """
    left_out = leave_one_out(bias, train)
    entries, items = left_out.entries, train.indices[left_out.entries]
    user_bias, n_user = _user_biases(bias, train, entries)
    neither = train.values[entries].astype(np.float64) - bias.mean
    by_item = neither - bias.item_bias[items]
    by_item *= 1.0 + 1.0 / np.maximum(counts[items] + 2.0, 1.0)
    by_user = (neither - user_bias) * (1.0 + 1.0 / np.maximum(n_user + bias.user_reg - 1.0, 1.0))
    residuals = train.values[entries] - left_out.predictions
    unknown = np.array([np.mean(np.square(part)) for part in (neither, by_item, by_user)])
    return unknown, float(np.mean(np.square(residuals)))


def _held_out_features(
    bias: BiasModel,
    train: Csr,
    held_out: HeldOutPredictions,
    sample: HeldOutPredictions,
    counts: Int64,
    squares: Float64,
    variance: float,
    scale: Scale,
) -> Float64:
    """Compute features of a sample of held-out predictions, from the remaining ratings.

    Returns:
        float64 (sample, features).
    """
    out = np.unique(held_out.entries) if held_out.source == "validation" else sample.entries
    items = train.indices[out]
    user_bias, _ = _user_biases(bias, train, out)
    residuals = train.values[out] - bias.mean - bias.item_bias[items] - user_bias
    squared = np.square(residuals)
    people, person = np.unique(train.rows_of(out), return_inverse=True)
    n_user = train.counts[people].astype(np.float64)
    unit = max(variance, 1e-30)
    # The sums of squares of all ratings, including held-out ones.
    log_variance = person_features(bias, Histories.of(train), variance, people)[:, 1]
    sq_user = (np.exp(log_variance) * (n_user + SHRINK) - SHRINK) * unit
    at = np.searchsorted(out, sample.entries)
    if held_out.source == "validation":
        n_user -= np.bincount(person, minlength=len(people))
        sq_user -= np.bincount(person, squared, minlength=len(people))
        user = _count_features(n_user, sq_user, variance)[person[at]]
        n_item = counts - np.bincount(items, minlength=len(counts))
        sq_item = squares - np.bincount(items, squared, minlength=len(counts))
        item = _count_features(n_item, sq_item, variance)[items[at]]
    else:
        user = _count_features(n_user[person] - 1, sq_user[person] - squared, variance)[at]
        item = _count_features(counts[items] - 1, squares[items] - squared, variance)[at]
    parts = [user, item, _scale_features(sample.predictions, scale)]
    return np.hstack(parts if sample.extras is None else [*parts, sample.extras])


def _fit_weights(features: Float64, squared: Float64, sample_weight: float) -> Float64:
    """Minimise the penalised negative log-likelihood, which is convex, by Newton's method.

    Args:
        features: Standardised features, (n, features).
        squared: Squared errors in units of the mean variance, (n,).
        sample_weight: Weight of each row: below 1 if ratings are predicted several times.
    """
    design = np.column_stack([np.ones(len(features)), features])
    weights = np.zeros(design.shape[1])

    def loss(at: Float64) -> float:
        log = np.clip(design @ at, -50.0, 50.0)
        likelihood = (log + squared * np.exp(-log)).sum() * sample_weight
        return float(likelihood + RIDGE * at @ at) / 2.0

    current = loss(weights)
    for _ in range(100):
        ratio = squared * np.exp(-np.clip(design @ weights, -50.0, 50.0))
        gradient = design.T @ (1.0 - ratio) * sample_weight / 2.0 + RIDGE * weights
        hessian = (design * ratio[:, None]).T @ design * sample_weight / 2.0
        hessian += RIDGE * np.eye(len(weights))
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while size > 1e-6 and loss(weights - size * step) > current:
            size /= 2.0
        weights = weights - size * step
        previous, current = current, loss(weights)
        if previous - current < 1e-9 * (1.0 + abs(current)):
            break
    return weights
