from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import stats

from matinee.evaluate.statistics.bootstrap import Interval
from matinee.evaluate.statistics.seeds import Estimate, adjust, holm, paired, t_interval, t_p

numbers = st.floats(-100, 100).map(lambda v: round(v, 6))
samples = st.lists(numbers, min_size=2, max_size=12)


def test_the_interval_of_three_seeds_by_hand() -> None:
    """1, 2, 3: deviation 1, error 1/sqrt(3), and t of 2 degrees at 97.5% is 4.30265."""
    estimate = Estimate.of([1.0, 2.0, 3.0])
    assert (estimate.n, estimate.mean, estimate.deviation) == (3, 2.0, 1.0)
    assert estimate.interval is not None
    assert estimate.interval.low == pytest.approx(2 - 4.30265 / math.sqrt(3), abs=1e-5)
    assert estimate.interval.high == pytest.approx(2 + 4.30265 / math.sqrt(3), abs=1e-5)


@given(samples, st.sampled_from([0.05, 0.01, 0.2]))
def test_intervals_are_those_of_scipy(values: list[float], alpha: float) -> None:
    if np.ptp(values) < 1e-3:
        return
    expected = stats.t.interval(1 - alpha, len(values) - 1, np.mean(values), stats.sem(values))
    assert t_interval(values, alpha) == pytest.approx(expected, rel=1e-8, abs=1e-8)


@given(samples, numbers)
def test_p_values_are_those_of_scipy(values: list[float], at: float) -> None:
    if np.ptp(values) < 1e-3:
        return
    expected = stats.ttest_1samp(values, at).pvalue
    assert t_p(values, at) == pytest.approx(expected, rel=1e-6, abs=1e-12)


@given(samples, numbers, st.sampled_from([0.05, 0.01]))
def test_p_is_below_alpha_just_when_the_interval_leaves_the_value_out(
    values: list[float], at: float, alpha: float
) -> None:
    within = t_interval(values, alpha)
    p = t_p(values, at)
    assert within is not None
    assert p is not None
    if abs(p - alpha) > 1e-9 and np.ptp(values) > 1e-3:
        assert (p < alpha) == (at < within.low or at > within.high)


def test_values_that_do_not_vary() -> None:
    assert t_p([0.7, 0.7, 0.7], 0.7) == 1.0
    assert t_p([0.7, 0.7, 0.7], 0.0) == 0.0
    low, high = t_interval([0.7, 0.7, 0.7]) or (0, 0)
    assert low == pytest.approx(0.7) == high


def test_one_seed_has_no_interval() -> None:
    estimate = Estimate.of([0.9])
    assert estimate == Estimate(1, 0.9, None, None, 0)
    assert t_p([0.9]) is None
    assert t_interval([0.9]) is None


def test_a_diverged_run_makes_the_mean_infinite() -> None:
    assert Estimate.of([0.9, math.inf, 0.8]) == Estimate(3, math.inf, None, None, 1)


@pytest.mark.parametrize("values", [[], [0.5, math.nan]])
def test_what_is_no_number_is_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="need numbers"):
        Estimate.of(values)


def test_holm_by_hand() -> None:
    """0.01 x 4, 0.02 x 3, 0.03 x 2, 0.04 x 1; the last may not be below the one before."""
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.5, 0.001]) == pytest.approx([0.5, 0.002])
    assert holm([]) == []


def test_what_has_no_p_counts_as_a_comparison_all_the_same() -> None:
    assert holm([0.01, None, 0.02]) == [pytest.approx(0.03), None, pytest.approx(0.04)]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10))
def test_holm_lies_between_none_and_bonferroni_and_keeps_the_order(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    for p, a in zip(p_values, adjusted, strict=True):
        assert a is not None
        assert p <= a <= min(1.0, p * len(p_values)) + 1e-15
    ranked = [adjusted[at] for at in np.argsort(p_values, kind="stable")]
    assert ranked == sorted(ranked, key=float)  # type: ignore[arg-type]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_holm_does_not_depend_on_the_order(p_values: list[float], rng: object) -> None:
    order = list(range(len(p_values)))
    rng.shuffle(order)  # type: ignore[attr-defined]
    shuffled = holm([p_values[at] for at in order])
    assert shuffled == [holm(p_values)[at] for at in order]


def test_pairs_share_their_seed() -> None:
    """A common shift of each seed cancels; seeds only one of them has are left out."""
    one = {0: 0.9, 1: 1.9, 2: 2.92, 7: 50.0}
    other = {2: 3.0, 1: 2.0, 0: 1.0}
    difference = paired(one, other)
    assert difference is not None
    values = [-0.1, -0.1, -0.08]
    assert difference.n == 3
    assert difference.mean == pytest.approx(np.mean(values))
    assert difference.p == pytest.approx(stats.ttest_rel([0.9, 1.9, 2.92], [1, 2, 3]).pvalue)
    assert difference.interval == pytest.approx(t_interval(values))


def test_nothing_in_common_is_no_difference() -> None:
    assert paired({0: 1.0}, {1: 1.0}) is None
    assert paired({0: math.inf}, {0: math.inf}) is None


def test_identical_arms_do_not_differ() -> None:
    same = {0: 0.9, 1: 0.8}
    difference = paired(same, same)
    assert difference is not None
    assert (difference.mean, difference.p) == (0.0, 1.0)


def test_a_diverged_arm_is_worse_than_any_finite_one() -> None:
    worse = paired({0: math.inf, 1: math.inf}, {0: 5.0, 1: 6.0})
    assert worse is not None
    assert (worse.mean, worse.p, worse.interval, worse.diverged) == (math.inf, 0.0, None, 2)
    once = paired({0: math.inf, 1: 5.0}, {0: 5.0, 1: 6.0})
    assert once is not None
    assert (once.mean, once.p) == (math.inf, None)
    crossed = paired({0: math.inf, 1: 5.0}, {0: 5.0, 1: math.inf})
    assert crossed is not None
    assert math.isnan(crossed.mean)
    assert crossed.p is None


def test_one_diverged_seed_settles_nothing() -> None:
    difference = paired({0: math.inf}, {0: 1.0})
    assert difference is not None
    assert difference.p is None


def test_differences_are_corrected_together() -> None:
    base = {0: 1.0, 1: 1.1, 2: 1.2}
    arms = [{0: 1.1, 1: 1.19, 2: 1.31}, None, {0: 1.0, 1: 1.11, 2: 1.2}]
    differences = [arm and paired(arm, base) for arm in arms]
    corrected = adjust(differences)
    assert corrected[1] is None
    assert differences[0] is not None
    assert differences[0].p is not None
    assert corrected[0] is not None
    assert corrected[0].adjusted == pytest.approx(2 * differences[0].p)
    assert corrected[0].interval == differences[0].interval


def test_the_t_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(2000):
        low, high = t_interval(rng.normal(3, 2, 3)) or Interval(0, 0)
        hits += low <= 3 <= high
    assert 0.935 <= hits / 2000 <= 0.965
