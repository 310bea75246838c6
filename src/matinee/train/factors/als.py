"""Biased matrix factorisation by alternating least squares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...base.arrays import Float32, Float64, Int32, Int64, Mask
from ...data import Csr, Ratings
from .als_kernels import entry_scores, solve_rows
from .config import FactorsConfig

RIDGES = (0.8, 1.0, 1.2, 1.45, 1.75, 2.2, 3.0, 5.0)
"""The path of "auto", from the weakest: factors shrunk to zero by a strong ridge stay zero."""
_FIRST, _EACH = 5, 2
"""Sweeps at the first ridge of the path, and at each later one, which is warm-started."""


@dataclass(frozen=True, eq=False)
class Side:
    """The biases and factors of all users, or of all items.

    Attributes:
        bias: float32 (n,).
        factors: float32 (n, width).
    """

    bias: Float32
    factors: Float32

    @classmethod
    def zeros(cls, n: int, width: int) -> Side:
        """Return zero biases and factors."""
        return cls(np.zeros(n, dtype=np.float32), np.zeros((n, width), dtype=np.float32))


@dataclass(frozen=True, eq=False)
class Factors:
    """A fitted factor model: ``rating = mean + spread * (user bias + item bias + p_u . q_i)``.

    Users are not stored: their bias and factors are the ridge solution for their ratings given the
    items, so a training user and a new one with the same ratings get the same predictions.

    Attributes:
        mean: Mean of the training ratings.
        spread: Standard deviation of the training ratings; 1 if all are equal.
        items: Biases and factors of the items.
        ridge: The strength it was trained with.
    """

    mean: float
    spread: float
    items: Side
    ridge: float

    def scaled(self, values: Float32) -> Float32:
        """Standardise ratings: subtract the mean and divide by the spread."""
        return ((values - self.mean) / self.spread).astype(np.float32)

    def fold_in(self, rows: Csr, config: FactorsConfig) -> Side:
        """Compute biases and factors of users from their ratings.

        The cost per user is ``ratings * width^2 / 2 + width^3 / 6`` multiplications.
        """
        side = Side.zeros(rows.n_rows, self.items.factors.shape[1])
        ridges = self.ridge, config.ridge_power, config.user_ridge
        solve_side(rows, self.scaled(rows.values), self.items, side, ridges)
        return side

    def ratings(self, users: Side, rows: Int64 | Int32, items: Int32) -> Float64:
        """Return unclipped predictions at entries (rows of ``users``, items), float64."""
        out = np.empty(len(items))
        entry_scores(
            rows, items, users.bias, users.factors, self.items.bias, self.items.factors, out
        )
        return self.mean + self.spread * out


@dataclass(frozen=True, eq=False)
class RidgeSearch:
    """The search of the ridge, by ratings held out of training.

    Attributes:
        ridge: The chosen one.
        path: Held-out RMSE by ridge; empty if there were too few ratings to hold any out.
        held: The held-out ratings, bool (ratings,).
        predictions: Their predictions with the chosen ridge, float64 (held.sum(),).
    """

    ridge: float
    path: list[tuple[float, float]]
    held: Mask
    predictions: Float64


def fit_factors(
    train: Ratings,
    config: FactorsConfig,
    rng: np.random.Generator,
    on_sweep: Callable[[Factors, Side], None] | None = None,
) -> tuple[Factors, RidgeSearch | None]:
    """Fit biased matrix factorisation (Koren, Bell & Volinsky 2009) by alternating least squares.

    Alternating least squares rather than SGD: on ML-1M it reaches a similar error (validation RMSE
    0.848 against 0.849 of SGD with 128 factors) in half the time, needs no step size, and does not
    depend on the number of threads. The ridge grows with a row's number of ratings to the power
    ``ridge_power``: 0 is ridge regression, 1 the weighted regularisation of Zhou et al. 2008; 0.5
    is better than either (0.8480 against 0.8543 and 0.8528 at their best).

    ``on_sweep`` is called after each sweep of the final fit with the model and the users' side.

    Returns:
        The model, and the search of the ridge; None if it was given.
    """
    search: RidgeSearch | None = None
    if config.ridge == "auto":
        search = _search(train, config, rng)
        ridge = search.ridge
    else:
        ridge = config.ridge
    als = _Als(train, config, rng)
    for _ in range(config.sweeps):
        als.sweep(ridge)
        if on_sweep is not None:
            on_sweep(als.model(ridge), als.users)
    return als.model(ridge), search


def _search(train: Ratings, config: FactorsConfig, rng: np.random.Generator) -> RidgeSearch:
    """Choose the ridge.

    The path ends when two ridges in a row are significantly worse than the best. The strongest
    ridge within one standard error of the best is chosen (Breiman et al. 1984): with few held-out
    ratings the best is partly luck.
    """
    out = rng.random(len(train)) < config.held_out
    if not out.any() or out.all():
        # no held-out ratings: biases only
        return RidgeSearch(RIDGES[-1], [], np.zeros(len(train), dtype=np.bool_), np.zeros(0))
    held = train.take(out)
    als = _Als(train.take(~out), config, rng)
    errors: list[Float64] = []
    guesses: list[Float64] = []
    for ridge in RIDGES:
        for _ in range(_EACH if errors else _FIRST):
            als.sweep(ridge)
        model = als.model(ridge)
        guess = model.ratings(model.fold_in(als.by_user, config), held.users, held.items)
        guesses.append(guess)
        errors.append(np.square(np.clip(guess, train.scale.low, train.scale.high) - held.values))
        best = min(errors, key=np.mean)
        if len(errors) > 2 and all(_excess(error, best) > 2 for error in errors[-2:]):
            break
    chosen = max(at for at, error in enumerate(errors) if _excess(error, best) <= 1)
    rmses = [float(np.sqrt(error.mean())) for error in errors]
    path = list(zip(RIDGES, rmses, strict=False))
    return RidgeSearch(RIDGES[chosen], path, out, guesses[chosen])


def _excess(errors: Float64, best: Float64) -> float:
    """Return by how many standard errors squared errors exceed the best's, in a paired test."""
    worse = errors - best
    spread = float(worse.std()) / len(worse) ** 0.5
    return float(worse.mean()) / spread if spread > 0 else 0.0


class _Als:
    """Alternating least squares over users and items."""

    def __init__(self, train: Ratings, config: FactorsConfig, rng: np.random.Generator) -> None:
        self.config = config
        self.by_user, self.by_item = train.by_user, train.by_item
        self.mean = float(train.values.mean(dtype=np.float64))
        spread = float(train.values.std(dtype=np.float64))
        self.spread = spread if spread > 1e-9 * abs(self.mean) else 1.0
        width = config.factors
        self.users = Side.zeros(train.n_users, width)
        self.items = Side.zeros(train.n_items, width)
        self.items.factors[:] = rng.normal(0.0, 0.1, self.items.factors.shape)
        model = self.model(0.0)
        self._user_targets = model.scaled(self.by_user.values)
        self._item_targets = model.scaled(self.by_item.values)

    def sweep(self, ridge: float) -> None:
        """Solve for all users, then for all items."""
        users, items, config = self.users, self.items, self.config
        power = config.ridge_power
        of_users, of_items = (ridge, power, config.user_ridge), (ridge, power, config.item_ridge)
        solve_side(self.by_user, self._user_targets, items, users, of_users)
        solve_side(self.by_item, self._item_targets, users, items, of_items)

    def model(self, ridge: float) -> Factors:
        """Return the current model. The next sweep changes it."""
        return Factors(self.mean, self.spread, self.items, ridge)


def solve_side(
    rows: Csr,
    targets: Float32,
    fixed: Side,
    out: Side,
    ridges: tuple[float, float, float],
) -> None:
    """Solve for the biases and factors of one side; see ``solve_rows`` for the ridges."""
    sides = (fixed.bias, fixed.factors), ridges, (out.bias, out.factors)
    solve_rows(rows.indptr, rows.indices, targets, *sides)
