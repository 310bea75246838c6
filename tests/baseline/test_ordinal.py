"""The ordinal link against its formulas, written out again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize

from matinee.baseline.ordinal import OrdinalLink, levels_of
from matinee.errors import UsageError

LINK = OrdinalLink((1.0, 2.0, 3.0, 4.0, 5.0), (1.6, 2.4, 3.3, 4.5), 2.1)
UNEVEN = OrdinalLink((0.5, 1.0, 4.0), (0.7, 2.0), 0.8)


def dense(link: OrdinalLink, scores: Any) -> Any:
    """P(level) as differences of logistic functions, (n, levels)."""
    below = [1.0 / (1.0 + np.exp(-link.slope * (t - scores))) for t in link.thresholds]
    return np.diff(np.stack([0 * scores, *below, 0 * scores + 1.0], axis=1), axis=1)


def draw(link: OrdinalLink, n: int, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    scores = rng.normal(3.3, 0.9, n)
    latent = scores + rng.logistic(size=n) / link.slope
    return scores, np.array(link.levels)[np.searchsorted(link.thresholds, latent)]


@pytest.mark.parametrize("link", [LINK, UNEVEN])
def test_probabilities_and_what_follows_from_them(link: OrdinalLink) -> None:
    scores = np.linspace(-2.0, 8.0, 101)
    chances = dense(link, scores)
    assert np.allclose(link.probabilities(scores), chances, atol=1e-12)
    assert np.allclose(link.expectation(scores), chances @ link.levels)
    for rating in (0.0, 0.9, 1.0, 3.5, 4.0, 5.0, 6.0):
        wanted = chances[:, np.array(link.levels) >= rating].sum(axis=1)
        assert np.allclose(link.at_least(scores, rating), wanted)
    assert np.allclose(link.score(link.expectation(scores)), scores, atol=1e-4)
    assert link.codes(np.array(link.levels)).tolist() == list(range(len(link.levels)))


def test_single_precision_stays_and_nothing_overflows() -> None:
    scores = np.array([-1e4, 2.0, 1e4], dtype=np.float32)
    with np.errstate(all="raise", under="ignore"):
        expected = LINK.expectation(scores)
        chance = LINK.at_least(scores, 4.0)
        back = LINK.score(expected)
    assert expected.dtype == chance.dtype == back.dtype == np.float32
    assert np.allclose(expected[[0, 2]], [1.0, 5.0])
    assert np.allclose(chance[[0, 2]], [0.0, 1.0])
    assert np.isfinite(back).all()


@pytest.mark.parametrize("link", [LINK, UNEVEN])
def test_a_fit_is_the_maximum_of_the_likelihood(link: OrdinalLink) -> None:
    scores, ratings = draw(link, 3000)
    levels = np.array(link.levels)
    fitted = OrdinalLink.fit(scores, ratings, levels)
    # One rating of each level, at that score, is added.
    s, r = np.concatenate([scores, levels]), np.concatenate([ratings, levels])
    code = np.searchsorted(levels, r)

    def loss(point: Any) -> float:
        steps = np.exp(point[1:-1])
        thresholds = tuple(point[0] + np.concatenate([[0.0], np.cumsum(steps)]))
        at = OrdinalLink(link.levels, thresholds, float(np.exp(point[-1])))
        return float(-np.log(dense(at, s)[np.arange(len(s)), code] + 1e-300).sum())

    start = np.concatenate([[1.0], np.zeros(len(levels) - 2), [0.0]])
    best = minimize(loss, start, method="BFGS")
    chances = fitted.probabilities(s)
    mine = -np.log(chances[np.arange(len(s)), code]).sum()
    assert mine == pytest.approx(best.fun, rel=1e-7)
    assert fitted.thresholds == pytest.approx(link.thresholds, abs=0.25)
    assert fitted.slope == pytest.approx(link.slope, rel=0.1)


def test_an_earlier_link_holds_a_fit_to_few_ratings() -> None:
    scores, ratings = draw(UNEVEN, 40)
    levels = np.array(UNEVEN.levels)
    free = OrdinalLink.fit(scores, ratings, levels)
    held = OrdinalLink.fit(scores, ratings, levels, UNEVEN)
    assert abs(held.slope - UNEVEN.slope) < 0.2 * abs(free.slope - UNEVEN.slope)
    scores, ratings = draw(LINK, 50_000)
    moved = OrdinalLink.fit(
        scores, ratings, np.array(LINK.levels), OrdinalLink(LINK.levels, (1.0, 2.0, 3.0, 4.0), 1.0)
    )
    assert moved.thresholds == pytest.approx(LINK.thresholds, abs=0.1)


def test_fits_that_ratings_do_not_decide() -> None:
    levels = np.array([1.0, 2.0, 3.0])
    for scores, ratings in (
        ([], []),
        ([2.0], [3.0]),
        ([1.0, 2.0, 3.0] * 5, [2.0] * 15),  # one level alone
        ([3.0, 2.0, 1.0] * 5, [1.0, 2.0, 3.0] * 5),  # scores that are the wrong way round
        ([2.0] * 9, [1.0, 2.0, 3.0] * 3),
    ):
        link = OrdinalLink.fit(np.array(scores), np.array(ratings), levels)
        assert link.slope > 0  # and ascending thresholds, which the constructor checks
        assert np.isfinite(link.probabilities(np.array([0.0, 5.0]))).all()


def test_perfect_scores_give_a_finite_link() -> None:
    levels = np.array([1.0, 2.0, 3.0])
    ratings = np.tile(levels, 50)
    link = OrdinalLink.fit(ratings, ratings, levels)
    assert np.allclose(link.expectation(levels), levels, atol=0.1)


def test_what_is_no_link_is_refused() -> None:
    for levels, thresholds, slope in (
        ((1.0,), (), 1.0),
        ((1.0, 2.0), (1.5, 1.7), 1.0),
        ((2.0, 1.0), (1.5,), 1.0),
        ((1.0, 2.0, 3.0), (2.0, 1.0), 1.0),
        ((1.0, 2.0), (1.5,), 0.0),
        ((1.0, 2.0), (float("nan"),), 1.0),
        (tuple(map(float, range(21))), tuple(map(float, range(20))), 1.0),
    ):
        with pytest.raises(ValueError, match="an ordinal link of"):
            OrdinalLink(levels, thresholds, slope)


def test_levels() -> None:
    assert levels_of(np.array([4, 0.5, 4], dtype=np.float32), "x").tolist() == [0.5, 4.0]
    assert len(levels_of(np.arange(20), "x")) == 20
    for ratings in (np.ones(5), np.arange(21)):
        with pytest.raises(UsageError, match="needs ratings of 2 to 20 levels; these have"):
            levels_of(ratings, "x")


def test_thresholds_far_apart_do_not_overflow() -> None:
    levels = np.array([1.0, 2.0, 3.0])
    steep = OrdinalLink((1.0, 2.0, 3.0), (1.5, 2.5), 1000.0)
    with np.errstate(over="raise"):
        assert OrdinalLink.fit(levels, levels, levels, steep).slope > 0
