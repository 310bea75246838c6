"""The time offset: against a plain computation, and on data with and without a drift."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from drift import drifting
from matinee.baseline import fit_bias, time_offset
from matinee.baseline.time_offset import (
    DAY,
    NEVER,
    NOW,
    ORIGINS,
    TimedPeople,
    TimeOffset,
    fit_time_offset,
    last_times,
    shrunk_coefficient,
)
from matinee.data import Histories, Ratings


def plain(ratings: Ratings) -> tuple[float, float, float]:
    """Slope, constant and longest gap, rating by rating."""
    assert ratings.times is not None
    ordered = np.sort(ratings.times)
    known: list[tuple[float, float, int, int]] = []
    new: list[tuple[float, float, int, int]] = []
    longest = 0.0
    for origin, share in enumerate(ORIGINS):
        cut = ordered[int(share * len(ratings))]
        before = np.flatnonzero(ratings.times < cut)
        train = ratings.take(before)
        bias = fit_bias(train)
        users = bias.user_bias(Histories.of(train.by_user))
        for at in np.flatnonzero(ratings.times >= cut):
            user, item = ratings.users[at], ratings.items[at]
            mine = before[ratings.users[before] == user]
            residual = ratings.values[at] - bias.mean - bias.item_bias[item] - users[user]
            if len(mine):
                days = (ratings.times[at] - ratings.times[mine].max()) / DAY
                longest = max(longest, days)
                known.append((np.log1p(days), residual, user, origin))
            else:
                new.append((1.0, residual, user, origin))
    return plain_coefficient(known), plain_coefficient(new), longest


def plain_coefficient(rows: list[tuple[float, float, int, int]]) -> float:
    x, y, user, origin = (np.array(column) for column in zip(*rows, strict=True))
    slope = (x * y).sum() / (x * x).sum()
    variances = []
    for groups in (user, origin):
        names = np.unique(groups)
        scores = [(x * (y - slope * x))[groups == name].sum() for name in names]
        n = len(names)
        variances.append(np.square(scores).sum() / (x * x).sum() ** 2 * n / (n - 1))
    return float(slope * max(0.0, 1 - max(variances) / slope**2))


@pytest.mark.parametrize("share", [1.0, 0.15])  # of few, some users have one rating before a time
def test_against_a_plain_computation(share: float) -> None:
    ratings = drifting()
    ratings = ratings.take(np.random.default_rng(0).random(len(ratings)) < share)
    offset = fit_time_offset(ratings)
    assert offset is not None
    slope, new, longest = plain(ratings)
    assert offset.per_log_day == pytest.approx(slope, rel=1e-6)
    assert offset.new == pytest.approx(new, rel=1e-6)
    assert offset.longest == pytest.approx(longest)


def test_a_drift_is_found_and_none_is_not() -> None:
    offset = fit_time_offset(drifting(-0.2, -0.5))
    assert offset is not None
    assert -0.25 < offset.per_log_day < -0.1
    assert -0.55 < offset.new < -0.2
    still = fit_time_offset(drifting(0.0, 0.0)) or TimeOffset(0.0, 0.0, 0.0)
    assert abs(still.per_log_day) < 0.02
    assert abs(still.new) < 0.05


def test_the_order_of_the_ratings_means_nothing() -> None:
    ratings = drifting()
    mixed = ratings.take(np.random.default_rng(0).permutation(len(ratings)))
    one, two = fit_time_offset(ratings), fit_time_offset(mixed)
    assert one is not None
    assert two is not None
    assert (two.per_log_day, two.new) == pytest.approx((one.per_log_day, one.new), rel=1e-6)


def test_where_nothing_can_be_fitted_there_is_none() -> None:
    ratings = drifting()
    assert ratings.times is not None
    assert fit_time_offset(replace(ratings, times=None)) is None
    assert fit_time_offset(replace(ratings, implicit=True)) is None
    assert fit_time_offset(replace(ratings, times=np.zeros_like(ratings.times))) is None
    few = ratings.take(ratings.users % 30 == 0).compact()
    assert few.n_users < 20
    assert fit_time_offset(few) is None


def test_of_much_data_it_is_fitted_to_some_people(monkeypatch: pytest.MonkeyPatch) -> None:
    ratings = drifting()
    third = fit_time_offset(ratings.take(ratings.users % 3 == 0))
    monkeypatch.setattr(time_offset, "_MOST", len(ratings) // 3 + 1)
    assert third is not None
    found = fit_time_offset(ratings)
    assert found is not None
    assert (found.per_log_day, found.new) == pytest.approx((third.per_log_day, third.new))


def test_weights_go_to_the_bias_model() -> None:
    ratings = drifting()
    heavy = np.where(ratings.values > 3, 5, 1).astype(np.float32)
    plain, weighted = fit_time_offset(ratings), fit_time_offset(replace(ratings, weights=heavy))
    assert plain is not None
    assert weighted is not None
    assert weighted.new < plain.new - 0.1  # the mean of the weighted ratings is higher


@settings(max_examples=50, deadline=None)
@given(
    st.floats(-1, 1),
    st.floats(-1, 1),
    st.floats(0, 1000),
    st.lists(st.integers(0, 2000), max_size=9),
)
def test_the_offset_of_each_prediction(
    slope: float, new: float, longest: float, days: list[int]
) -> None:
    offset = TimeOffset(slope, new, longest)
    last = np.full(len(days), 10**9)
    times = last + DAY * np.array(days, dtype=np.int64)
    expected = [slope * np.log1p(min(day, longest)) for day in days]
    assert offset.at(times, last) == pytest.approx(expected)
    assert offset.at(times, np.full_like(last, NEVER)) == pytest.approx([new] * len(days))
    assert offset.at(times, np.full_like(last, NOW)) == pytest.approx([0.0] * len(days))
    assert offset.at(last, times) == pytest.approx([0.0] * len(days))  # never before the last


def test_people_without_a_row_have_no_ratings() -> None:
    timed = TimedPeople(TimeOffset(-0.1, -0.3, 100.0), np.array([0, NEVER]))
    times = np.full(3, DAY)
    assert timed.at(np.array([0, 1, -1]), times) == pytest.approx([-0.1 * np.log(2), -0.3, -0.3])


def test_an_unknown_last_time_gives_no_offset_before_1970_either() -> None:
    assert TimeOffset(-0.1, -0.3, 100.0).at(np.array([-5]), np.array([NOW])).tolist() == [0.0]


def test_last_times() -> None:
    ratings = Ratings.from_arrays([1, 1, 2], [1, 2, 1], [3, 4, 5], [9, 7, 8])
    assert last_times(ratings).tolist() == [9, 8]
    assert last_times(ratings.take(np.array([1]))).tolist() == [7, NEVER]


def test_a_coefficient_within_its_standard_error_is_zero() -> None:
    rng = np.random.default_rng(0)
    squares = np.full((3, 40), 2.0)
    noise = rng.standard_normal((3, 40))
    noise -= noise.mean()
    assert shrunk_coefficient(noise + 0.01, squares) == 0.0
    assert shrunk_coefficient(noise + 2.0, squares) == pytest.approx(1.0, abs=0.05)
    assert shrunk_coefficient(np.zeros((3, 40)), squares) == 0.0
    assert shrunk_coefficient(noise[:1] + 2.0, squares[:1]) == 0.0  # a single origin
    assert shrunk_coefficient(noise[:, :20] + 2.0, squares[:, :20]) > 0.9
    assert shrunk_coefficient(noise[:, :19] + 2.0, squares[:, :19]) == 0.0  # few people
