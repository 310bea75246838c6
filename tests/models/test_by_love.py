from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from matinee import Bias, Ratings, Recommender, model
from matinee.data import split
from matinee.errors import DataError
from matinee.evaluate import Score
from matinee.models import by_love
from matinee.synth import synthesize


@pytest.fixture(scope="module")
def parts() -> tuple[Ratings, Ratings]:
    return split(synthesize(150, 60, 5000, seed=2).ratings, 0.2, 0)


@pytest.fixture(scope="module")
def fitted(parts: tuple[Ratings, Ratings]) -> Recommender:
    return Bias().fit(parts[0])


def same(one: Score, other: Score) -> bool:
    """Up to the order of sums."""
    ends = [*(one.interval or ()), *(other.interval or ())]
    return one.value == pytest.approx(other.value, rel=1e-12) and (
        ends[: len(ends) // 2] == pytest.approx(ends[len(ends) // 2 :], rel=1e-12)
    )


def test_each_point_is_the_evaluation_of_the_model_with_that_love(
    parts: tuple[Ratings, Ratings], fitted: Recommender
) -> None:
    own = fitted.love
    points = by_love(fitted, parts[1], relevant=4.0, k=5, loves=(0.0, 1.5, 4.0, np.inf))
    assert [point.love for point in points] == sorted({0.0, 1.5, 4.0, np.inf, own})
    assert [point.love for point in points if point.own] == [own]
    try:
        for point in points:
            fitted.love = point.love
            wanted = fitted.evaluate_lists(parts[1], k=5, relevant=4.0, baselines=[]).scores[5]
            for name in ("ndcg", "recall", "precision", "mrr", "mean_rating", "coverage"):
                assert same(point.scores[name], wanted[name]), (point.love, name)
    finally:
        fitted.love = own
    assert len({point.scores["ndcg"].value for point in points}) > 2


def test_people_with_a_given_part(parts: tuple[Ratings, Ratings], fitted: Recommender) -> None:
    given, scored = split(parts[1], 0.5, 1)
    points = by_love(fitted, scored, relevant=4.0, histories=given, loves=(), seed=3)
    wanted = fitted.evaluate_lists(
        scored, k=10, relevant=4.0, histories=given, baselines=[], seed=3
    )
    (point,) = points
    assert same(point.scores["ndcg"], wanted.scores[10]["ndcg"])


def test_interest_and_ratings_are_computed_once_for_all_values(
    parts: tuple[Ratings, Ratings], fitted: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = {"ratings": 0, "interest": 0}
    scores, interest = fitted.scores_coded, fitted.interest
    assert interest is not None

    def counted(name: str, function: Any) -> Any:
        def call(*args: Any) -> Any:
            calls[name] += 1
            return function(*args)

        return call

    monkeypatch.setattr(fitted, "scores_coded", counted("ratings", scores))
    monkeypatch.setattr(interest, "scores", counted("interest", interest.scores))
    assert len(by_love(fitted, parts[1], relevant=4.0)) > 7
    assert calls == {"ratings": 1, "interest": 1}


def test_a_model_of_interactions_has_no_love(parts: tuple[Ratings, Ratings]) -> None:
    fitted = model("item-knn").fit(parts[0].liked(4.0))
    assert by_love(fitted, parts[1], relevant=4.0) == []
    people = fitted.histories
    assert people is not None
    expected = fitted.rank_scores_coded(people)
    for scores in fitted.rank_scores_by_love(people, (0.0, 2.0, np.inf)):
        np.testing.assert_array_equal(scores, expected)


def test_nothing_relevant_is_an_error(parts: tuple[Ratings, Ratings], fitted: Recommender) -> None:
    with pytest.raises(DataError, match="no test rating is 9 or more"):
        by_love(fitted, parts[1], relevant=9.0)


def test_scores_by_love_are_the_ranking_scores(fitted: Recommender) -> None:
    people = fitted.histories
    assert people is not None
    loves = (0.0, 0.5, 1.0, 3.0, np.inf)
    found = list(fitted.rank_scores_by_love(people, loves))
    for love, scores in zip(loves, found, strict=True):
        np.testing.assert_array_equal(scores, fitted.rank_scores_coded(people, love))
