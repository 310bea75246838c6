"""Coverage of the intervals, and the standard deviations beside the errors."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest

from matinee.data import Ratings, Scale, split
from matinee.evaluate._uncertainty import UncertaintySums
from matinee.models import Bias, load_model


def sums(factor: float, scale: Scale, batches: int = 1) -> UncertaintySums:
    rng = np.random.default_rng(0)
    predicted = rng.uniform(-3, 3, 60_000)
    std = rng.uniform(0.2, 1.0, 60_000)
    values = predicted + std * rng.normal(0, 1, 60_000)
    result = UncertaintySums(scale, "validation")
    for part in np.array_split(np.arange(60_000), batches):
        result.add(predicted[part], std[part] * factor, values[part])
    return result


def test_true_ones_cover_what_they_say() -> None:
    summary = sums(1.0, Scale(-100, 100)).result()
    assert summary is not None
    for row in summary.intervals:
        assert row.covered == pytest.approx(row.level, abs=0.006)
    assert [row.level for row in summary.intervals] == [0.5, 0.8, 0.95]
    assert summary.intervals[2].width == pytest.approx(2 * 1.96 * 0.6, rel=0.01)
    assert summary.z_rms == pytest.approx(1, abs=0.01)
    assert [group.std for group in summary.by_std] == sorted(group.std for group in summary.by_std)
    assert len(summary.by_std) == 5
    assert sum(group.n for group in summary.by_std) == 60_000
    for group in summary.by_std:
        assert group.n == pytest.approx(12_000, rel=0.01)
        assert group.rmse == pytest.approx(group.std, rel=0.03)


def test_false_ones_are_shown_up() -> None:
    summary = sums(0.5, Scale(-100, 100)).result()
    assert summary is not None
    assert summary.intervals[2].covered == pytest.approx(0.673, abs=0.01)
    assert summary.z_rms == pytest.approx(2, abs=0.02)


def test_batches_add_up_and_none_is_none() -> None:
    one, many = sums(1.0, Scale(-5, 5)).result(), sums(1.0, Scale(-5, 5), batches=7).result()
    assert one is not None
    assert many is not None
    for each, other in zip(one.intervals, many.intervals, strict=True):
        assert astuple(each) == pytest.approx(astuple(other))
    assert one.z_rms == pytest.approx(many.z_rms)
    assert [group.n for group in one.by_std] == [group.n for group in many.by_std]
    assert UncertaintySums(Scale(1, 5), "bias").result() is None


def test_intervals_end_with_the_scale() -> None:
    outcome = UncertaintySums(Scale(1, 5), "bias")
    outcome.add(np.array([4.9]), np.array([1.0]), np.array([5.0]))
    result = outcome.result()
    assert result is not None
    assert result.intervals[2].width == pytest.approx(0.1 + 1.96, abs=0.01)


def ratings(n: int = 20_000) -> Ratings:
    rng = np.random.default_rng(1)
    pairs = rng.choice(500 * 200, n, replace=False)
    users, items = pairs // 200, pairs % 200
    raw = 3.4 + rng.normal(0, 0.5, 500)[users] + rng.normal(0, 0.6, 200)[items]
    raw += rng.normal(0, 1, n) * np.geomspace(0.3, 1.0, 500)[users]
    return Ratings.from_arrays(users, items, np.clip(raw, 1, 5), scale=Scale(1, 5))


def test_an_evaluation_has_them(tmp_path: object) -> None:
    train, test = split(ratings(), 0.2, seed=0)
    model = Bias().fit(train)
    score = model.evaluate(test)
    assert score.uncertainty is not None
    assert score.uncertainty.source == "leave-one-out"
    for row in score.uncertainty.intervals:
        assert row.covered == pytest.approx(row.level, abs=0.035)
    assert score.uncertainty.z_rms == pytest.approx(1, abs=0.05)
    assert score.as_dict()["uncertainty"]["intervals"][1]["level"] == 0.8
    back = load_model(model.save(tmp_path / "m"))  # type: ignore[operator]
    assert back.evaluate(test).uncertainty == score.uncertainty
    model.predictive_variance = None
    assert model.evaluate(test).uncertainty is None
