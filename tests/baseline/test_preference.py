from __future__ import annotations

import numpy as np
import pytest

from matinee.baseline.preference import fit_preference, liked_from
from matinee.data import Scale


def test_it_finds_the_logistic_model_that_made_the_ratings() -> None:
    rng = np.random.default_rng(0)
    predictions = rng.uniform(1.0, 5.0, 200_000)
    liked = rng.random(len(predictions)) < 1.0 / (1.0 + np.exp(-2.0 * (predictions - 3.6)))
    preference = fit_preference(predictions, np.where(liked, 4.0, 3.0), Scale(1.0, 5.0))
    assert preference.threshold == 4.0
    assert preference.slope == pytest.approx(2.0, abs=0.03)
    assert -preference.intercept / preference.slope == pytest.approx(3.6, abs=0.02)
    sure = preference.probability(np.array([3.6, 5.0], dtype=np.float32))
    assert sure.dtype == np.float32
    assert sure == pytest.approx([0.5, 1 / (1 + np.exp(-2.8))], abs=0.01)


def test_nothing_known_is_a_rising_curve_about_the_threshold() -> None:
    preference = fit_preference(np.empty(0), np.empty(0), Scale(0.0, 10.0))
    assert preference.threshold == 7.5
    low, half, high = preference.probability(np.array([2.0, 7.5, 10.0]))
    assert half == pytest.approx(0.5)
    assert low < 0.05 < half < 0.85 < high


def test_it_never_falls_with_the_prediction() -> None:
    predictions = np.linspace(1.0, 5.0, 500)
    preference = fit_preference(predictions, 6.0 - predictions, Scale(1.0, 5.0))
    assert preference.slope == 0.0


def test_four_of_five_is_liked() -> None:
    assert liked_from(Scale(1.0, 5.0)) == 4.0
    assert liked_from(Scale(0.5, 5.0)) == pytest.approx(3.875)
