"""An interval that holds at every look."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.evaluate.statistics.sequence import LEAST, difference_interval


def test_it_holds_at_every_look_at_once() -> None:
    rng = np.random.default_rng(0)
    misses = naive = 0
    for _ in range(150):
        one, two = (rng.random(1000) < 0.2).astype(float), (rng.random(1000) < 0.3).astype(float)
        missed = fixed = False
        for n in range(50, 1001, 50):
            a, b = one[:n], two[:n]
            interval = difference_interval(a, b)
            assert interval is not None
            missed |= not interval.low <= 0.1 <= interval.high
            spread = 1.96 * np.sqrt((a.var() + b.var()) / n)
            fixed |= abs(b.mean() - a.mean() - 0.1) > spread
        misses += missed
        naive += fixed
    # An interval for one look is wrong at some look for many; this one for 5% at most.
    assert misses <= 8
    assert naive >= 25


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.98])
def test_a_small_side_with_rare_acceptance_is_no_difference(rate: float) -> None:
    rng = np.random.default_rng(2)
    wrong = 0
    for _ in range(300):
        many, few = (rng.random(n) < rate for n in (9000, 1000))
        looks = (
            difference_interval(many[: 9 * n].astype(float), few[:n].astype(float))
            for n in range(50, 1001, 50)
        )
        wrong += any(each is not None and not each.low <= 0 <= each.high for each in looks)
    assert wrong <= 15


def test_it_narrows_and_finds_a_difference() -> None:
    rng = np.random.default_rng(1)
    one, two = rng.random(20_000) * 0.5, rng.random(4000) * 0.5 + 0.05
    widths = []
    for n in (100, 1000, 4000):
        interval = difference_interval(one[: 5 * n], two[:n])
        assert interval is not None
        widths.append(interval.high - interval.low)
    assert widths[0] > 2 * widths[1] > 3 * widths[2]
    assert interval.low > 0
    mirrored = difference_interval(two, one)
    assert mirrored == pytest.approx((-interval.high, -interval.low))


def test_few_observations_have_no_interval() -> None:
    some = np.arange(LEAST) % 2.0
    assert difference_interval(some[:-1], some) is None
    assert difference_interval(some, some) is not None
