from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from matinee.evaluate import METRICS, ErrorSums, mae, rmse

ratings = st.lists(
    st.tuples(st.integers(0, 6), st.floats(-10, 10), st.floats(-10, 10)), min_size=1, max_size=60
)


@given(ratings)
def test_sums_give_the_plain_formulas(rows: list[tuple[int, float, float]]) -> None:
    users = np.array([row[0] for row in rows])
    errors = np.array([row[1] - row[2] for row in rows])
    sums = ErrorSums.zeros(7, 1)
    for part in np.array_split(np.arange(len(rows)), 3):
        sums.add(users[part], errors[part, None])
    n = len(rows)
    assert sums.n == n
    squared = math.sqrt(math.fsum(e * e for e in errors) / n)
    assert sums.rmse()[0] == pytest.approx(squared, abs=1e-12)
    assert sums.mae()[0] == pytest.approx(math.fsum(abs(e) for e in errors) / n, abs=1e-12)
    assert sums.totals().mean("signed")[0] == pytest.approx(math.fsum(errors) / n, abs=1e-12)
    by_user = [math.sqrt(np.mean(errors[users == u] ** 2)) for u in np.unique(users)]
    assert sums.mean_user_rmse()[0] == pytest.approx(np.mean(by_user), abs=1e-9)
    predicted, actual = [row[1] for row in rows], [row[2] for row in rows]
    assert rmse(predicted, actual) == pytest.approx(squared, abs=1e-12)
    assert mae(predicted, actual) == pytest.approx(sums.mae()[0], abs=1e-12)


def test_the_global_rmse_weighs_ratings_and_not_users() -> None:
    sums = ErrorSums.zeros(2, 1)
    sums.add(np.array([0, 1, 1, 1]), np.array([[2.0], [0.0], [0.0], [0.0]]))
    assert sums.rmse()[0] == 1.0
    assert sums.mean_user_rmse()[0] == 1.0
    sums.add(np.array([1] * 12), np.zeros((12, 1)))
    assert sums.rmse()[0] == 0.5
    assert sums.mean_user_rmse()[0] == 1.0


def test_float32_predictions_are_summed_in_float64() -> None:
    n = 20_000
    predicted = np.full(n, 3.1, dtype=np.float32)
    actual = np.full(n, 3.0, dtype=np.float32)
    exact = abs(float(np.float32(3.1)) - 3.0)
    assert rmse(predicted, actual) == pytest.approx(exact, rel=1e-12)
    assert mae(predicted, actual) == pytest.approx(exact, rel=1e-12)


def test_nothing_has_no_error() -> None:
    assert math.isnan(rmse([], []))
    assert math.isnan(mae([], []))


def test_the_mean_error_is_above_0_where_predictions_are_too_high() -> None:
    sums = ErrorSums.zeros(2, 2)
    sums.add(np.array([0, 1, 1, 1]), np.array([[2.0, -1.0], [0.0, -1.0], [-1.0, -1.0], [3.0, 1.0]]))
    assert METRICS["mean_error"].from_sums(sums.totals()).tolist() == [1.0, -0.5]
