"""Calibration of interest: how often scores are followed by a choice."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from matinee.data import Csr
from matinee.recommend.interest import Calibration, ChoiceRate
from matinee.recommend.interest.calibrate import (
    FLOORS,
    GREATEST_LOVE,
    NOTHING,
    ChoiceCounts,
    _poisson,
)


def csr(rows: list[list[int]], n_items: int) -> Csr:
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    indices = np.array([item for row in rows for item in row], dtype=np.int32)
    return Csr(indptr, indices, np.ones(len(indices), np.float32), None, n_items)


def test_shares_are_those_of_the_formula() -> None:
    scores = np.array([[3.0, -1.0, 0.5, 4.0], [2.0, 2.0, 0.0, 1.0]], dtype=np.float32)
    seen = np.array([[False, False, False, True], [False, False, False, False]])
    result = ChoiceRate(1.5, 0.25).shares(scores, seen)
    for row in range(2):
        size = np.sqrt(np.mean(scores[row] ** 2))
        rates = [
            0.0 if seen[row, item] else max(scores[row, item] / size, 0.25) ** 1.5
            for item in range(4)
        ]
        np.testing.assert_allclose(result[row], np.array(rates) / sum(rates), rtol=1e-6)


def test_a_person_without_scores_chooses_any_item_alike() -> None:
    none = np.zeros((1, 4), dtype=np.float32)
    seen = np.array([[True, False, False, False]])
    np.testing.assert_allclose(ChoiceRate(2.0, 0.1).shares(none, seen), [[0, 1 / 3, 1 / 3, 1 / 3]])
    assert ChoiceRate(2.0, 0.1).shares(none, np.ones((1, 4), dtype=bool)).sum() == 0.0


def test_the_rate_of_a_calibration() -> None:
    assert Calibration(0.5, 0.1).rate == ChoiceRate(2.0, 0.1)
    assert Calibration(GREATEST_LOVE, 0.1).rate == ChoiceRate(0.0, 0.1)


def test_counts_are_those_of_a_dense_reference() -> None:
    rng = np.random.default_rng(0)
    n, items = 12, 40
    scores = rng.normal(0.2, 1.0, (n, items)).astype(np.float32)
    drawn = [rng.permutation(items) for _ in range(n)]
    known, held = [sorted(d[:5]) for d in drawn], [sorted(d[5:8]) for d in drawn]
    counts = ChoiceCounts()
    half = n // 2
    for some in (np.arange(half), np.arange(half, n)):
        counts.add(scores[some], csr(known, items), csr(held, items), some)
    expected, sums, hits = (np.zeros_like(counts.expected) for _ in range(3))
    for person in range(n):
        size = np.sqrt(np.mean(np.square(scores[person])))
        for item in set(range(items)) - set(known[person]):
            scaled = scores[person, item] / size
            at = np.searchsorted(counts.edges, scaled)
            expected[at] += 3 / (items - 5)
            sums[at] += 3 / (items - 5) * max(scaled, 0.0)
            hits[at] += item in held[person]
    np.testing.assert_allclose(counts.expected, expected, rtol=1e-9)
    np.testing.assert_allclose(counts.sums, sums, rtol=1e-5)
    np.testing.assert_array_equal(counts.hits, hits)
    assert hits.sum() == 3 * n


def drawn_choices(
    power: float, floor: float, n: int = 1500, items: int = 60, seed: int = 1
) -> ChoiceCounts:
    """Choices drawn at the rate of ``power`` and ``floor``, two for each person, none known."""
    rng = np.random.default_rng(seed)
    scores = rng.lognormal(0.0, 1.0, (n, items)).astype(np.float32)
    seen = np.zeros((n, items), dtype=bool)
    shares = ChoiceRate(power, floor).shares(scores, seen)
    held = [sorted(rng.choice(items, 2, replace=False, p=row)) for row in shares]
    counts = ChoiceCounts()
    counts.add(scores, csr([[] for _ in range(n)], items), csr(held, items), np.arange(n))
    return counts


@pytest.mark.parametrize("power", [0.5, 1.0])
def test_the_power_of_drawn_choices_is_found(power: float) -> None:
    result = drawn_choices(power, FLOORS[0]).calibration()
    assert 1.0 / result.love == pytest.approx(power, rel=0.12)


def test_choices_at_random_have_no_power() -> None:
    result = drawn_choices(0.0, FLOORS[0]).calibration()
    assert result.love == GREATEST_LOVE
    assert result.rate.power == 0.0


def test_few_choices_at_random_have_no_power() -> None:
    """A slope that chance explains counts as none, one that it does not is kept."""
    at_random = [drawn_choices(0.0, FLOORS[0], 25, seed=seed).calibration() for seed in range(12)]
    assert sum(one.rate.power == 0.0 for one in at_random) >= 11
    by_score = [drawn_choices(1.0, FLOORS[0], 25, seed=seed).calibration() for seed in range(12)]
    assert all(one.rate.power > 0.5 for one in by_score)


def test_without_a_choice_there_is_no_calibration() -> None:
    counts = ChoiceCounts()
    assert counts.calibration() == NOTHING
    scores = np.ones((1, 3), dtype=np.float32)
    counts.add(scores, csr([[0]], 3), csr([[]], 3), np.arange(1))
    assert counts.calibration() == NOTHING


def test_the_likelihood_is_at_its_maximum() -> None:
    rng = np.random.default_rng(2)
    x, exposure = rng.normal(0.0, 1.0, 12), rng.uniform(5.0, 50.0, 12)
    hits = rng.poisson(exposure * np.exp(0.3 + 0.7 * x)).astype(float)
    slope, likelihood = _poisson(x, exposure, hits)
    centred = x - np.average(x, weights=exposure)

    def negative(values: np.ndarray) -> float:
        logs = values[0] + values[1] * centred
        return float((exposure * np.exp(logs)).sum() - (hits * logs).sum())

    best = minimize(negative, [0.0, 0.0], tol=1e-10)
    assert slope == pytest.approx(best.x[1], abs=1e-4)
    assert likelihood == pytest.approx(-best.fun, abs=1e-3)


def test_scores_that_are_followed_by_fewer_choices_have_no_slope() -> None:
    x, exposure = np.linspace(-1.0, 1.0, 8), np.full(8, 20.0)
    hits = exposure * np.exp(-x)
    slope, likelihood = _poisson(x, exposure, hits)
    flat = np.log(hits.sum() / exposure.sum())
    assert slope == 0.0
    assert likelihood == pytest.approx(hits.sum() * flat - hits.sum())
