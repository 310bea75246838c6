from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from matinee.evaluate.statistics.bootstrap import Interval
from matinee.evaluate.statistics.questions import Mean, Slope, _residuals, answer, argmin_slope
from matinee.evaluate.statistics.seeds import t_interval

ABOVE = Interval(0.0, math.inf)
CERTAIN = np.array([0.10, 0.11, 0.12])
DOUBTFUL = np.array([-0.1, 0.1, 0.2])


def one(values: object, band: Interval = ABOVE) -> str:
    return answer([Mean(np.array(values, dtype=float), band)])[0].status


def test_one_side_the_other_and_neither() -> None:
    assert one(CERTAIN) == "established"
    assert one(-CERTAIN) == "refuted"
    assert one(DOUBTFUL) == "undecided"


def test_a_band_of_two_ends() -> None:
    band = Interval(0.0, 0.2)
    assert one(CERTAIN, band) == "established"
    assert one(CERTAIN + 1, band) == "refuted"
    assert one(CERTAIN - 1, band) == "refuted"
    assert one(CERTAIN + 0.09, band) == "undecided"
    assert one([-1.0, 0.1, 1.0], band) == "undecided"


def test_one_seed_decides_nothing_but_leans() -> None:
    (answered,) = answer([Mean(np.array([0.3]), ABOVE)])
    assert (answered.status, answered.leaning, answered.interval, answered.p) == (
        "undecided",
        "established",
        None,
        None,
    )


def test_equal_values_on_the_edge_are_outside() -> None:
    assert one([0.0, 0.0, 0.0]) == "refuted"
    assert one([0.1, 0.1], Interval(0.1, math.inf)) == "refuted"


questions = st.lists(
    st.tuples(
        st.lists(st.floats(-1, 1).map(lambda v: round(v, 3)), min_size=3, max_size=5),
        st.sampled_from([ABOVE, Interval(-0.2, 0.3), Interval(0.1, math.inf)]),
    ),
    min_size=1,
    max_size=6,
)


@given(questions)
def test_the_interval_shown_is_the_one_that_decided(
    asked: list[tuple[list[float], Interval]],
) -> None:
    means = [Mean(np.array(v), band) for v, band in asked if np.ptp(v) > 1e-2]
    for question, answered in zip(means, answer(means), strict=True):
        within = answered.interval
        assert within is not None
        low, high = question.band
        inside = low < within.low and within.high < high
        outside = within.high < low or within.low > high
        gaps = [abs(end - edge) for end in within for edge in (low, high)]
        if min(gaps) > 1e-9:
            assert answered.status == (
                "established" if inside else "refuted" if outside else "undecided"
            )
        plain = t_interval(question.values)
        assert plain is not None
        assert within.high - within.low >= plain.high - plain.low - 1e-12


def test_more_comparisons_ask_for_more() -> None:
    """Alone it is settled at 95%, among twenty doubtful ones it is not."""
    values = np.array([0.05, 0.10, 0.12])
    assert one(values) == "established"
    doubtful = [Mean(DOUBTFUL, ABOVE)] * 19
    assert answer([Mean(values, ABOVE), *doubtful])[0].status == "undecided"


def test_divergence() -> None:
    inf = math.inf
    assert one([inf, inf, inf]) == "established"
    assert one([-inf, -inf, -inf]) == "refuted"
    assert one([inf, inf, 0.1]) == "established"
    assert one([inf, inf, -0.1]) == "undecided"
    assert one([inf, 0.10, 0.11]) == "established"
    assert one([inf, -0.10, -0.11]) == "undecided"
    assert one([inf, -inf, 0.1]) == "undecided"
    assert one([inf]) == "undecided"
    assert one([]) == "undecided"


def test_the_slope_of_the_lowest() -> None:
    """The lowest position is 1, 2, 3 at x = 0, 1, 2, far beyond the noise between seeds."""
    rng = np.random.default_rng(0)
    positions = np.array([1.0, 2.0, 3.0, 4.0])
    figures = [
        np.abs(positions - best)[:, None] + rng.normal(0, 0.01, (4, 3)) for best in (1, 2, 3)
    ]
    slope = argmin_slope(figures, [positions] * 3, np.arange(3.0), ABOVE, rng)
    assert slope.mean == 1.0
    assert np.ptp(slope.draws) == 0
    assert answer([slope])[0].status == "established"
    back = argmin_slope(figures[::-1], [positions] * 3, np.arange(3.0), ABOVE, rng)
    assert answer([back])[0].status == "refuted"


def test_a_shift_of_a_whole_seed_moves_no_optimum() -> None:
    """Another split is harder for all alike: shifts of 1 beside differences of 0.05."""
    rng = np.random.default_rng(3)
    positions = np.array([1.0, 2.0, 3.0])
    figures = [
        0.05 * np.abs(positions - best)[:, None] + rng.normal(0, 1, 3) + rng.normal(0, 0.01, (3, 3))
        for best in (1, 2, 3)
    ]
    slope = argmin_slope(figures, [positions] * 3, np.arange(3.0), ABOVE, rng)
    assert answer([slope])[0].status == "established"


def test_residuals_keep_the_variance() -> None:
    """Widened, they have that of the noise, though means were taken off."""
    rng = np.random.default_rng(4)
    values = [_residuals(rng.normal(0, 1, (4, 3))).var() for _ in range(2000)]
    assert np.mean(values) == pytest.approx(1.0, abs=0.05)


def test_a_flat_bottom_leaves_the_slope_open() -> None:
    rng = np.random.default_rng(1)
    figures = [rng.normal(0, 0.01, (6, 3)) for _ in range(4)]
    positions = np.arange(1.0, 7)
    slope = argmin_slope(figures, [positions] * 4, np.arange(4.0), ABOVE, rng)
    low, high = slope.interval(0.05) or (0, 0)
    assert low < 0 < high
    assert answer([slope])[0].status == "undecided"


def test_the_slope_of_chance_is_called_a_trend_no_more_often_than_it_may_be() -> None:
    """Same figures at every size: over many studies, one in twenty at most on each side or so."""
    rng = np.random.default_rng(2)
    positions = np.arange(1.0, 6)
    wrong = 0
    for _ in range(200):
        figures = [rng.normal(0, 1, (5, 3)) + 0.3 * positions[:, None] for _ in range(4)]
        slope = argmin_slope(figures, [positions] * 4, np.arange(4.0), ABOVE, rng, draws=400)
        wrong += answer([slope])[0].status != "undecided"
    assert wrong / 200 <= 0.1


def test_diverged_positions_are_never_the_lowest() -> None:
    positions = np.array([1.0, 2.0])
    figures = [np.array([[math.inf, 0.1], [0.9, 0.91]]), np.array([[0.8, 0.81], [0.9, 0.91]])]
    rng = np.random.default_rng(0)
    slope = argmin_slope(figures, [positions] * 2, np.array([0.0, 1.0]), ABOVE, rng)
    assert slope.mean == -1.0
    assert set(slope.draws.tolist()) == {-1.0}


def test_the_slope_of_one_seed_has_no_interval() -> None:
    positions = np.array([1.0, 2.0])
    figures = [np.array([[0.1], [0.2]]), np.array([[0.2], [0.1]])]
    rng = np.random.default_rng(0)
    slope = argmin_slope(figures, [positions] * 2, np.array([0.0, 1.0]), ABOVE, rng)
    assert (slope.mean, slope.n, slope.p, slope.interval(0.05)) == (1.0, 1, None, None)


def test_a_slope_p_value_counts_draws() -> None:
    draws = np.array([-1.0] * 3 + [1.0] * 97)
    assert Slope(1.0, draws, ABOVE, 3).p == pytest.approx(0.06)
    assert Slope(1.0, np.ones(100), ABOVE, 3).p == pytest.approx(0.02)
