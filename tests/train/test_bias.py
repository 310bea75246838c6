from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from matinee.baseline.bias import fit_bias
from matinee.data import Histories, Ratings


def sample(seed: int = 0) -> Ratings:
    rng = np.random.default_rng(seed)
    pairs = rng.choice(30 * 20, 250, replace=False)
    return Ratings.from_arrays(pairs // 20, pairs % 20, rng.integers(1, 6, 250))


def naive(train: Ratings, user_reg: float, item_reg: float, epochs: int) -> np.ndarray:
    """The item biases, rating by rating."""
    mean = sum(map(float, train.values)) / len(train)
    items = np.zeros(train.n_items)
    rows = list(zip(train.users.tolist(), train.items.tolist(), train.values.tolist(), strict=True))
    for _ in range(epochs):
        users = np.zeros(train.n_users)
        for u in range(train.n_users):
            residuals = [r - mean - items[i] for v, i, r in rows if v == u]
            users[u] = sum(residuals) / (len(residuals) + user_reg)
        new = np.zeros_like(items)
        for i in range(train.n_items):
            residuals = [r - mean - users[u] for u, j, r in rows if j == i]
            new[i] = sum(residuals) / (len(residuals) + item_reg)
        items = new
    return items


def test_it_is_the_alternating_mean() -> None:
    train = sample()
    table = fit_bias(train, user_reg=4, item_reg=2, epochs=3)
    assert np.allclose(table.item_bias, naive(train, 4, 2, 3), atol=1e-6)
    assert table.mean == pytest.approx(train.values.mean(dtype=np.float64))
    for item in range(train.n_items):
        expected = train.values[train.items == item].mean()
        assert table.item_mean[item] == pytest.approx(expected, abs=1e-6)


def test_users_are_folded_in_from_their_histories() -> None:
    train = sample()
    table = fit_bias(train, user_reg=4)
    histories = Histories.of(train.by_user)
    biases = table.user_bias(histories)
    for user in range(train.n_users):
        of_user = train.users == user
        left = train.values[of_user] - table.mean - table.item_bias[train.items[of_user]]
        assert biases[user] == pytest.approx(left.sum() / (of_user.sum() + 4), abs=1e-6)


def test_what_is_unknown_adds_nothing() -> None:
    table = fit_bias(sample())
    histories = Histories.build([([0, 1], [5, 5]), ([], [])])
    bias = table.user_bias(histories)
    assert bias[1] == 0
    got = table.predict(histories, np.array([-1, -1, 0, 1]), np.array([-1, 2, -1, 2]))
    item = float(table.item_bias[2])
    assert np.allclose(got, np.array([0, item, bias[0], item]) + table.mean, atol=1e-6)


def test_no_regularisation_and_no_ratings_is_finite() -> None:
    train = sample()
    table = fit_bias(train, user_reg=0, item_reg=0)
    assert np.isfinite(table.item_bias).all()
    assert np.isfinite(table.user_bias(Histories.build([([], [])]))).all()


def test_known_rmse_on_real_data(real_data: Callable[[str], Path]) -> None:
    folder = real_data("ml-100k")
    parts = []
    for name in ("u1.base", "u1.test"):
        rows = np.loadtxt(folder / name)
        parts.append((rows[:, 0].astype(int), rows[:, 1].astype(int), rows[:, 2]))
    train = Ratings.from_arrays(*parts[0])
    users, items, values = parts[1]
    table = fit_bias(train)
    predicted = table.predict(
        Histories.of(train.by_user), train.user_ids.encode(users), train.item_ids.encode(items)
    )
    assert np.sqrt(np.mean((predicted - values) ** 2)) == pytest.approx(0.9537, abs=5e-4)


def test_weights_in_closed_form() -> None:
    """Against sums written out; equal weights of any size change nothing."""
    rng = np.random.default_rng(0)
    users, items = np.divmod(rng.choice(120, 60, replace=False), 10)
    plain = Ratings.from_arrays(users, items, rng.integers(1, 6, 60))
    weights = rng.uniform(0.1, 4.0, 60).astype(np.float32)
    fitted = fit_bias(replace(plain, weights=weights), epochs=4)
    relative = weights / weights.mean()
    mean = np.average(plain.values, weights=weights)
    bias = np.zeros(plain.n_items)
    for _ in range(4):
        user_bias = np.zeros(plain.n_users)
        for user in range(plain.n_users):
            of_user = plain.users == user
            residual = plain.values[of_user] - mean - bias[plain.items[of_user]]
            user_bias[user] = residual.sum() / (of_user.sum() + 5.0)
        for item in range(plain.n_items):
            of = plain.items == item
            residual = relative[of] * (plain.values[of] - mean - user_bias[plain.users[of]])
            bias[item] = residual.sum() / (relative[of].sum() + 3.0)
    assert fitted.mean == pytest.approx(mean)
    np.testing.assert_allclose(fitted.item_bias, bias, atol=1e-5)
    equal = fit_bias(replace(plain, weights=np.full(60, 7.0, dtype=np.float32)))
    np.testing.assert_allclose(equal.item_bias, fit_bias(plain).item_bias, atol=1e-6)
    np.testing.assert_allclose(equal.item_mean, fit_bias(plain).item_mean, atol=1e-6)
