"""The gain of one setting over another, by users and seeds."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.evaluate import ErrorSums, paired_gain


def sums_of(errors: np.ndarray, users: np.ndarray) -> ErrorSums:
    sums = ErrorSums.zeros(int(users.max()) + 2, errors.shape[1])  # the last has no ratings
    sums.add(users, errors)
    return sums


def test_a_known_gain() -> None:
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(200), 10)
    base = rng.normal(size=2000)
    errors = np.column_stack([base, base, 0.9 * base, 0.9 * base])
    gain = paired_gain(sums_of(errors, users), np.random.default_rng(1))
    before = float(np.sqrt(np.mean(base**2)))
    assert gain.before == pytest.approx(before)
    assert gain.after == pytest.approx(0.9 * before)
    assert gain.gain == pytest.approx(0.1 * before)
    assert (gain.n, gain.n_users, gain.seeds) == (2000, 200, 2)
    # Paired: the interval is a tenth of an RMSE's own, far narrower than of two separate samples.
    assert gain.interval is not None
    assert gain.interval.low > 0
    assert gain.interval.high - gain.interval.low < 0.02


def test_seeds_that_disagree_widen_the_interval() -> None:
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(200), 10)
    base = rng.normal(size=2000)
    lucky = np.column_stack([base, base, 0.7 * base, 1.25 * base])
    gain = paired_gain(sums_of(lucky, users), np.random.default_rng(1))
    assert gain.gain == pytest.approx(0.025 * gain.before, rel=0.01)
    assert gain.interval is not None
    assert gain.interval.low < -0.2 < 0.25 < gain.interval.high


def test_no_difference_is_not_sure() -> None:
    rng = np.random.default_rng(0)
    users = rng.integers(0, 150, 3000)
    gain = paired_gain(sums_of(rng.normal(size=(3000, 2)), users), np.random.default_rng(1))
    assert gain.interval is not None
    assert gain.interval.low <= 0 <= gain.interval.high


def test_one_user_has_no_interval_and_halves_must_match() -> None:
    errors = np.array([[1.0, 0.5], [2.0, 1.0]])
    gain = paired_gain(sums_of(errors, np.zeros(2, dtype=int)), np.random.default_rng(0))
    assert gain.interval is None
    assert gain.gain == pytest.approx(gain.before / 2)
    with pytest.raises(ValueError, match="as many"):
        paired_gain(sums_of(np.ones((2, 3)), np.zeros(2, dtype=int)), np.random.default_rng(0))
