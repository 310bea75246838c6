from __future__ import annotations

import numpy as np
import pytest

from matinee.evaluate import ErrorSums, bootstrap, interval
from matinee.evaluate.statistics import bootstrap as module


def sums_of(rng: np.random.Generator, users: int, spread: float = 0.5) -> ErrorSums:
    """Users with their own error level, so that ratings of one user go together."""
    counts = rng.integers(1, 20, users)
    level = np.exp(rng.normal(0, spread, users))
    who = np.repeat(np.arange(users), counts)
    errors = rng.normal(0, 1, len(who)) * level[who]
    sums = ErrorSums.zeros(users, 2)
    sums.add(who, np.stack([errors, errors * 1.1], axis=1))
    return sums


def test_it_is_seeded() -> None:
    sums = sums_of(np.random.default_rng(0), 50)
    one, two = (bootstrap(sums, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(one.rmse, two.rmse)
    assert not np.array_equal(one.rmse, bootstrap(sums, np.random.default_rng(4)).rmse)


def test_resamples_are_of_users() -> None:
    """Against one resample made by hand from the same draws."""
    sums = sums_of(np.random.default_rng(0), 40)
    got = bootstrap(sums, np.random.default_rng(5), resamples=7)
    drawn = np.random.default_rng(5).integers(0, 40, (7, 40), dtype=np.int32)
    for row in range(7):
        part = sums.take(drawn[row])
        assert np.allclose(got.rmse[row], part.rmse())
        assert np.allclose(got.mean("absolute")[row], part.mae())


def test_models_share_the_draws() -> None:
    """The second model's errors are 1.1 times the first's: the ratio does not vary."""
    draws = bootstrap(sums_of(np.random.default_rng(1), 60), np.random.default_rng(0))
    assert np.allclose(draws.rmse[:, 1] / draws.rmse[:, 0], 1.1)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    truth = np.exp(0.5**2)  # square root of the mean of exp(2 x), x normal with deviation 0.5
    hits = 0
    for _ in range(200):
        low, high = interval(bootstrap(sums_of(rng, 150), rng, resamples=300).rmse[:, 0])
        hits += low <= truth <= high
    assert 0.86 <= hits / 200 <= 0.99


def test_groups_of_users_give_the_same_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    sums = sums_of(np.random.default_rng(2), 4000)
    plain = interval(bootstrap(sums, np.random.default_rng(0)).rmse[:, 0])
    monkeypatch.setattr(module, "_GROUPS", 500)
    grouped = interval(bootstrap(sums, np.random.default_rng(0)).rmse[:, 0])
    width = plain.high - plain.low
    assert grouped.low == pytest.approx(plain.low, abs=0.15 * width)
    assert grouped.high == pytest.approx(plain.high, abs=0.15 * width)


def test_small_batches_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    sums = sums_of(np.random.default_rng(0), 30)
    whole = bootstrap(sums, np.random.default_rng(1), resamples=20)
    monkeypatch.setattr(module, "_DRAWS", 90)
    parts = bootstrap(sums, np.random.default_rng(1), resamples=20)
    assert parts.rmse.shape == whole.rmse.shape
    assert np.allclose(parts.rmse, whole.rmse)


def test_the_interval_is_of_95_percent() -> None:
    assert interval(np.arange(1001.0)) == (25.0, 975.0)


def test_groups_are_of_users_at_random(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of users in the order of their values, neighbours in a group would vary far more."""
    monkeypatch.setattr(module, "_GROUPS", 50)
    values = np.arange(2000.0)[:, None]
    sums = module.resample(values, np.random.default_rng(0), 400)[:, 0]
    assert sums.std() == pytest.approx(np.sqrt(2000) * values.std(), rel=0.3)
