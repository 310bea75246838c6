"""Weights of an ensemble: least squares where it pays, the plain mean where it may be chance."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.train import Blend, fit_blend


def problem(
    n: int, noises: list[float], seed: int = 0, signal: float = 0.5
) -> tuple[np.ndarray, np.ndarray]:
    """Deviations that are each the truth and noise of its own, and what was wanted."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, signal, n)
    columns = np.column_stack([truth + rng.normal(0, noise, n) for noise in noises])
    return columns, truth + rng.normal(0, 0.8, n)


def test_a_worse_member_weighs_less() -> None:
    predictions, wanted = problem(50_000, [0.1, 0.4])
    blend = fit_blend(predictions, wanted, [[0], [1]], 2)
    expected = 0.4**2 / (0.1**2 + 0.4**2)
    assert blend.weights[0] / blend.weights.sum() == pytest.approx(expected, abs=0.03)
    assert (blend.weights >= 0).all()
    assert blend.weights.sum() <= 1


def test_copies_share_the_weight_of_their_entry() -> None:
    predictions, wanted = problem(50_000, [0.1, 0.4])
    one = fit_blend(predictions, wanted, [[0], [1]], 2).weights
    more = fit_blend(predictions, wanted, [[0, 2], [1]], 4).weights
    assert more[0] == more[2] == pytest.approx(one[0] / 2, rel=0.05)
    assert more[3] == 0


def test_chance_moves_nothing() -> None:
    """Entries that are as good as each other stay nearly equal, however few the ratings."""
    for n in (200, 1600):
        excess = []
        for seed in range(200):
            predictions, wanted = problem(n, [0.3, 0.3], seed)
            weights = fit_blend(predictions, wanted, [[0], [1]], 2).weights
            weights /= weights.sum()
            # What these weights cost against equal ones, in expectation.
            excess.append(0.3**2 * (np.square(weights).sum() - 0.5))
        assert np.mean(excess) < 0.73 / n


def test_noise_is_shrunk_to_the_bias_model() -> None:
    predictions, wanted = problem(20_000, [0.5, 0.5], signal=0.0)
    assert fit_blend(predictions, wanted, [[0], [1]], 2).weights.sum() < 0.05
    predictions, wanted = problem(20_000, [0.01, 0.01])
    assert fit_blend(predictions, wanted, [[0], [1]], 2).weights.sum() > 0.95


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_the_scale_of_the_ratings_is_no_matter(scale: float) -> None:
    predictions, wanted = problem(500, [0.1, 0.4, 0.8])
    plain = fit_blend(predictions, wanted, [[0], [1], [2]], 3).weights
    assert np.allclose(
        fit_blend(predictions * scale, wanted * scale, [[0], [1], [2]], 3).weights, plain
    )


def test_least_squares_is_the_best_on_the_simplex() -> None:
    from matinee.train._blend import _least_squares

    predictions, wanted = problem(300, [0.3, 0.6, 2.0], seed=4)
    errors = wanted[:, None] - predictions
    best = _least_squares(errors)
    assert best.sum() == pytest.approx(1)
    total = np.square(errors @ best).sum()
    tries = np.random.default_rng(0).dirichlet(np.ones(3), 4000)
    assert total <= np.square(errors @ tries.T).sum(axis=0).min() + 1e-9


def test_odd_cases() -> None:
    none = np.zeros((5, 0))
    assert fit_blend(none, np.ones(5), [], 2).weights.tolist() == [0, 0]
    assert Blend.equal(3).weights.tolist() == [1 / 3] * 3
    assert Blend.equal(3, []).weights.tolist() == [0, 0, 0]
    zero = np.zeros((5, 2))
    assert fit_blend(zero, np.zeros(5), [[0], [1]], 2).weights.tolist() == [0.5, 0.5]
    same = np.ones((1, 2))
    assert fit_blend(same, np.ones(1), [[0], [1]], 2).weights.sum() == pytest.approx(1)
