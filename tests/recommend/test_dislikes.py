"""Items that a user only disliked are no evidence of interest."""

from __future__ import annotations

import numpy as np
import pytest

from matinee import Recommender, model
from matinee.data import Histories, Scale
from matinee.recommend import ranking_score, without_dislikes
from matinee.testing import sample


@pytest.fixture(scope="module")
def fitted() -> Recommender:
    return model("biased-mf", factors=3, sweeps=2, interest="linear").fit(sample(), seed=0)


def test_only_users_without_any_other_rating_lose_their_history() -> None:
    rated = ([0, 1], [1.0, 2.0]), ([], []), ([1], [3.0]), ([0, 2], [1.0, 5.0])
    histories = Histories.build(rated)
    shown = without_dislikes(histories, Scale(1.0, 5.0), 3.5)
    assert shown.counts.tolist() == [0, 0, 1, 2]
    assert shown.values.tolist() == [3.0, 1.0, 5.0]
    assert without_dislikes(histories, Scale(1.0, 500.0), 9.0) is histories  # play counts


@pytest.mark.parametrize("likeable", [1.0, 1e-3])  # the second, of people who like nothing
@pytest.mark.parametrize("love", [0.5, 1.0, 4.0, 20.0, 500.0])
def test_any_love_orders_by_its_formula(love: float, likeable: float) -> None:
    rng = np.random.default_rng(0)
    interest, liked = rng.uniform(0.1, 1.0, (2, 1, 40)).astype(np.float32)
    liked *= np.float32(likeable)
    exact = np.log(interest.astype(np.float64)) + love * np.log(liked.astype(np.float64))
    scores = ranking_score(interest, liked, love)
    assert (np.argsort(scores) == np.argsort(exact)).all()


def test_lists_after_dislikes_alone(fitted: Recommender) -> None:
    assert fitted.interest is not None
    low, fair = Histories.build([([3, 5], [0.5, 1.0])]), Histories.build([([3, 5], [3.0, 4.0])])
    usual = fitted.interest.scores(Histories.build([([], [])]))
    assert np.allclose(fitted.rank_scores_coded(low, 0.0), usual)
    assert np.allclose(next(fitted.rank_scores_by_love(low, [0.0])), usual)
    assert not np.allclose(fitted.rank_scores_coded(fair, 0.0), usual)
    none = fitted.rank_scores_coded(Histories.build([([], [])]), 1.0)
    low_scores = fitted.rank_scores_coded(low, 1.0)  # predicted ratings are personal
    assert np.ptp(low_scores / none) > 0.01
